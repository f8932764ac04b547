"""Every item of a document as an event or as unreadable, be it CloudEvents or a vendor's JSON through a mapping."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.intake.body import Document, canonical, digest
from bot.intake.gate import Conflict, Result
from bot.intake.mapping import Mapped, map_document
from bot.intake.problems import FieldError
from bot.intake.reading import Item, ReadingRules, Unreadable, kept, read, read_item
from escalation.event import Event, Flag


def read_items(document: Document, source: str, rules: ReadingRules, now: int) -> list[Item]:
    """Every item in its order, by the source's mapping where it has one. ``source`` is the name in the configuration;
    ``now`` the hub's time in milliseconds. Raises nothing."""
    if rules.mapping is None:
        return read(document, source, rules, now)
    mapped = map_document(document, rules.mapping)
    return [_read_mapped(each, index, source, rules, now) for index, each in enumerate(mapped)]


def _read_mapped(mapped: Mapped, index: int, source: str, rules: ReadingRules, now: int) -> Item:
    """A mapped item read like any other. What it holds beyond the mapping makes it no other event: its hash is over
    what the mapping took from it (docs/decisions/0016-a-mapped-event-is-what-its-mapping-took.md)."""
    item = read_item(mapped.envelope, index, source, rules, now)
    if isinstance(item, Event) and not mapped.errors:
        flags = (*item.flags, Flag.UNKNOWN_TYPE) if mapped.guessed else item.flags
        return msgspec.structs.replace(item, body_hash=mapped.sameness, flags=flags)
    text = canonical(mapped.document)
    return Unreadable(
        source=source,
        index=index,
        id=item.id,
        problems=_problems(mapped, item),
        received_at=item.received_at,
        body_hash=digest(text),
        **kept(text),
        mode=item.mode,
        gist=item.gist if isinstance(item, Unreadable) else _gist(item),
        place=mapped.place,
    )


def _problems(mapped: Mapped, item: Item) -> tuple[FieldError, ...]:
    """What the mapping found wrong, and what reading found at other fields."""
    if not mapped.places:
        # Nothing of the item could be looked at: all else that is missing follows from that.
        return mapped.errors
    found = {error.pointer: error for error in mapped.errors}
    for error in item.problems if isinstance(item, Unreadable) else ():
        if error.pointer == "/id" and found:
            # Of an identity that could not be built, the mapping has said which field is to blame.
            continue
        own = mapped.vendors(error)
        found.setdefault(own.pointer, own)
    return tuple(found.values())


def _gist(event: Event) -> str:
    """What a line for people says of an event that was read and not taken."""
    names = (event.type.value, event.enterprise_name or event.enterprise, event.point_name or event.point)
    return " · ".join(name for name in names if name)


def conflicts(
    document: Document, items: Sequence[Item], results: Sequence[Result], rules: ReadingRules, now: int
) -> list[Unreadable]:
    """The events that were refused because another had their id, as rows for the quarantine: for senders that cannot
    hear the refusal, a stream's writer or a vendor's gateway. ``items`` are those that ``document`` was read into."""
    refused = [number for number, result in enumerate(results) if isinstance(result, Conflict)]
    if not refused:
        return []
    mapped = map_document(document, rules.mapping) if rules.mapping is not None else None
    found: list[Unreadable] = []
    for number in refused:
        item = items[number]
        if not isinstance(item, Event):
            continue
        place = mapped[number].place if mapped is not None else ""
        text = canonical(mapped[number].document if mapped is not None else document.items[number])
        problem = FieldError(
            f"{place}/id" if mapped is None else mapped[number].places.get("/id", place),
            f"编号“{item.id}”以前收到过，内容不同。",
            f"The id “{item.id}” was taken before by another event.",
        )
        found.append(
            Unreadable(
                source=item.source,
                index=number,
                id=item.id,
                problems=(problem,),
                received_at=now,
                # Not the hash of the text alone: what could not be read before may come again, and be refused now.
                body_hash=digest(b"other body " + text),
                **kept(text),
                mode=item.mode,
                gist=_gist(item),
                place=place,
            )
        )
    return found
