"""What must hold after any crash, seen from outside: the vendors' lists, the journal, the incidents.

I1 every accepted input is in the journal and its incident is there; I2 each notice is sent at most once, plus once for
a lost answer or a stop in flight; I3 nothing is sent after it was no longer needed; I5 each move of the state has one
row; I6 the chain verifies. (I4, no deadline missed, is what the reminder of the second alarm shows; I7, a fenced
worker writes nothing, is the ledger's own test.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.engine import Engine
from escalation.incident import Incident, IncidentState
from escalation.ledger.door import Store
from escalation.ledger.journal import Journal, Sealer
from escalation.ledger.keys import partition_keys
from escalation.ledger.verify import verify
from escalation.notice import NoticeState

_ONCE = ("opened", "reply_sign", "returned", "incident_closed", "step_remind")


class _NoAnchor:
    async def save(self, heads: object) -> None:
        """The chain is verified against the store's own heads here; the anchor has tests of its own."""

    async def meet(self, heads: object) -> None:
        """Nor is there another hub."""


async def broken(engine: Engine, store: Store, received: list[dict[str, Any]], folder: Path, repeats: int) -> list[str]:
    """What does not hold after the whole story, in words; empty when all does.

    ``repeats``: how often one message may have been repeated because a stop or a lost answer hid its result."""
    found: list[str] = []
    sealer = Sealer(store, engine.partitions, _NoAnchor())
    while (await sealer.step(engine.clock.now())).more:
        pass
    for finding in await verify(store, engine.partitions, folder):
        if finding.fault is not None:
            found.append(f"I6 partition {finding.partition}: {finding.fault} at row {finding.row}")
        if finding.unsealed:
            found.append(f"I6 partition {finding.partition}: {finding.unsealed} rows are not sealed")
    journal = Journal(store, engine.partitions, folder)
    states = {"DC01-T01": IncidentState.CLOSED, "BF1-CO-03": IncidentState.OPEN}
    incidents = [each for each in await _incidents(engine, store) if each is not None]
    if sorted(each.point for each in incidents) != sorted(states):
        found.append(f"I1 incidents: {[each.code + ' ' + each.point for each in incidents]}")
    for incident in incidents:
        if incident.state is not states.get(incident.point):
            found.append(f"I1 {incident.point} is {incident.state}")
        found += [
            f"I1 {notice.id} is still {notice.state}"
            for notice in incident.notices.values()
            if notice.state in (NoticeState.QUEUED, NoticeState.DEAD)
        ]
        rows = Counter(row.entry.reason for row in await journal.rows(incident.code))
        found += [f"I5 {incident.point}: {reason} {rows[reason]} times" for reason in _ONCE if rows[reason] > 1]
        if rows["opened"] != 1:
            found.append(f"I5 {incident.point}: opened {rows['opened']} times")
    found += _too_often(received, repeats)
    return found


def _too_often(received: Iterable[dict[str, Any]], repeats: int) -> list[str]:
    """I2: the same text to the same address more often than once plus the repeats that may have happened."""
    sends = Counter((each["vendor"], each["address"], each["text"]) for each in received)
    return [f"I2 sent {count} times: {what}" for what, count in sends.items() if count > 1 + repeats]


async def _incidents(engine: Engine, store: Store) -> list[Incident | None]:
    codes: list[str] = []
    for number in range(engine.partitions):
        codes += [code.decode() for code in await store.execute("HKEYS", partition_keys(number).incidents)]
    return await engine.ledger.get_many(codes) if codes else []
