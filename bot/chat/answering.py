"""Words in, answers out: each message is first a durable row, then read once, then one input per incident, then one
answer; crash anywhere, and the same row gives the same inputs and the same answer.

Three records make that so, all in the sender's partition: the row in the inbox, the reading (taken before anything
acts) and the answer (taken before it is sent). A decision is recorded by the ledger under the message's id and the
incident's code.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence

import msgspec
import orjson

from bot.buttons import Buttons
from bot.chat import reporting, saying
from bot.chat.calls import Calls, written_to
from bot.chat.resolving import CLOSING, Resolver
from bot.chat.rows import Order, Reading, Row, Sender, digest, read_reading, read_row
from bot.chat.showing import Showing
from bot.intake.gate import ItemVerdict
from bot.rendering.neutral import hide, mask
from bot.workers.decider import Decider, StoreFailed
from channels.channel import Uplink, answer_id
from escalation.calendar import local
from escalation.deciding.duties import lead_tier
from escalation.directory import Directory
from escalation.incident import IncidentState
from escalation.inputs import Entry, Reply
from escalation.ledger.change import AlreadyTaken, Change, Failed, Lookup, Recorded, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.inbox import Inbox
from escalation.ledger.keys import US
from escalation.ledger.lines import Held
from escalation.ledger.mailbox import Mailboxes
from escalation.notice import Contact, NoticeKind
from escalation.vocabulary import Urgency

LEASE = 15_000
"""How long claimed rows are this hub's, in milliseconds."""
MOST_OF_ONE = 50
"""How many rows of one sender are worked off in one step; the others follow in the next."""
AT_ONCE = 16
"""How many senders are served at the same time."""
ALIKE = 600_000
"""Words that nothing can be made of, and that somebody sends again and again, are answered once in so many ms."""
_FIGURES = re.compile(r"\d+")
log = logging.getLogger("fenghuo.answering")


class Answering:
    """Reads what people write and answers it. ``directory`` gives the present one; ``emergency`` says whom to call;
    ``buttons`` are those of cards, ``showing`` keeps pictures, ``calls`` knows the telephone calls."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        mailboxes: Mailboxes,
        inbox: Inbox,
        decider: Decider,
        directory: Callable[[], Directory],
        emergency: str,
        buttons: Callable[[], Buttons],
        showing: Showing,
        calls: Calls,
    ) -> None:
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._inbox = inbox
        self._decider = decider
        self._directory = directory
        self._emergency = emergency
        self._showing = showing
        self._calls = calls
        self._resolver = Resolver(ledger, mailboxes, emergency, buttons, showing.pictures, calls)

    async def take(self, uplinks: Sequence[Uplink], now: int) -> list[bool]:
        """Keep messages; on disk when this returns. False where one came before. Raises the store's error."""
        rows = [Row.of(uplink, None, silent=False) for uplink in uplinks]
        return await self._inbox.put([row.arrived for row in rows], now=now)

    async def answer(
        self,
        uplink: Uplink,
        now: int,
        *,
        sender: Sender | None = None,
        reply_by_channel: bool = True,
        pressed: Order | None = None,
    ) -> str:
        """Take one message, act on it and give its answer at once; a repeat gets the recorded answer.

        ``sender`` is whom a signed link or a page has made sure of; without one the address speaks for itself. With
        ``reply_by_channel`` the answer is sent to the address as well. ``pressed`` is what a page's button meant: then
        the text is not read. Raises what the store and the decider raise; the
        message is on disk then, and :meth:`step` goes on with it.
        """
        row = Row.of(uplink, sender, silent=not reply_by_channel, pressed=pressed)
        await self._inbox.put([row.arrived], now=now)
        return await self._serve(row, now)

    async def step(self, now: int) -> int:
        """Work off waiting messages, in their order for each sender; how many were answered."""
        held = await self._inbox.claim(range(self._ledger.partitions), now=now, lease=LEASE)
        lines: dict[tuple[int, str], list[Held]] = {}
        for one in held:
            lines.setdefault((one.partition, one.line), []).append(one)
        room = asyncio.Semaphore(AT_ONCE)
        served = [self._line(line[:MOST_OF_ONE], room, now) for line in lines.values()]
        results = await asyncio.gather(*served, return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        for error in errors:
            if not isinstance(error, Exception):
                raise error
            # The sender's rows come again when the lease has ended, and find what was done recorded.
            log.error("answering stopped for one sender", exc_info=error)
        if errors and len(errors) == len(results):
            raise errors[0]
        return sum(result for result in results if isinstance(result, int))

    async def _line(self, line: list[Held], room: asyncio.Semaphore, now: int) -> int:
        async with room:
            for one in line:
                await self._serve(read_row(one.body), now)
            await self._inbox.settle(line, now=now)
        return len(line)

    async def _serve(self, row: Row, now: int) -> str:
        """Everything between a durable row and its answer in the mailbox. Safe to run again, also at the same time."""
        partition = self._ledger.partition_of(row.sender)
        lookup = Lookup(partition=partition, inputs=((_read_id(row), ""), (_answer_id(row), "")))
        read, answered = (await self._ledger.load([lookup]))[0].recorded
        reading = read_reading(read.result) if read is not None else None
        if reading is None and (answered is None or row.call is not None):
            reading = await self._resolver.read(row, self._directory(), now)
        if answered is None and reading is not None:
            if read is None and (reading.codes or reading.accident or reading.pictures):
                entry = _entry(row, reading, now, "reply_read")
                record = await self._record(partition, _read_id(row), msgspec.json.encode(reading), entry, now)
                reading = read_reading(record)
            text = await self._carry_out(row, reading, now)
            entry = _entry(row, reading, now, reading.reason)
            answer = orjson.loads(await self._record(partition, _answer_id(row), orjson.dumps(text), entry, now))
        else:
            answer = orjson.loads(answered.result) if answered is not None else ""
        to = self._answered_at(row, reading.sender if reading is not None else Sender())
        if answer and to is not None and not row.silent:
            await self._send(row, to, str(answer), now)
        return str(answer)

    async def _record(self, partition: int, input_id: str, result: bytes, entry: Entry, now: int) -> bytes:
        """Keep a result under its id; the one kept before where somebody was quicker."""
        change = Change(partition=partition, now=now, takes=[Taken(input_id, "", result)], entries=[entry])
        outcome = (await self._ledger.commit([change]))[0]
        if isinstance(outcome, Failed):
            raise StoreFailed(str(outcome.error)) from outcome.error
        kept = outcome.recorded[0] if isinstance(outcome, AlreadyTaken) else None
        return kept.result if isinstance(kept, Recorded) else result

    def _answered_at(self, row: Row, sender: Sender) -> Contact | None:
        """Where the answer goes: the way the message came, and to whoever pressed a key in a call in writing."""
        if row.call is not None:
            return written_to(self._directory(), sender)
        return Contact(row.channel, row.sender) if row.sender else None

    async def _send(self, row: Row, to: Contact, answer: str, now: int) -> None:
        urgency = Urgency.CRITICAL if saying.NO_REPLACEMENT in answer else Urgency.NORMAL
        identity = answer_id(row.channel, row.message_id)
        if row.unproven and urgency is Urgency.NORMAL:
            # Whoever writes in others' names shall not fill their mailboxes: it is told once a day.
            identity = f"unproven.{digest(row.sender)}.{local(now):%Y%m%d}"
        elif saying.is_lost(answer):
            # Two machines that go on answering each other come to an end here, before they have used up the windows
            # of a telephone that alarms need.
            words = digest(f"{row.channel}{US}{row.sender}{US}{_FIGURES.sub('', row.text)}")
            identity = f"lost.{words}.{row.at // ALIKE}"
        item = reporting.item(identity, to.channel, to.address, answer, now, kind=NoticeKind.ANSWER, urgency=urgency)
        if not (await self._mailboxes.put([item], now=now))[0]:
            raise StoreFailed("the answer's mailbox did not take it")

    async def _carry_out(self, row: Row, reading: Reading, now: int) -> str:
        """Do what the reading says, the accident first, and put the answer together."""
        parts: list[str] = []
        if reading.accident:
            parts.append(await self._report(row, reading, now))
        for place, order in enumerate(reading.orders):
            parts += [await self._decide(row, reading, place, order, code, now) for code in order.codes]
        if row.call is not None:
            await self._calls.ended(row, row.call, now)
        if reading.pictures:
            parts.append(await self._showing.take(row, reading, now))
        parts += (reading.answer, reading.trailer)
        return "\n".join(part for part in parts if part)

    async def _report(self, row: Row, reading: Reading, now: int) -> str:
        directory = self._directory()
        sender = reading.sender if reading.sender != Sender() else None
        event = reporting.accident_event(row, sender, directory, now)
        verdict = (await self._decider.events([event], now))[0]
        code = verdict.code if isinstance(verdict, ItemVerdict) else ""
        told = await self._mailboxes.put(reporting.verbatim(row, sender, code, directory, now), now=now)
        if not all(told):
            raise StoreFailed("a mailbox did not take the accident report")
        return saying.accident(directory, code, self._emergency)

    async def _decide(self, row: Row, reading: Reading, place: int, order: Order, code: str, now: int) -> str:
        """One order to one incident; ``place`` is the order's among those of the message, and part of the id."""
        reply = Reply(
            id=f"{row.id}{US}{place}" if place else row.id,
            verb=order.verb,
            person=reading.person,
            unit=reading.unit,
            role=reading.role,
            channel=row.channel,
            at=row.at,
            text=order.text,
            cause=order.cause,
            to=order.to,
            minutes=order.minutes,
            until=order.until,
            clock=order.clock,
            of=order.of,
            only_unit=order.only_unit,
            notice=order.notice,
            card=order.card,
            card_at=order.card_at,
            handle=order.handle,
        )
        answer = await self._decider.reply(code, reply, now)
        if answer is None:
            return saying.no_such_code([code])
        if not order.verb.acts:
            # What was asked is answered by the reading.
            return ""
        return await self._end_report(row, reply, code, now) or answer

    async def _end_report(self, row: Row, reply: Reply, code: str, now: int) -> str:
        """消警 and 误报 of the acting tier end an accident report: there is no other upstream that could. Empty where
        the incident is none, or the word was not the acting tier's."""
        if reply.verb not in CLOSING:
            return ""
        incident = (await self._ledger.get_many([code]))[0]
        if incident is None or not reporting.is_report(incident.source, incident.point):
            return ""
        lead = lead_tier(incident).rank
        acting = {duty.unit for duty in incident.duties}
        closing = (each.deed for each in incident.requests if each.verb is reply.verb and each.deed.unit in acting)
        if not any(deed.tier.rank >= lead for deed in closing):
            return ""
        if incident.state is IncidentState.OPEN:
            await self._decider.events([reporting.over_event(row, code, incident.point, now)], now)
        return f"{code} 已记录{reply.verb.word}，事故报告关闭。"


def _read_id(row: Row) -> str:
    return f"u{US}{row.id}"


def _answer_id(row: Row) -> str:
    return f"a{US}{row.id}"


def _entry(row: Row, reading: Reading, now: int, reason: str) -> Entry:
    """The journal's row of a message: who, what it was taken for, and its words without phone numbers."""
    return Entry(
        at=now,
        reason=reason,
        actor=reading.sender.actor if reading.sender != Sender() else hide(row.sender),
        detail={
            "message": row.digest,
            "channel": row.channel,
            "verb": ",".join(reading.verbs),
            "codes": ",".join(reading.codes),
            "accident": ",".join(reading.accident),
            "text": mask((row.text or (row.call.detail if row.call else ""))[:200]),
        },
    )
