"""The quarantine as people work it off: look, decide again by the rules of today, or drop with a reason."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import orjson

from bot.gate import source_rules
from bot.intake.body import parse
from bot.intake.gate import Conflict, ItemVerdict, Result
from bot.intake.items import read_items
from bot.intake.mapping import TWICE
from bot.intake.problems import Refused
from bot.intake.reading import Item, ReadingRules, Unreadable
from bot.rules import Rules
from escalation.calendar import local
from escalation.event import Event, Flag
from escalation.inputs import Entry
from escalation.ledger.door import Store
from escalation.ledger.quarantine import Quarantine, QuarantinedRow
from escalation.profile import minutes

_UNDECIDED = ("undecidable", "recorded_quarantined")
"""What an event is answered with that went into quarantine again."""
Take = Callable[[Sequence[Event]], Awaitable[Sequence[Result]]]


class Wrong(msgspec.Struct, kw_only=True):
    """One wrong field: its JSON pointer, and what would be right."""

    pointer: str
    detail: str
    detail_en: str


class Quarantined(msgspec.Struct, kw_only=True):
    """One row. ``entry`` names the stream's entry it came from; ``event`` is the event's own id where it has one;
    ``cut``: what was sent was too long to be kept whole, so it cannot be decided again. ``callback`` is ``uplink``,
    ``report`` or ``event`` for what came by a vendor's call-back: ``source`` is its channel then, and it cannot be
    decided again."""

    id: str
    source: str
    entry: str
    event: str
    received: str
    mode: str
    gist: str
    cut: bool
    callback: str
    problems: list[Wrong]


class QuarantineList(msgspec.Struct, kw_only=True):
    """Every row, the oldest first."""

    rows: list[Quarantined]


class QuarantineShown(msgspec.Struct, kw_only=True):
    """One row with what was sent."""

    row: Quarantined
    raw: str


class Decided(msgspec.Struct, kw_only=True):
    """What became of one event of a row."""

    id: str
    verdict: str
    code: str
    reason: str
    flags: list[str]


class QuarantineWorked(msgspec.Struct, kw_only=True):
    """What ``retry`` or ``drop`` did. ``done``: the row has left the quarantine; else ``why_not`` and ``problems`` say
    what stands in the way, and the row stays."""

    id: str
    done: bool
    why_not: str
    events: list[Decided]
    problems: list[Wrong]


class Desk:
    """Works on one store's quarantine. ``take`` decides and commits events."""

    def __init__(self, store: Store, partitions: int, rules: Rules, take: Take, now: Callable[[], int]) -> None:
        self._quarantine = Quarantine(store, partitions)
        self._rules = rules
        self._take = take
        self._now = now

    async def everything(self) -> QuarantineList:
        rows = [(row, msgspec.json.decode(row.body, type=Unreadable)) for row in await self._quarantine.rows()]
        rows.sort(key=lambda pair: (pair[1].received_at, pair[0].id))
        return QuarantineList(rows=[_shown(row.id, item) for row, item in rows])

    async def show(self, row_id: str) -> QuarantineShown | None:
        """The row whose id begins so; None where there is none, ValueError where there are several."""
        found = await self._find(row_id)
        return None if found is None else QuarantineShown(row=_shown(found[0].id, found[1]), raw=found[1].raw)

    async def retry(self, row_id: str, by: str, why: str) -> QuarantineWorked | None:
        """Read it again with the configuration in force and decide what comes out.

        Its events have ids, so that however often this is run or broken off, each is decided once. Raises ValueError,
        and what committing raises.
        """
        found = await self._find(row_id)
        if found is None:
            return None
        row, item = found
        why_not, items = self._again(item)
        problems = [wrong for one in items if isinstance(one, Unreadable) for wrong in _wrongs(one)]
        if why_not or problems:
            return QuarantineWorked(
                id=row.id, done=False, why_not=why_not or "仍然读不懂。", events=[], problems=problems
            )
        results = await self._take([self._late(one) for one in items if isinstance(one, Event)])
        events = [_decided(result) for result in results]
        if any(isinstance(result, Conflict) for result in results):
            why_not = "这个编号的另一事件已经受理过。请核对后丢弃，或修改映射的 id。"
            return QuarantineWorked(id=row.id, done=False, why_not=why_not, events=events, problems=[])
        if any(event.reason in _UNDECIDED and not event.code for event in events):
            why_not = "仍然办不了，原因见烽火的运行日志。"
            return QuarantineWorked(id=row.id, done=False, why_not=why_not, events=events, problems=[])
        detail = {
            "verdicts": ",".join(event.verdict for event in events),
            "codes": ",".join(sorted({event.code for event in events if event.code})),
        }
        return await self._release(row, item, "quarantine_retried", by, why, detail, events)

    async def drop(self, row_id: str, by: str, why: str) -> QuarantineWorked | None:
        """Remove it without deciding anything. Raises ValueError where no reason is given."""
        if not why.strip():
            raise ValueError("丢弃必须写明理由：--why / to drop needs a reason: --why")
        found = await self._find(row_id)
        if found is None:
            return None
        row, item = found
        return await self._release(row, item, "quarantine_dropped", by, why, {"raw": item.raw[:2000]}, [])

    async def _release(
        self,
        row: QuarantinedRow,
        item: Unreadable,
        reason: str,
        by: str,
        why: str,
        more: dict[str, str],
        events: list[Decided],
    ) -> QuarantineWorked:
        now = self._now()
        entry = Entry(
            at=now,
            reason=reason,
            actor=by[:120],
            detail={"quarantine": row.id, "source": item.source, "event": item.id, "why": why[:500], **more},
        )
        done = await self._quarantine.release(row, entry, release=secrets.token_hex(8), now=now)
        why_not = "" if done else "此前已由他人处理。"
        return QuarantineWorked(id=row.id, done=done, why_not=why_not, events=events, problems=[])

    async def _find(self, start: str) -> tuple[QuarantinedRow, Unreadable] | None:
        rows = [row for row in await self._quarantine.rows() if start and row.id.startswith(start.lower())]
        if len(rows) > 1:
            raise ValueError(f"有 {len(rows)} 条以 {start} 开头，请写全 / {len(rows)} rows begin with {start}")
        return (rows[0], msgspec.json.decode(rows[0].body, type=Unreadable)) if rows else None

    def _again(self, item: Unreadable) -> tuple[str, list[Item]]:
        """Why it cannot be read at all, or its items by the rules of today."""
        if item.callback:
            what = {"report": "回执", "event": "平台事件"}.get(item.callback, "回复")
            return f"这是渠道 {item.source} 的{what}，不能重审：请看原文，需要办的人工办理，再丢弃。", []
        settings = self._rules.settings
        table = settings.sources.get(item.source)
        if table is None:
            return f"来源 {item.source} 已不在配置中。", []
        if item.event is not None:
            return "", [item.event]
        if item.cut:
            return "原文过长，只保存了开头，不能重审；请让来源重发，或丢弃。", []
        if any(problem.detail == TWICE[0] for problem in item.problems):
            return "原文中同一字段出现不止一次，不知以哪个为准；请让来源重发，或丢弃。", []
        rules: ReadingRules = source_rules(item.source, table, settings).reading
        raw = item.raw
        if item.fields:
            field = table.stream.field if table.stream is not None else ""
            raw = orjson.loads(raw).get(field, "")
            if not raw:
                return f"条目中没有字段 {field}（sources.{item.source}.stream.field）。", []
        try:
            document = parse(raw.encode(), settings.hub.intake.max_batch)
        except Refused as refusal:
            return refusal.problem.detail, []
        items = read_items(document, item.source, rules, item.received_at)
        return ("" if items else "其中没有事件。"), items

    def _late(self, event: Event) -> Event:
        """What waited here was heard late, whatever its clock said then."""
        old = self._now() - event.at > minutes(self._rules.settings.hub.late_after) * 60_000
        flags = (*event.flags, Flag.LATE) if old and Flag.LATE not in event.flags else event.flags
        return msgspec.structs.replace(event, flags=flags)


class Wish(msgspec.Struct, kw_only=True):
    """Who works on a row, and why."""

    by: str = ""
    why: str = ""


async def errand_at(
    desk: Desk, errand: str, row_id: str, content: bytes
) -> QuarantineList | QuarantineShown | QuarantineWorked | None:
    """One errand at the desk: ``list``, ``show``, ``retry`` or ``drop``; ``content`` is a :class:`Wish` as JSON for the
    last two. Raises ValueError."""
    if errand == "list":
        return await desk.everything()
    if errand == "show":
        return await desk.show(row_id)
    wish = msgspec.json.decode(content, type=Wish)
    return await (desk.retry if errand == "retry" else desk.drop)(row_id, wish.by, wish.why)


def _wrongs(item: Unreadable) -> list[Wrong]:
    return [Wrong(pointer=each.pointer, detail=each.detail, detail_en=each.detail_en) for each in item.problems]


def _shown(row_id: str, item: Unreadable) -> Quarantined:
    return Quarantined(
        id=row_id,
        source=item.source,
        entry=item.entry,
        event=item.id,
        received=local(item.received_at).isoformat(timespec="seconds"),
        mode=item.mode.value,
        gist=item.gist,
        cut=item.cut,
        callback=item.callback,
        problems=_wrongs(item),
    )


def _decided(result: Result) -> Decided:
    if isinstance(result, ItemVerdict):
        flags = [flag.value for flag in result.flags]
        verdict = result.verdict.value
        return Decided(id=result.id, verdict=verdict, code=result.code, reason=result.reason, flags=flags)
    return Decided(id=result.id, verdict="conflict", code="", reason=result.reason, flags=[])
