"""Why somebody was told, and what somebody still has to do: answers that come from the record alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat import finding, saying
from bot.chat.rows import Sender
from bot.rendering import people, words
from escalation.directory import Directory
from escalation.incident import Clock, ClockState, Incident
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Kind

_MOST_LISTED = 8
_NEVER = 2**62
_ASIDE = (NoticeKind.ANSWER, NoticeKind.FEEDBACK, NoticeKind.CARD)


def why(directory: Directory, incident: Incident, sender: Sender) -> str:
    """The post, the rule with its level, whose the work is, and the authority (依据文号)."""
    what = words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING)
    plan = incident.plan
    acting = "、".join(people.unit(directory, duty.unit) for duty in incident.duties if duty.open) or "责任单位"
    told = _newest(incident, sender)
    said = (
        people.why(directory, incident, told, acting)
        if told is not None
        else f"没有直接通知过您；您的岗位在本企业的监管层级内，按规则“{plan.rule}”由{acting}处置。"
    )
    return f"{incident.code} {what}：{said}依据：{plan.basis}（{plan.profile}）。"


def _newest(incident: Incident, sender: Sender) -> Notice | None:
    """The newest notice to the sender, a call to act before all others."""
    mine = [
        notice
        for notice in incident.notices.values()
        if notice.kind not in _ASIDE
        and any(_is(each.person, each.unit, each.role, sender) for each in notice.everybody)
    ]
    return max(mine, key=lambda notice: (notice.purpose == "act", notice.created_at), default=None)


def _is(person: str, unit: str, role: str, sender: Sender) -> bool:
    return person == sender.person if sender.person else (person, unit, role) == ("", sender.unit, sender.role)


def todo(directory: Directory, incidents: Sequence[Incident], sender: Sender, now: int, *, complete: bool) -> str:
    """The sender's open items in the order of what is owed next, with what and by when."""
    rows: list[tuple[int, str]] = []
    for incident in incidents:
        clock = _next(directory, incident, sender)
        waiting = finding.requests_for(directory, incident, sender)
        asked = "".join(f"，待您批准{word}" for word in dict.fromkeys(request.verb.word for request in waiting))
        if clock is None and not asked:
            continue
        due = "" if clock is None else f"，{saying.owed(clock, now)}"
        rows.append((clock.due_at if clock else _NEVER, f"{saying.line(directory, incident)}{due}{asked}"))
    if not rows:
        return "您目前没有待办。" if complete else "没有找到您的待办，警情较多，请回复“查询 编号”。"
    rows.sort(key=lambda row: row[0])
    shown = "；".join(f"{place}. {text}" for place, (_, text) in enumerate(rows[:_MOST_LISTED], 1))
    more = "；等" if len(rows) > _MOST_LISTED or not complete else ""
    return f"您有{len(rows)}项待办：{shown}{more}。"


def _next(directory: Directory, incident: Incident, sender: Sender) -> Clock | None:
    clocks = (
        clock
        for duty in finding.duties_of(directory, incident, sender)
        for clock in duty.clocks
        if clock.state is ClockState.RUNNING
    )
    return min(clocks, key=lambda clock: clock.due_at, default=None)
