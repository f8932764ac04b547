"""What could not be read or decided is kept and told: maintainers mend it, the fallback duty room hears it might be
real."""

from __future__ import annotations

from hashlib import blake2s

import msgspec
import orjson

from bot.intake.reading import Unreadable
from bot.workers.strays import contact_id, fallback_room
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
    event = item.event
    failed = "读取" if event is None else "处理"
    urgent = event is not None and event.type.raises and urgency_of(event.level, event.severity) is Urgency.CRITICAL
    rows: dict[str, OutboxRow] = {}
    # What `fenghuo quarantine show` asks for; the entry is what the writer of a stream can look for.
    kept = f"已隔离 {digest[:6]}" + (f"（流条目 {item.entry}）" if item.entry else "")
    # The room first: whoever is both must hear that it may be real.
    told: list[tuple[Addressee, str, Urgency]] = [
        *(
            (
                each,
                f"数据源 {item.source} 有一条事件无法{failed}，可能是真实报警，请核实：{item.gist}",
                Urgency.CRITICAL if urgent else Urgency.NORMAL,
            )
            for each in fallback_room(ctx.directory, ctx.now)
        ),
        *(
            (each, f"数据源 {item.source} 的一条事件无法{failed}，{kept}：{where}", Urgency.NORMAL)
            for each in maintainers(ctx.directory, ctx.maintainers, ctx.now)
        ),
    ]
    for who, text, urgency in told:
        for row in told_row(f"q.{digest}", who, f"{item.mode.mark}{text}", partition, ctx, urgency):
            rows.setdefault(row.notice, row)
    return list(rows.values())
