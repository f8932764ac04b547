"""A way in that is closed, a mailbox or a long line, is told to the maintainers once, as a broken channel is, and once
when it is open again."""

from __future__ import annotations

from typing import NamedTuple

from bot.rendering import shorten
from bot.workers.broken import word_rows
from bot.workers.strays import BROKEN
from escalation.calendar import local
from escalation.directory import Directory
from escalation.inputs import Entry
from escalation.ledger.change import Change, Taken
from escalation.ledger.keys import US

PATIENCE = 120_000
"""How long a way in may be closed before people are told, in milliseconds."""


class WayIn(NamedTuple):
    """How one kind of way in is spoken of: ``key`` in ids, the journal's two reasons, the words for people: its name,
    what is wrong with it, what that means, and what becomes of what came meanwhile."""

    key: str
    closed: str
    opened: str
    word: str
    wrong: str
    means: str
    meanwhile: str


MAILBOX = WayIn(
    key="inbox",
    closed="mailbox_unreadable",
    opened="mailbox_read_again",
    word="收信邮箱",
    wrong="无法读取",
    means="邮件答复和退信都不会被处理",
    meanwhile="期间的答复会补读，不会重复。",
)
LINE = WayIn(
    key="line",
    closed="line_broken",
    opened="line_well_again",
    word="长连接",
    wrong="无法建立",
    means="成员在此渠道的回复和按钮都收不到",
    meanwhile="期间的回复由平台重新推送；没有得到答复的，请再发一次。",
)


def way_in_change(way: WayIn, channel: str, since: int, why: str, directory: Directory, unit: str, now: int) -> Change:
    """The journal's row and the maintainers' notices: since when the way is closed and ``why``, or ('') that it is
    open again. The same trouble told twice is one. ``unit`` maintains the hub."""
    healed, hour = not why, f"{local(since):%m-%d %H:%M}"
    if healed:
        subject = f"渠道 {channel} 的{way.word}已恢复"
        text = f"{subject}（{hour} 起中断）。{way.meanwhile}"
    else:
        subject = f"渠道 {channel} 的{way.word}{way.wrong}"
        cause = shorten.within(" ".join(why.split()), 120)
        text = f"{subject}：自 {hour} 起，{way.means}，发送不受影响，请检查：{cause}"
    reason = way.opened if healed else way.closed
    stem = f"{BROKEN}{channel}.{way.key}.{since}" + (".again" if healed else "")
    rows = word_rows(stem, (text, subject), "" if healed else channel, directory, unit, now)
    return Change(
        partition=0,
        now=now,
        takes=[Taken(f"{reason}{US}{channel}{US}{since}", "", b"")],
        entries=[Entry(at=now, reason=reason, detail={"channel": channel, "since": since, "why": why[:200]})],
        outbox=list(rows),
        claimed_until=0,
    )
