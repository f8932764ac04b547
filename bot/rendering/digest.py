"""Many notices in one message: the digest, and the overflow message when every window is exhausted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.rendering import feedback, neutral, people, shorten, story, words
from bot.rendering.engine import Engine
from bot.rendering.facts import GROUP_HEARS, clean_for
from bot.rendering.plain import plain
from bot.rendering.rendered import Rendered, cut, fits
from channels.channel import Abilities, Form
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Kind, Mode, Purpose, Urgency

Item = tuple[Incident, Notice]

_TEMPLATES = {
    Form.SMS: "sms/_digest.txt",
    Form.MARKDOWN: "wecom/_digest.md",
    Form.TEXT: "text/_digest.txt",
    Form.MAIL: "mail/_digest.txt",
}

_KIND_WORDS = {
    NoticeKind.ROSE: "级别升高",
    NoticeKind.REOPENED: "再次报警",
    NoticeKind.LOWERED: "级别降低",
    NoticeKind.RETURNED: "数值恢复，未确认安全",
    NoticeKind.REMIND: "催办",
    NoticeKind.ANNOUNCE: "将上转",
    NoticeKind.ESCALATED: "逾期升级",
    NoticeKind.SIGNED: "已签收",
    NoticeKind.REQUESTED: "有消警请求",
    NoticeKind.TRANSFERRED: "转派给您",
    NoticeKind.URGED: "上级催办",
    NoticeKind.PROGRESS: "有进展",
    NoticeKind.CLOSED: "已关闭",
    NoticeKind.PHONE_TASK: "人工电话",
    NoticeKind.PROPOSAL: "建议措施",
    NoticeKind.QUARANTINE: "待核对",
}


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest and what became of the items: ``taken`` stand in it with their codes, in its order; ``left`` go into the
    next one, because they had no room or are of another mode. At least one item is always taken."""

    rendered: Rendered
    taken: tuple[Item, ...]
    left: tuple[Item, ...]


def digest(
    engine: Engine,
    directory: Directory,
    items: Sequence[Item],
    abilities: Abilities,
    now: int,
    source: str,
    group_answer: str,
) -> Digest:
    """One message for the ``items`` of one mode, the most urgent first.

    Full lines where all fit, else short ones. ``items`` holds at least one.
    """
    modes = [mode for mode in Mode if any(incident.mode is mode for incident, _ in items)]
    ordered = sorted((item for item in items if item[0].mode is modes[0]), key=_urgency)
    others = tuple(item for item in items if item[0].mode is not modes[0])
    for detail in (2, 1, 0):
        rows = [_row(directory, item, abilities, now, detail) for item in ordered]

        def frame(some: int, rows: list[str] = rows) -> str:
            return _frame(engine, rows[:some], ordered[:some], abilities, now, source, group_answer)

        count, text = len(rows), frame(len(rows))
        if not fits(text, abilities) and detail == 0:
            count = _most(count - 1, lambda some: fits(frame(some), abilities))
            text = frame(count) if count else text
        if count and fits(text, abilities):
            taken = tuple(ordered[:count])
            as_is = abilities.form is not Form.MAIL
            made = Rendered(text=text) if as_is else plain(text, abilities, modes[0], source)
            return Digest(made, taken, (*ordered[count:], *others))
    first = ordered[0]
    text = f"{first[0].mode.mark}{_row(directory, first, abilities, now, 0)}"
    bare = Rendered(text=cut(text, abilities), complete=fits(text, abilities))
    return Digest(bare, (first,), (*ordered[1:], *others))


def _urgency(item: Item) -> tuple[bool, int, int, bool, int, str]:
    incident, notice = item
    critical = Urgency.CRITICAL in (notice.urgency, incident.urgency)
    level = incident.level.rank if incident.level else 0
    severity = incident.severity.rank if incident.severity else 0
    return (not critical, -level, -severity, notice.purpose is not Purpose.ACT, notice.created_at, notice.id)


def _row(directory: Directory, item: Item, abilities: Abilities, now: int, detail: int) -> str:
    """One item: 2 says all, 1 the code, level, duty word, what happened and where, 0 the code, level and duty word."""
    incident, notice = item
    clean = clean_for(abilities)
    warning = incident.kind is Kind.WARNING
    word = words.what(incident.level, incident.severity, warning=warning)
    head = f"{incident.code} {word} {notice.purpose.word}"
    if detail == 0:
        return head
    news = _KIND_WORDS.get(notice.kind, "")
    _, short = people.enterprise(directory, incident)
    head = f"{head} {news} " if news else f"{head} "
    if detail == 1:
        return head + clean(shorten.within(short, 6))
    point = people.place(incident)
    value = words.reading(incident.value, incident.limit, incident.unit[:12])
    parts = [clean(short[:30]), clean(shorten.middle(point, 24)), clean(value)]
    clock = story.clock_of(story.duty_of(incident, notice), notice.clock)
    if notice.purpose is Purpose.ACT and clock:
        due = words.moment(clock.due_at, now)
        parts.append(f"{clock.kind.word}{due}已到期" if clock.due_at <= now else f"{due}前{clock.kind.word}")
    return head + " ".join(part for part in parts if part)


def _frame(
    engine: Engine,
    rows: list[str],
    taken: Sequence[Item],
    abilities: Abilities,
    now: int,
    source: str,
    group_answer: str,
) -> str:
    mode = taken[0][0].mode
    if abilities.form is Form.JSON:
        listed = [
            {"notice": notice.id, "code": incident.code, "kind": notice.kind.value, "text": f"{mode.mark}{row}"}
            for (incident, notice), row in zip(taken, rows, strict=True)
        ]
        return feedback.listing(listed, f"{mode.mark}汇总 {len(rows)} 条", mode, source, now)
    it: dict[str, Any] = {
        "mark": mode.mark,
        "rows": rows,
        "act": any(notice.purpose is Purpose.ACT for _, notice in taken),
        "replies": abilities.replies,
        "group": _in_group(abilities, group_answer),
    }
    return engine.render(_TEMPLATES[abilities.form], it)


def _in_group(abilities: Abilities, answer: str) -> str:
    if abilities.personal:
        return ""
    return GROUP_HEARS if abilities.hears else neutral.admin_markdown(answer)


def _most(highest: int, fitting: Callable[[int], bool]) -> int:
    """The greatest count up to ``highest`` that fits; 0 where not even one does."""
    low = 0
    while low < highest:
        half = (low + highest + 1) // 2
        if fitting(half):
            low = half
        else:
            highest = half - 1
    return low


def overflow(codes: Sequence[str], abilities: Abilities, mode: Mode, source: str) -> Rendered:
    """The critical ``codes`` in one sentence; where not all fit, as many as fit and how many there are in all.

    ``complete`` is False where some had no room.
    """
    count = len(codes)

    def made(shown: int) -> Rendered:
        rest = "" if shown == count else f"…共{count}起"
        text = f"{mode.mark}发送受限。紧急警情：{'、'.join(codes[:shown])}{rest}。请立即查看，随后逐条发送。"
        return plain(text, abilities, mode, source)

    whole = made(count)
    if whole.complete:
        return whole
    shown = _most(count - 1, lambda some: made(some).complete)
    best = made(shown) if shown else plain(f"{mode.mark}紧急警情{count}起", abilities, mode, source)
    return replace(best, complete=False)
