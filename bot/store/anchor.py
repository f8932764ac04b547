"""The anchor: a small fsynced file outside the store that says what must be in it.

A store that comes back empty looks like a new one, and a store that was set back looks like an older self. The anchor
holds the store's id and the heads of its journal, so that neither passes for the store that was promised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Self

from bot.store.disk import write_atomically
from bot.store.errors import AnchorStaleError, AnchorUnreadableError

_FORMAT = 1
_FURTHEST = 16
"""Former heads further back than two to the power of this, in rows, are forgotten."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one partition's journal."""

    count: int
    """Records so far; the last one has this number."""
    stream_id: str
    """The last record's id in the store's stream."""
    sha256: str
    """The last record's chain hash, 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What was in the store when the anchor was last saved."""

    store_id: str
    generation: int = 0
    """Grows by one with every save."""
    heads: Mapping[int, Head] = field(default_factory=dict)
    """By partition."""
    earlier: Mapping[int, tuple[Head, ...]] = field(default_factory=dict)
    """By partition: former heads, the latest first, the further back the fewer. They say up to where a store that fell
    back is still the anchored one."""

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read it; None when there is no such file.

        Raises AnchorUnreadableError when the file is no anchor, OSError when it cannot be read.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            fields = json.loads(data)
            if fields["format"] != _FORMAT:
                raise ValueError(f"format {fields['format']!r}")
            heads = {
                int(partition): Head(int(head["count"]), str(head["stream_id"]), str(head["sha256"]))
                for partition, head in fields["heads"].items()
            }
            earlier = {
                int(partition): tuple(
                    Head(int(count), str(stream_id), str(sha256)) for count, stream_id, sha256 in rows
                )
                for partition, rows in fields.get("earlier", {}).items()
            }
            return cls(str(fields["store_id"]), int(fields["generation"]), heads, earlier)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AnchorUnreadableError(
                f"锚点文件 {path} 无法读取：{error!r}。请从备份恢复；确认存储完整时，可移走该文件后由操作员重新建立。",
                f"anchor file {path} cannot be read: {error!r}. Restore it from a backup; where the store is "
                "known to be whole, move the file away and let an operator make a new one.",
            ) from error

    def advance(self, heads: Mapping[int, Head]) -> Self:
        """The next generation, with these heads instead of those of the same partitions.

        Raises ValueError for a head that lies before the anchored one: a journal only grows.
        """
        for partition, head in heads.items():
            old = self.heads.get(partition)
            if old is not None and head.count < old.count:
                raise ValueError(f"journal {partition} is anchored at record {old.count}, not {head.count}")
        earlier = dict(self.earlier)
        for partition, head in heads.items():
            kept = [each for each in self.known(partition) if each.count < head.count]
            if kept:
                earlier[partition] = _thinned(head, kept)
        return replace(self, generation=self.generation + 1, heads={**self.heads, **heads}, earlier=earlier)

    def known(self, partition: int) -> tuple[Head, ...]:
        """Every head that is remembered of a partition, the latest first."""
        head = self.heads.get(partition)
        return () if head is None else (head, *self.earlier.get(partition, ()))

    def lower(self, heads: Mapping[int, Head | None]) -> Self:
        """The next generation, after these partitions fell back to these heads, or to nothing."""
        kept = {number: head for number, head in self.heads.items() if number not in heads}
        earlier = {
            number: tuple(each for each in rows if number not in heads or each.count < _count(heads[number]))
            for number, rows in self.earlier.items()
        }
        lowered = {number: head for number, head in heads.items() if head is not None}
        return replace(self, generation=self.generation + 1, heads={**kept, **lowered}, earlier=earlier)

    def save(self, path: Path) -> None:
        """Bring it to disk under `path`; a crash leaves the old file or the new one. Blocks for two fsyncs.

        Raises AnchorStaleError when the file there has this generation or a later one, AnchorUnreadableError, OSError.
        """
        present = Anchor.load(path)
        if present is not None and present.generation >= self.generation:
            raise AnchorStaleError(
                f"锚点文件 {path} 已是第 {present.generation} 代，不能写入第 {self.generation} 代："
                "是否有两个进程共用该文件？",
                f"anchor file {path} is at generation {present.generation}, {self.generation} must not replace it: "
                "do two processes share it?",
            )
        write_atomically(path, self.encode())

    def encode(self) -> bytes:
        """The bytes of the file: JSON, one line a partition, sorted."""
        heads = {
            str(partition): {"count": head.count, "stream_id": head.stream_id, "sha256": head.sha256}
            for partition, head in sorted(self.heads.items())
        }
        earlier = {
            str(partition): [[head.count, head.stream_id, head.sha256] for head in rows]
            for partition, rows in sorted(self.earlier.items())
            if rows
        }
        fields: dict[str, object] = {"format": _FORMAT, "store_id": self.store_id, "generation": self.generation}
        fields |= {"heads": heads, "earlier": earlier}
        return json.dumps(fields, indent=1).encode() + b"\n"


def _count(head: Head | None) -> int:
    return head.count if head is not None else 0


def _thinned(head: Head, before: Sequence[Head]) -> tuple[Head, ...]:
    """Of former heads, latest first, one for each doubling of the distance from ``head``: the oldest, so that each
    grows old."""
    kept: dict[int, Head] = {}
    for each in before:
        kept[(head.count - each.count).bit_length()] = each
    return tuple(each for distance, each in sorted(kept.items()) if distance <= _FURTHEST)


class Finding(Enum):
    """The named reasons of a verdict."""

    OK = "ok"
    FRESH = "fresh"
    """Neither a store id nor an anchor: a first start."""
    ANCHOR_MISSING = "anchor_missing"
    """The store has an id, and there is no anchor to compare it with."""
    STORE_EMPTY = "store_empty"
    """The store came back without its id."""
    STORE_OTHER = "store_other"
    """The store has another id."""
    JOURNAL_BEHIND = "journal_behind"
    """The right store, and its journal is shorter than anchored."""
    JOURNAL_DIFFERS = "journal_differs"
    """The right store, and an anchored record has another hash."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One partition that is not as anchored."""

    partition: int
    anchored: Head
    found: Head | None
    """The store's head, or the last anchored one that stands in a chain that has grown again; None when the partition
    has no journal at all."""

    @property
    def missing(self) -> int:
        """Anchored records that are not there."""
        return max(self.anchored.count - (self.found.count if self.found else 0), 0)


@dataclass(frozen=True, slots=True)
class StoreHeads:
    """What a store says of itself."""

    store_id: str | None
    heads: Mapping[int, Head] = field(default_factory=dict)
    sha_at: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """By partition and number: the hashes of records before the head that the anchor remembers."""

    def has(self, partition: int, head: Head) -> bool:
        """Whether an anchored head stands in the store's chain."""
        found = self.heads.get(partition)
        if head.count == 0:
            return True  # before the first record there is nothing to differ
        if found is not None and found.count == head.count:
            return found.sha256 == head.sha256
        return self.sha_at.get(partition, {}).get(head.count) == head.sha256


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the store is the one that the anchor remembers."""

    finding: Finding
    gaps: tuple[Gap, ...] = ()

    @property
    def opens(self) -> bool:
        """Whether intake may open without an operator.

        A journal that is behind opens, loudly: what is gone is gone, and the alarms to come must ring. An empty or
        strange store, or a journal with another past, does not: there a wrong start would bury the right one.
        """
        return self.finding in (Finding.OK, Finding.FRESH, Finding.JOURNAL_BEHIND)

    @property
    def zh(self) -> str:
        return _ZH[self.finding] + "".join(
            f"；分区 {gap.partition}：锚定第 {gap.anchored.count} 条，现有 {gap.found.count if gap.found else 0} 条"
            for gap in self.gaps
        )

    @property
    def en(self) -> str:
        return _EN[self.finding] + "".join(
            f"; partition {gap.partition}: anchored at {gap.anchored.count}, found "
            f"{gap.found.count if gap.found else 0}"
            for gap in self.gaps
        )


_ZH = {
    Finding.OK: "存储与锚点一致",
    Finding.FRESH: "新存储，首次启动",
    Finding.ANCHOR_MISSING: "存储中有数据，但锚点文件不存在：请恢复锚点文件，或由操作员确认后重新建立",
    Finding.STORE_EMPTY: "存储为空，而锚点记录其中应有数据：请恢复数据，或由操作员确认以空库继续",
    Finding.STORE_OTHER: "存储编号与锚点不符，连接的不是原来的存储：请检查 store 配置与数据目录",
    Finding.JOURNAL_BEHIND: "台账比锚点记录的短，部分已落盘记录丢失",
    Finding.JOURNAL_DIFFERS: "台账内容与锚点不符，记录可能被替换：请保留现场并由操作员确认",
}
_EN = {
    Finding.OK: "the store is as anchored",
    Finding.FRESH: "a new store, first start",
    Finding.ANCHOR_MISSING: (
        "the store holds data and its anchor file is gone: restore the file, or let an operator make a new one"
    ),
    Finding.STORE_EMPTY: (
        "the store is empty and the anchor says it must not be: restore it, or let an operator go on empty"
    ),
    Finding.STORE_OTHER: "the store has another id than the anchor: look at the `store` setting and the data folder",
    Finding.JOURNAL_BEHIND: "the journal is shorter than anchored, records that were on disk are gone",
    Finding.JOURNAL_DIFFERS: (
        "the journal has another past than the anchored one: touch nothing, let an operator decide"
    ),
}


def compare(anchor: Anchor | None, store: StoreHeads, *, falls_back: bool = False) -> Verdict:
    """Judge a store by the anchor; the gravest finding wins, and its partitions are listed in their order.

    ``falls_back``: the store may lose its end while others go on writing in it (a replica was promoted). A chain that
    leaves the anchored one behind a head that is remembered is then one that fell back and has grown again.
    """
    if anchor is None:
        return Verdict(Finding.FRESH if store.store_id is None else Finding.ANCHOR_MISSING)
    if store.store_id is None:
        return Verdict(
            Finding.STORE_EMPTY,
            tuple(Gap(key, head, store.heads.get(key)) for key, head in sorted(anchor.heads.items())),
        )
    if store.store_id != anchor.store_id:
        return Verdict(Finding.STORE_OTHER)
    behind: list[Gap] = []
    differing: list[Gap] = []
    for partition, anchored in sorted(anchor.heads.items()):
        found = store.heads.get(partition)
        if found is None or found.count < anchored.count:
            if anchored.count:
                behind.append(Gap(partition, anchored, found))
            continue
        if store.has(partition, anchored):
            continue
        fork = next((each for each in anchor.known(partition) if store.has(partition, each)), None)
        if fork is not None and falls_back:
            behind.append(Gap(partition, anchored, fork))
        else:
            differing.append(Gap(partition, anchored, found))
    if differing:
        return Verdict(Finding.JOURNAL_DIFFERS, tuple(differing))
    if behind:
        return Verdict(Finding.JOURNAL_BEHIND, tuple(behind))
    return Verdict(Finding.OK)
