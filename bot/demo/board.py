"""The wall's list of incidents: state, signatures, and what is due next, each as words and times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.rendering import people, words
from bot.rendering.neutral import mask, visible
from bot.unreadable import line_of_unreadable
from bot.web.phone_view import colour
from escalation.deciding.calling import NO_REPORT
from escalation.deciding.fallback import Why
from escalation.directory import Directory
from escalation.incident import Clock, ClockState, Duty, Incident, IncidentState, StepAction
from escalation.inputs import SendResult
from escalation.ledger.commit import Ledger
from escalation.ledger.states import Damaged
from escalation.notice import NoticeKind, NoticeState
from escalation.vocabulary import Kind, Urgency

_FIRST = 1 << 60
_AHEAD = 3
_DETOURS = 4
_STEP_WORDS = {
    StepAction.REMIND: "催办",
    StepAction.SECOND_PERSON: "通知第二责任人",
    StepAction.SAFETY_HEAD: "通知安全负责人",
    StepAction.MAIN_PERSON: "通知主要负责人",
    StepAction.LEADER_ON_DUTY: "通知带班领导",
    StepAction.NEXT_DUTY_ROOM: "上报值班室",
    StepAction.NEXT_LEADER: "上报带班领导",
    StepAction.PHONE: "转人工电话",
    StepAction.PROPOSE: "建议督办措施",
    StepAction.ANNOUNCE: "预告将上报",
}

_WHY: dict[str, str] = {
    Why.THROTTLED: "被限流",
    Why.VENDOR_DOWN: "连不上",
    Why.BEYOND_CLOCK: "时限前发不出",
    Why.STILL_WAITING: "到时仍未发出",
    Why.UNREAD: "未读",
    NO_REPORT: "没有回音",
    SendResult.UNDELIVERED: "没有接通",
    SendResult.ANSWERED: "已接听，未按键",
}
_LOST = (NoticeState.FAILED, NoticeState.DEAD)


async def incidents(ledger: Ledger, known: set[str]) -> list[Incident | Damaged]:
    """Every open incident and those of ``known`` that have closed since: open ones first, of these what cannot be read,
    critical before others, the newest first. Adds the open ones to ``known``; raises the store's errors."""
    still_open = {code for partition in range(ledger.partitions) for code in await ledger.open_codes(partition)}
    known |= still_open
    found = [each for each in await ledger.find_many(sorted(known)) if each is not None] if known else []
    return sorted((each for each in found if isinstance(each, Incident) or each.code in still_open), key=_place)


def _place(incident: Incident | Damaged) -> tuple[bool, bool, int, str]:
    if isinstance(incident, Damaged):
        return False, False, -_FIRST, incident.code
    closed = incident.state is IncidentState.CLOSED
    return closed, incident.urgency is Urgency.NORMAL, -incident.opened_at, incident.code


def row(incident: Incident | Damaged, directory: Directory, channels: Mapping[str, str]) -> dict[str, Any]:
    """One incident as the page gets it; times in milliseconds. ``channels`` are what people call each channel. Of what
    cannot be read there is only its code, and ``todo``: what the duty page says of it."""
    if isinstance(incident, Damaged):
        return {"code": incident.code, "todo": line_of_unreadable(incident).todo}
    _, short = people.enterprise(directory, incident)
    closed = incident.state is IncidentState.CLOSED
    heard = [
        each
        for each in incident.notices.values()
        if each.kind not in (NoticeKind.FEEDBACK, NoticeKind.ANSWER, NoticeKind.CARD) and each.state.reached_vendor
    ]
    return {
        "code": incident.code,
        "mark": incident.mode.mark,
        "what": words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING),
        "colour": colour(incident.level, incident.severity),
        "where": mask(visible(f"{short} {people.place(incident)}".strip())),
        "reading": visible(words.reading(incident.value, incident.limit, incident.unit)),
        "opened": words.local(incident.opened_at).strftime("%H:%M"),
        "active": incident.active,
        "closed": closed,
        "state": _state(incident),
        "duties": [_duty(directory, duty) for duty in incident.duties],
        "next": [] if closed else _ahead(directory, incident),
        "detours": _detours(incident, channels),
        "told": len(heard),
        "delivered": sum(1 for each in heard if each.delivered_at or each.read_at),
    }


def _state(incident: Incident) -> str:
    if incident.state is IncidentState.CLOSED:
        return f"{words.local(incident.closed_at):%H:%M} 关闭"
    if incident.kind is Kind.WARNING:
        return "预警中"
    return "报警中" if incident.active else "数值恢复，未确认安全"


def _duty(directory: Directory, duty: Duty) -> dict[str, Any]:
    done = [
        f"{visible(deed.name)} {words.local(deed.at):%H:%M} {word}"
        for word, deed in (("签收", duty.signed), ("核查", duty.verified), ("处置", duty.disposed))
        if deed is not None
    ]
    late = [clock.kind.word for clock in duty.clocks if clock.lapsed_at and clock.state is ClockState.RUNNING]
    return {
        "unit": people.unit(directory, duty.unit),
        "open": duty.open,
        "signed": duty.signed is not None,
        "done": done,
        "late": late,
    }


def _detours(incident: Incident, channels: Mapping[str, str]) -> list[str]:
    """Who could not be told by the way that comes first, why, and what was done instead; the newest ones."""
    said: list[str] = []
    for notice in incident.notices.values():
        why = _WHY.get(notice.passed_on) or ("被拒绝" if notice.state in _LOST else "")
        if not why or notice.kind is NoticeKind.FEEDBACK:
            continue
        following = [
            channels.get(other.contact.channel, "")
            for other in incident.notices.values()
            if other.stage == notice.stage and notice.to.who in {each.who for each in other.everybody}
            if other.attempt > notice.attempt
        ]
        way = channels.get(notice.contact.channel, notice.contact.channel)
        instead = f"改走{following[0]}" if following else "改由人工打电话" if notice.spoken else "改找下一个人"
        said.append(f"{visible(notice.to.name)}：{way}{why}，{instead}")
    return list(dict.fromkeys(said))[-_DETOURS:]


def _ahead(directory: Directory, incident: Incident) -> list[dict[str, Any]]:
    found = sorted(
        (
            (at, what)
            for duty in incident.duties
            if duty.open
            for clock in duty.clocks
            if clock.state is ClockState.RUNNING
            for at, what in _moments(directory, incident, duty, clock)
        ),
        key=lambda pair: pair[0],
    )
    merged: dict[tuple[int, str], None] = dict.fromkeys(found)
    return [{"at": at, "what": what} for at, what in list(merged)[:_AHEAD]]


def _moments(directory: Directory, incident: Incident, duty: Duty, clock: Clock) -> list[tuple[int, str]]:
    moments = [] if clock.lapsed_at else [(clock.due_at, f"{clock.kind.word}到期")]
    for step in clock.steps:
        if step.fired_at:
            continue
        said = "看电话是否有人接听" if step.looks else _STEP_WORDS[step.action]
        if step.action.goes_up:
            tier = step.tier or duty.tier.above
            unit = incident.plan.units.get(tier, "") if tier else ""
            said = said.replace("上报", f"上报{people.unit(directory, unit) if unit else tier.word if tier else ''}")
        moments.append((step.at, f"{said}（{clock.kind.word}）"))
    return moments
