"""A stream that cannot be read is told to the maintainers once, and once when it is read again."""

from __future__ import annotations

from bot.rendering import shorten
from bot.workers.strays import contact_id
from escalation.calendar import local
from escalation.inputs import Context, Entry
from escalation.ledger.change import Change, Taken
from escalation.ledger.keys import US
from escalation.notice import NoticeKind, OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import Urgency

PATIENCE = 120_000
"""How long a stream may be out of reach before people are told, in milliseconds."""


def stream_change(source: str, stream: str, since: int, why: str, partition: int, ctx: Context) -> Change:
    """The journal's row and the maintainers' notices: since when nothing could be read and ``why``, or ('') that it is
    read again. The same trouble told twice is one."""
    healed = not why
    hour = f"{local(since):%m月%d日 %H:%M}"
    if healed:
        text = f"数据源 {source} 的流 {stream} 已恢复读取（自 {hour} 起读不到）。期间的事件会按编号补读，不会重复。"
    else:
        cause = shorten.within(" ".join(why.split()), 120)
        text = f"数据源 {source} 的流 {stream} 自 {hour} 起读不到，此间它的报警不会到达，请检查：{cause}"
    reason = "stream_read_again" if healed else "stream_unreadable"
    stem = f"stream.{source}.{stream}.{since}" + (".again" if healed else "")
    rows: dict[str, OutboxRow] = {}
    for who in maintainers(ctx.directory, ctx.maintainers, ctx.now):
        for contact in who.contacts[:1]:
            row = OutboxRow(
                notice=contact_id(stem, contact, 0),
                partition=partition,
                incident="",
                channel=contact.channel,
                address=contact.address,
                urgency=Urgency.NORMAL,
                kind=NoticeKind.QUARANTINE,
                created_at=ctx.now,
                text=text,
                subject=f"数据源 {source} 的流{'已恢复' if healed else '读不到'}",
            )
            rows.setdefault(row.notice, row)
    detail: dict[str, str | int | float | bool | None] = {"source": source, "stream": stream, "why": why[:200]}
    return Change(
        partition=partition,
        now=ctx.now,
        takes=[Taken(f"{reason}{US}{source}{US}{stream}{US}{since}", "", b"")],
        entries=[Entry(at=ctx.now, reason=reason, detail=detail)],
        outbox=list(rows.values()),
        claimed_until=0,
    )
