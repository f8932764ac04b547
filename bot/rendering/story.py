"""What happened in an incident so far, as the messages tell it: deeds, lapses, the next step up, who was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.rendering import people, words
from escalation.deed import Deed
from escalation.directory import Directory
from escalation.incident import Clock, ClockState, Duty, Incident, StepAction
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import ClockKind, Level, Role, Severity, Verb

Clean = Callable[[str], str]

_MOST_ROWS = 40
_FIRST_ROWS = 8
_MOST_TOLD = 30
_ASIDE = (NoticeKind.FEEDBACK, NoticeKind.ANSWER, NoticeKind.CARD)
_NAME_CHARS = 40

_DEEDS_OF = {
    NoticeKind.SIGNED: frozenset({Verb.SIGN, Verb.VERIFY, Verb.DISPOSE}),
    NoticeKind.REQUESTED: frozenset({Verb.CLEAR, Verb.FALSE_ALARM, Verb.EXTEND}),
}


_VERBS = frozenset(Verb)
_LEVELS = frozenset(Level)
_SEVERITIES = frozenset(Severity)


def duty_of(incident: Incident, notice: Notice) -> Duty | None:
    """The duty a notice belongs to, else the open one of the reader's own unit."""
    named = next((duty for duty in incident.duties if duty.id == notice.duty), None)
    return named or next((duty for duty in incident.duties if duty.open and duty.unit == notice.to.unit), None)


def clock_of(duty: Duty | None, kind: ClockKind | None) -> Clock | None:
    """The named clock of a duty, else its first running one."""
    clocks = duty.clocks if duty else []
    if kind is not None:
        return next((clock for clock in clocks if clock.kind is kind), None)
    return next((clock for clock in clocks if clock.state is ClockState.RUNNING), None)


def lapsed(incident: Incident, notice: Notice) -> tuple[Duty, Clock] | None:
    """Whose limit an escalation tells of: the duty the notice's note names, else the notice's own."""
    named = next((duty for duty in incident.duties if notice.note and duty.id == notice.note), None)
    duty = named or next((duty for duty in incident.duties if duty.id == notice.duty), None)
    clock = clock_of(duty, notice.clock)
    return (duty, clock) if duty and clock else None


def deed_of(incident: Incident, notice: Notice) -> Deed | None:
    """The deed a notice tells of: the one it brings, the signature of its duty, the newest request, or the newest deed
    at all; none younger than the notice where there is an older one."""
    if notice.kind is NoticeKind.FEEDBACK:
        return notice.deed
    duty = next((duty for duty in incident.duties if duty.id == notice.duty), None)
    if notice.kind is NoticeKind.SIGNED and duty and duty.signed:
        return duty.signed
    if not incident.deeds:
        return None
    fitting = _DEEDS_OF.get(notice.kind, _VERBS)
    deeds = [deed for deed in incident.deeds if deed.verb in fitting]
    earlier = [deed for deed in deeds if deed.at <= notice.created_at]
    return (earlier or deeds)[-1] if deeds else None


def before(note: str) -> str:
    """The former level or severity, which the note of a rise or a lowering names, in words; '' for other notes."""
    if note in _LEVELS:
        return Level(note).word
    return Severity(note).word if note in _SEVERITIES else ""


def deed_facts(directory: Directory, deed: Deed | None, now: int, clean: Clean) -> dict[str, Any] | None:
    if deed is None:
        return None
    return {
        "who": clean(deed.name[:_NAME_CHARS]),
        "post": clean(people.post(directory, deed.unit, deed.role)),
        "done": words.DONE_WORDS.get(deed.verb, deed.verb.word),
        "signed": deed.verb not in (Verb.VERIFY, Verb.DISPOSE),
        "verb": deed.verb.word,
        "at": words.moment(deed.at, now),
        "text": clean(deed.text[:300]),
        "cause": clean(deed.cause[:60]),
    }


def next_up(directory: Directory, incident: Incident, duty: Duty | None, now: int) -> tuple[int, str]:
    """The next step that leaves the tier, as (minutes from now, whom it reaches); (0, '') where none is ahead."""
    steps = [
        step
        for clock in (duty.clocks if duty else [])
        if clock.state is ClockState.RUNNING
        for step in clock.steps
        if step.action.goes_up and not step.fired_at
    ]
    if not steps or duty is None:
        return 0, ""
    step = min(steps, key=lambda step: step.at)
    tier = step.tier or duty.tier.above
    unit = incident.plan.units.get(tier, "") if tier else ""
    role = Role.LEADER_ON_DUTY if step.action is StepAction.NEXT_LEADER else Role.DUTY_ROOM
    whom = people.post(directory, unit, role) if unit else f"{tier.word if tier else '上级'}{role.word}"
    return max(-(-(step.at - now) // 60_000), 0), whom


def told(directory: Directory, incident: Incident, notice: Notice, clean: Clean) -> list[str]:
    """Who else was told: posts only, each with the best that is known of its notices."""
    best: dict[str, Notice] = {}
    for other in incident.notices.values():
        if other.id == notice.id or other.kind in _ASIDE:
            continue
        name = people.post(directory, other.to.unit, other.to.role)
        known = best.get(name)
        if known is None or _reach(other) > _reach(known):
            best[name] = other
    rows = [f"{clean(name)}（{words.STATE_WORDS[other.state]}）" for name, other in best.items()]
    return rows if len(rows) <= _MOST_TOLD else [*rows[:_MOST_TOLD], f"等共 {len(rows)} 个岗位"]


def _reach(notice: Notice) -> tuple[bool, int, int, int]:
    return bool(notice.read_at), notice.delivered_at, notice.submitted_at, notice.created_at


def timeline(directory: Directory, incident: Incident, notice: Notice, now: int, clean: Clean) -> list[dict[str, str]]:
    """What happened so far, oldest first, as rows of ``at`` and ``text``; the middle of a long story is left out."""
    rows = [(incident.occurred_at, "发生（上游时间）"), (incident.opened_at, f"收到，编号 {incident.code}")]
    stages: dict[tuple[int, str], list[str]] = {}
    for other in incident.notices.values():
        if other.created_at <= notice.created_at and other.kind not in _ASIDE:
            posts = stages.setdefault((other.created_at, other.stage), [])
            posts.append(clean(people.post(directory, other.to.unit, other.to.role)))
    rows += [(at, "通知 " + "、".join(dict.fromkeys(posts))) for (at, _), posts in stages.items()]
    for deed in incident.deeds:
        by = f"{clean(deed.name[:_NAME_CHARS])}（{clean(people.post(directory, deed.unit, deed.role))}）"
        said = f"：{clean(deed.text[:120])}" if deed.text else ""
        rows.append((deed.at, f"{by}{words.DONE_WORDS.get(deed.verb, deed.verb.word)}{said}"))
    for duty in incident.duties:
        name = clean(people.unit(directory, duty.unit))
        rows += [(clock.lapsed_at, f"{name}{clock.kind.word}逾期") for clock in duty.clocks if clock.lapsed_at]
    rows += [(incident.cleared_at, "上游数值恢复")] if incident.cleared_at else []
    rows += [(incident.closed_at, "警情关闭")] if incident.closed_at else []
    shown = [{"at": words.moment(at, now), "text": text} for at, text in sorted(rows, key=lambda row: row[0])]
    if len(shown) <= _MOST_ROWS:
        return shown
    left_out = {"at": "…", "text": f"（中间 {len(shown) - _MOST_ROWS} 条从略，见系统）"}
    return [*shown[:_FIRST_ROWS], left_out, *shown[_FIRST_ROWS - _MOST_ROWS :]]
