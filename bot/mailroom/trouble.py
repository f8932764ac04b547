"""A mailbox that cannot be read is told to the maintainers once, as a broken channel is, and once when it can again."""

from __future__ import annotations

from bot.rendering import shorten
from bot.workers.broken import word_rows
from bot.workers.strays import BROKEN
from escalation.calendar import local
from escalation.directory import Directory
from escalation.inputs import Entry
from escalation.ledger.change import Change, Taken
from escalation.ledger.keys import US

PATIENCE = 120_000
"""How long a mailbox may be out of reach before people are told, in milliseconds."""


def mailbox_change(channel: str, since: int, why: str, directory: Directory, unit: str, now: int) -> Change:
    """The journal's row and the maintainers' notices: since when nothing could be read and ``why``, or ('') that it is
    read again. The same trouble told twice is one. ``unit`` maintains the hub."""
    healed, hour = not why, f"{local(since):%m-%d %H:%M}"
    if healed:
        subject = f"渠道 {channel} 的收信邮箱已恢复"
        text = f"{subject}（自 {hour} 起读不到）。期间的答复会补读，不会重复。"
    else:
        subject = f"渠道 {channel} 的收信邮箱无法读取"
        cause = shorten.within(" ".join(why.split()), 120)
        text = f"{subject}：自 {hour} 起，邮件答复和退信都不会被处理，发信不受影响，请检查：{cause}"
    reason = "mailbox_read_again" if healed else "mailbox_unreadable"
    stem = f"{BROKEN}{channel}.inbox.{since}" + (".again" if healed else "")
    rows = word_rows(stem, (text, subject), "" if healed else channel, directory, unit, now)
    return Change(
        partition=0,
        now=now,
        takes=[Taken(f"{reason}{US}{channel}{US}{since}", "", b"")],
        entries=[Entry(at=now, reason=reason, detail={"channel": channel, "since": since, "why": why[:200]})],
        outbox=list(rows),
        claimed_until=0,
    )
