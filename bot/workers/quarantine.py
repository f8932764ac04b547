"""What could not be read is kept and told: maintainers mend it, the fallback duty room hears it might be real."""

from __future__ import annotations

from hashlib import blake2s

import msgspec
import orjson

from bot.intake.reading import Unreadable
from bot.workers.strays import contact_id, fallback_room
from escalation.inputs import Context, Entry
from escalation.ledger.change import Change, Taken
from escalation.notice import Addressee, NoticeKind, OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import Urgency, Verdict


def quarantine_change(item: Unreadable, partition: int, ctx: Context, claimed_until: int) -> Change:
    """The row, its journal entry and the notices of one unreadable item, as one commit."""
    digest = blake2s(item.input_id.encode(), digest_size=8).hexdigest()
    result = orjson.dumps({"verdict": Verdict.QUARANTINED, "reason": "unreadable"})
    first = item.problems[0] if item.problems else None
    where = f"{first.pointer} {first.detail}" if first else ""
    entry = Entry(
        at=ctx.now,
        reason="unreadable",
        detail={"source": item.source, "event": item.id, "quarantine": digest, "why": where[:200]},
    )
    return Change(
        partition=partition,
        now=ctx.now,
        takes=[Taken(item.input_id, item.body_hash, result)],
        entries=[entry],
        outbox=_rows(item, digest, where, partition, ctx),
        quarantine=[(digest, msgspec.json.encode(item))],
        claimed_until=claimed_until,
    )


def _rows(item: Unreadable, digest: str, where: str, partition: int, ctx: Context) -> list[OutboxRow]:
    rows: dict[str, OutboxRow] = {}
    # The room first: whoever is both must hear that it may be real.
    told: list[tuple[Addressee, str]] = [
        *(
            (each, f"数据源 {item.source} 有一条事件无法读取，可能是真实报警，请核实：{item.gist}")
            for each in fallback_room(ctx.directory, ctx.now)
        ),
        *(
            (each, f"数据源 {item.source} 的一条事件无法读取，已隔离：{where}")
            for each in maintainers(ctx.directory, ctx.maintainers, ctx.now)
        ),
    ]
    for addressee, text in told:
        for contact in addressee.contacts[:1]:
            row = OutboxRow(
                notice=contact_id(f"q.{digest}", contact, 0),
                partition=partition,
                incident="",
                channel=contact.channel,
                address=contact.address,
                urgency=Urgency.NORMAL,
                kind=NoticeKind.QUARANTINE,
                created_at=ctx.now,
                text=f"{item.mode.mark}{text}",
            )
            rows.setdefault(row.notice, row)
    return list(rows.values())
