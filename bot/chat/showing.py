"""Pictures that people send: a durable row first, then their incident hears who gave it; the file follows by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable

import orjson

from bot.chat import saying
from bot.chat.rows import Reading, Row
from bot.workers.committing import MOST_TRIES, Committing, LostRaces, raise_failure
from escalation.decide import decide
from escalation.incident import Incident
from escalation.inputs import Context, EvidenceGiven, EvidenceKept
from escalation.ledger.change import Committed, Lookup, OutboxItem, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.evidence import Pictures, Sent
from escalation.ledger.keys import partition_of_code

log = logging.getLogger("fenghuo.showing")


class Showing(Committing):
    """Takes pictures, and tells incidents of them. ``news`` is called when there is something to fetch or to tell."""

    def __init__(
        self,
        ledger: Ledger,
        context: Callable[[int], Context],
        handoff: Callable[[list[OutboxItem]], None],
        pictures: Pictures,
    ) -> None:
        super().__init__(ledger, context, handoff)
        self.pictures = pictures
        self.news: Callable[[], None] = lambda: None

    async def take(self, row: Row, reading: Reading, now: int) -> str:
        """Do what a reading says about pictures, and the sentence that goes back. Safe to run again: the row has the
        message's own id, and what the incident was told is recorded."""
        if row.media:
            sent = Sent(id=row.digest, channel=row.channel, sender=row.sender, media=row.media, at=row.at)
            await self.pictures.put(sent)
            self.news()
        if not reading.about:
            return ""
        given = EvidenceGiven(
            id=row.id,
            pictures=reading.pictures,
            person=reading.person,
            unit=reading.unit,
            role=reading.role,
            channel=row.channel,
            at=row.at,
        )
        answer, taken = await self.tell(reading.about, given, now)
        if taken is not None and any(each.id in reading.pictures for each in taken.evidence):
            await self.pictures.tie(row.sender, reading.pictures, reading.about)
            self.news()
        return answer

    async def tell(self, code: str, given: EvidenceGiven | EvidenceKept, now: int) -> tuple[str, Incident | None]:
        """Let an incident know; the sentence that goes back, and the incident as it is then (None: it cannot be read,
        or there is none). Raises the store's error, and what a decision raises."""
        input_id = f"{given.input_id}\x1f{code}"
        partition = partition_of_code(code, self._ledger.partitions)
        for _ in range(MOST_TRIES):
            ctx = self._context(now)
            lookup = Lookup(partition=partition, inputs=((input_id, ""),), code=code)
            found = (await self._ledger.load([lookup]))[0]
            if found.damaged is not None:
                return saying.damaged(code), None
            if found.incident is None:
                return saying.no_such_code([code]), None
            if found.recorded[0] is not None:
                return str(orjson.loads(found.recorded[0].result)), found.incident
            version = found.incident.version
            decision = decide(found.incident, given, ctx)
            taken = Taken(input_id, "", orjson.dumps(decision.answer))
            outcomes = await self._ledger.commit([self._change(decision, version, ctx, [taken])])
            if isinstance(outcomes[0], Committed):
                self._handoff(outcomes[0].claimed)
                return decision.answer, decision.incident
            raise_failure(outcomes)
        raise LostRaces(f"{code} kept changing while a picture was given")
