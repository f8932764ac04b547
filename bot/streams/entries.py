"""One entry of a stream as items. What is no event is poison: kept with the entry's id, and told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import orjson

from bot.intake.body import Document, digest, parse, too_large, too_many
from bot.intake.gate import SourceRules
from bot.intake.items import read_items
from bot.intake.problems import FieldError, Refused
from bot.intake.reading import Item, Unreadable, kept


class StreamEntry(NamedTuple):
    """An entry as it was read. ``fields`` is None where the entry was deleted before a hub was through with it."""

    stream: str
    id: str
    fields: Mapping[bytes, bytes] | None

    @property
    def name(self) -> str:
        return f"{self.stream} {self.id}"


@dataclass(frozen=True, slots=True)
class EntryLimits:
    """What one entry may hold: bytes of its field, and events in it."""

    body: int
    items: int


@dataclass(frozen=True, slots=True)
class EntryItems:
    """What an entry holds; without a ``document`` its one item is the entry itself as poison."""

    entry: StreamEntry
    items: list[Item]
    document: Document | None = None


def read_entry(entry: StreamEntry, field: str, source: SourceRules, limits: EntryLimits, now: int) -> EntryItems:
    """The events of one entry, whose JSON stands in ``field``; poison says what is wrong with it. ``now`` in
    milliseconds. Raises nothing."""
    if entry.fields is None:
        detail = "条目在办完之前已被上游删除（裁剪），内容无从得知。"
        gone = FieldError("", detail, "The entry was deleted upstream before it was worked off; it may have been lost.")
        return EntryItems(entry, [poison(entry, gone, b"", source.name, now)])
    body = entry.fields.get(field.encode())
    if body is None:
        names = "、".join(name.decode("utf-8", "replace")[:64] for name in entry.fields)
        missing = FieldError(
            f"/{field}", f"条目没有字段 {field}，只有：{names}。", f"The entry has no field {field}, only: {names}."
        )
        return EntryItems(entry, [poison(entry, missing, _all_fields(entry.fields), source.name, now, fields=True)])
    try:
        if len(body) > limits.body:
            raise too_large(limits.body)
        document = parse(body, limits.items)
        items = read_items(document, source.name, source.reading, now)
        if len(items) > limits.items:
            raise too_many(limits.items, len(items))
    except Refused as refusal:
        wrong = FieldError(f"/{field}", refusal.problem.detail, refusal.problem.detail_en)
        return EntryItems(entry, [poison(entry, wrong, body, source.name, now)])
    return EntryItems(entry, [_of_entry(item, entry) for item in items], document)


def poison(
    entry: StreamEntry, problem: FieldError, raw: bytes, source: str, now: int, *, fields: bool = False
) -> Unreadable:
    """An entry that is no event. The same content in another entry is another row: each has its own id to look for."""
    return Unreadable(
        source=source,
        index=0,
        id="",
        problems=(problem,),
        received_at=now,
        body_hash=digest(f"{entry.name}\x1f".encode() + raw),
        **kept(raw),
        gist=f"流 {entry.stream} 条目 {entry.id}",
        entry=entry.name,
        fields=fields,
    )


def _of_entry(item: Item, entry: StreamEntry) -> Item:
    return msgspec.structs.replace(item, entry=entry.name) if isinstance(item, Unreadable) else item


def _all_fields(fields: Mapping[bytes, bytes]) -> bytes:
    return orjson.dumps(
        {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()}
    )
