"""What an operator may ask of the ledger, whether a hub is running or not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.storehouse import Storehouse
from bot.story import Story, story_of
from bot.unreadable import line_of_unreadable
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.ledger.commit import Ledger
from escalation.ledger.journal import Journal
from escalation.ledger.keys import read_code
from escalation.ledger.meta import Meta
from escalation.ledger.presence import Presence
from escalation.ledger.states import Damaged
from escalation.ledger.verify import Finding, verify


class PartitionCheck(msgspec.Struct, kw_only=True):
    """One partition's chain. ``fault`` is empty when every row is what was written."""

    partition: int
    sealed: int
    unsealed: int
    fault: str = ""
    row: int = 0
    where: str = ""


class Verification(msgspec.Struct, kw_only=True):
    """The journal's check: ``ok``, how many rows are chained, and each partition."""

    ok: bool
    rows: int
    partitions: list[PartitionCheck]

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> Verification:
        """What the walk over the chains found."""
        checks = [
            PartitionCheck(
                partition=each.partition,
                sealed=each.sealed,
                unsealed=each.unsealed,
                fault=each.fault.word if each.fault else "",
                row=each.row,
                where=each.where,
            )
            for each in findings
        ]
        rows = sum(each.sealed + each.unsealed for each in findings)
        return cls(ok=not any(each.fault for each in checks), rows=rows, partitions=checks)

    def text(self) -> str:
        """For a terminal, in Chinese."""
        if self.ok:
            return f"台账完整：{self.rows} 条记录，哈希链无误。"
        bad = [each for each in self.partitions if each.fault]
        lines = [f"分区 {each.partition} 第 {each.row} 条：{each.fault}（{each.where}）" for each in bad]
        return "\n".join(["台账有误：", *lines])


async def told(incident: Incident, journal: Journal, presence: Presence, directory: Directory) -> Story:
    """The story of an incident: its state, its journal, and the outages that fell into it."""
    rows = await journal.rows(incident.code)
    first = min((row.entry.at for row in rows), default=incident.opened_at)
    return story_of(incident, rows, await presence.outages(first), directory)


class Inquiry:
    """Questions to one store."""

    def __init__(self, storehouse: Storehouse, meta: Meta, directory: Directory) -> None:
        self._storehouse = storehouse
        self._meta = meta
        self._directory = directory

    async def show(self, text: str) -> Story | None:
        """The story of the incident that ``text`` names; None when there is none, ValueError when it is no code or its
        state cannot be read."""
        code = read_code(text)
        if code is None:
            raise ValueError(f"{text} 不是编号，应如 A0231 / {text} is no code such as A0231")
        door, partitions = self._storehouse.door(), self._meta.partitions
        incident = (await Ledger(door, partitions).find_many([code]))[0]
        if incident is None:
            return None
        if isinstance(incident, Damaged):
            line = line_of_unreadable(incident)
            raise ValueError(f"{line.todo}\n{line.todo_en}\n{line.why}")
        journal = Journal(door, partitions, self._storehouse.journal_folder)
        return await told(incident, journal, Presence(door), self._directory)

    async def verify(self) -> Verification:
        """Walk the whole journal against its chain, its heads and the anchor."""
        findings = await verify(
            self._storehouse.door(),
            self._meta.partitions,
            self._storehouse.journal_folder,
            self._storehouse.anchored(),
        )
        return Verification.of(findings)
