"""What could not be read or decided is kept and told: maintainers mend it, the fallback duty room hears it might be
real."""

from __future__ import annotations

from hashlib import blake2s

import msgspec
import orjson

from bot.intake.reading import Unreadable
from bot.workers.strays import contact_id, fallback_room
from channels.masking import mask_phones
from escalation.event import EventType
from escalation.inputs import Context, Entry
from escalation.ledger.change import Change, Taken
from escalation.notice import Addressee, NoticeKind, OutboxRow
from escalation.plan import urgency_of
from escalation.reach import maintainers
from escalation.vocabulary import Urgency, Verdict


def quarantine_change(item: Unreadable, partition: int, ctx: Context, claimed_until: int) -> Change:
    """The row, its journal entry and the notices of one item, as one commit."""
    digest = blake2s(item.input_id.encode(), digest_size=8).hexdigest()
    result = orjson.dumps({"verdict": Verdict.QUARANTINED, "reason": item.reason})
    first = item.problems[0] if item.problems else None
    where = f"{first.pointer} {first.detail}" if first else ""
    detail: dict[str, str | int | float | bool | None] = {"source": item.source, "event": item.id}
    detail |= {"quarantine": digest, "why": where[:200]}
    if item.entry:
        detail["entry"] = item.entry
    if item.callback:
        detail["callback"] = item.callback
    entry = Entry(at=ctx.now, reason=item.reason, detail=detail)
    return Change(
        partition=partition,
        now=ctx.now,
        takes=[Taken(item.input_id, item.body_hash, result)],
        entries=[entry],
        outbox=_rows(item, digest, where, partition, ctx),
        quarantine=[(digest, msgspec.json.encode(item))],
        claimed_until=claimed_until,
    )


def told_row(stem: str, who: Addressee, text: str, partition: int, ctx: Context, urgency: Urgency) -> list[OutboxRow]:
    """The rows that say ``text`` to somebody under ids made of ``stem``: by the first contact, by all when critical."""
    contacts = who.contacts if urgency is Urgency.CRITICAL else who.contacts[:1]
    return [
        OutboxRow(
            notice=contact_id(stem, contact, attempt),
            partition=partition,
            incident="",
            channel=contact.channel,
            address=contact.address,
            urgency=urgency,
            kind=NoticeKind.QUARANTINE,
            created_at=ctx.now,
            text=text,
            attempt=attempt,
        )
        for attempt, contact in enumerate(contacts)
    ]


def _rows(item: Unreadable, digest: str, where: str, partition: int, ctx: Context) -> list[OutboxRow]:
    told = _call_words(item, digest, where, ctx) if item.callback else _event_words(item, digest, where, ctx)
    rows: dict[str, OutboxRow] = {}
    for who, text, urgency in told:
        for row in told_row(f"q.{digest}", who, f"{item.mode.mark}{text}", partition, ctx, urgency):
            rows.setdefault(row.notice, row)
    return list(rows.values())


_KINDS: dict[str, str] = {each.value: each.word for each in EventType}
_Told = list[tuple[Addressee, str, Urgency]]
"""Who is told, what, and how urgently."""


_NOBODY_WROTE = {"report": "送达回执", "event": "平台事件"}


def _call_words(item: Unreadable, digest: str, where: str, ctx: Context) -> _Told:
    """What a person wrote may be a call for help, so the room hears it too; a delivery report, or an event of the
    vendor's, is the maintainers'."""
    wrote = item.callback not in _NOBODY_WROTE
    what = _NOBODY_WROTE.get(item.callback, "回复")
    told: _Told = []
    if wrote:
        urgency = Urgency.CRITICAL if item.urgent else Urgency.NORMAL
        text = f"渠道 {item.source} 收到一条无法读取的回复，可能有人求助，请核实：{item.gist}"
        told += [(each, text, urgency) for each in fallback_room(ctx.directory, ctx.now)]
    if not item.quiet:
        text = f"渠道 {item.source} 的一条{what}无法读取，已隔离 {digest[:6]}：{mask_phones(where.strip())}"
        told += [(each, text, Urgency.NORMAL) for each in maintainers(ctx.directory, ctx.maintainers, ctx.now)]
    return told


def _event_words(item: Unreadable, digest: str, where: str, ctx: Context) -> _Told:
    event = item.event
    failed = "读取" if event is None else "处理"
    urgent = event is not None and event.type.raises and urgency_of(event.level, event.severity) is Urgency.CRITICAL
    number = digest[:6]
    about = f"{_plainly(item.gist, ctx)}（隔离号 {number}）"
    # What `fenghuo quarantine show` asks for; the entry is what the writer of a stream can look for.
    kept = f"已隔离 {number}" + (f"（流条目 {item.entry}）" if item.entry else "")
    # The room first: whoever is both must hear that it may be real.
    return [
        *(
            (
                each,
                f"数据源 {item.source} 有一条事件无法{failed}，可能是真实报警，请核实：{about}",
                Urgency.CRITICAL if urgent else Urgency.NORMAL,
            )
            for each in fallback_room(ctx.directory, ctx.now)
        ),
        *(
            (each, f"数据源 {item.source} 的一条事件无法{failed}，{kept}：{where}", Urgency.NORMAL)
            for each in maintainers(ctx.directory, ctx.maintainers, ctx.now)
        ),
    ]


def _plainly(gist: str, ctx: Context) -> str:
    """A gist for the duty room: kinds of events in words, enterprises by name where the directory knows the code."""
    known = ctx.directory.enterprises
    words = (known[each].name if each in known else _KINDS.get(each, each) for each in gist.split())
    return " ".join(words) or "看不出是哪里的，请联系系统维护员看原文"
