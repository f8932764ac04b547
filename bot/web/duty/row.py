"""One open incident as the board gets it: facts, words and times in milliseconds; the page counts and sorts nothing.

A row holds nothing that changes by the mere passing of time, so that two rows are equal while nothing has happened.
"""

from __future__ import annotations

from typing import Any

from bot.rehearsal.told import KIND_WORDS
from bot.rendering import people, words
from bot.rendering.neutral import mask, visible
from bot.web.phone_view import SHAPES, colour
from escalation.deciding.phoning import RESULTS, open_tasks
from escalation.deed import Deed
from escalation.directory import Directory
from escalation.evidence import Evidence
from escalation.incident import Clock, ClockState, Duty, Incident
from escalation.notice import Addressee, Notice, NoticeKind
from escalation.vocabulary import Kind, Tier, Urgency, Verb

DAY = 86_400_000
_ASIDE = (NoticeKind.FEEDBACK, NoticeKind.ANSWER, NoticeKind.QUARANTINE, NoticeKind.CARD)
_NEVER = 1 << 60
_MOST_TOLD = 60
_MOST_CALLS = 6


def next_due(incident: Incident) -> int:
    """When the first of its running limits ends or has ended (ms); far in the future where nothing is owed."""
    dues = [
        clock.due_at
        for duty in incident.duties
        if duty.open
        for clock in duty.clocks
        if clock.state is ClockState.RUNNING
    ]
    return min(dues, default=_NEVER)


def place(incident: Incident, now: int) -> tuple[int, int, int, int, str]:
    """Where it stands on the board: what is owed next comes first, with what is overdue before it; before everything a
    critical one that somebody has not signed for; last what has been overdue for more than a day, so that it does not
    hide what is new. Equal ones by level, then by age."""
    due = next_due(incident)
    unsigned = any(duty.open and duty.signed is None for duty in incident.duties)
    critical = incident.urgency is Urgency.CRITICAL and unsigned
    group = 0 if critical else 2 if due + DAY < now else 1
    rank = max(incident.level.rank if incident.level else 0, incident.severity.rank + 1 if incident.severity else 0)
    return group, due, -rank, incident.opened_at, incident.code


def row(incident: Incident, directory: Directory, unit: str, *, wall: bool) -> dict[str, Any]:
    """The incident for viewers of ``unit``; a ``wall`` shows no telephone numbers and offers nothing to do."""
    full, short = people.enterprise(directory, incident)
    own = next((duty for duty in incident.duties if duty.open and duty.unit == unit), None)
    shade = colour(incident.level, incident.severity)
    critical = incident.urgency is Urgency.CRITICAL
    told = _told(incident, directory)
    due = next_due(incident)
    return {
        "code": incident.code,
        "mark": incident.mode.mark,
        "kind": incident.kind.word,
        "what": words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING),
        "colour": shade,
        "shape": SHAPES[shade],
        "critical": critical,
        "short": mask(visible(short)),
        "full": mask(visible(full)),
        "place": mask(visible(people.place(incident))),
        "reading": visible(words.reading(incident.value, incident.limit, incident.unit)),
        "opened": incident.opened_at,
        "raises": incident.raises,
        "state": _state(incident),
        "returned": not incident.active,
        "flags": [flag.word for flag in incident.flags],
        "due": due if due != _NEVER else 0,
        "duties": [_duty(directory, duty, own=duty.unit == unit) for duty in incident.duties if duty.open],
        "told": told,
        "tasks": _tasks(incident, directory, "" if wall else unit, wall=wall),
        "last": [_last(directory, incident, deed) for deed in incident.deeds[-3:]],
        "evidence": [_evidence(directory, each, wall=wall) for each in incident.evidence],
        "ring": critical and own is not None and own.signed is None,
        "sign": not wall and own is not None and own.signed is None,
        "urge": not wall and may_urge(incident, directory.tier_of(unit)),
    }


def _evidence(directory: Directory, evidence: Evidence, *, wall: bool) -> dict[str, Any]:
    """A picture: who gave it and what became of it; the wall shows no pictures of people."""
    kept = evidence.file is not None and bool(evidence.file.path)
    return {
        "id": evidence.id,
        "name": visible(evidence.name),
        "post": people.post(directory, evidence.unit, evidence.role),
        "at": words.stamp(evidence.at)[5:16].replace("T", " "),
        "state": evidence.state.word,
        "size": f"{evidence.file.size // 1024 + 1} KB" if kept and evidence.file else "",
        "shown": kept and not wall,
    }


def may_urge(incident: Incident, tier: Tier) -> bool:
    """Whether a lower tier's duty still owes something that this tier may urge."""
    return any(
        duty.tier.rank < tier.rank and any(clock.state is ClockState.RUNNING for clock in duty.clocks)
        for duty in incident.duties
        if duty.open
    )


def _state(incident: Incident) -> str:
    if incident.kind is Kind.WARNING:
        return "风险预警未解除"
    return "上游仍在报警" if incident.active else "数值恢复，未确认安全"


def _duty(directory: Directory, duty: Duty, *, own: bool) -> dict[str, Any]:
    done = [(word, deed) for word, deed in (("核查", duty.verified), ("处置", duty.disposed)) if deed is not None]
    return {
        "unit": visible(people.unit(directory, duty.unit)),
        "tier": duty.tier.word,
        "own": own,
        "signed": None if duty.signed is None else _deed(directory, duty.signed),
        "done": [{"word": word, **_deed(directory, deed)} for word, deed in done],
        "clocks": [_clock(clock) for clock in duty.clocks if clock.state is ClockState.RUNNING],
    }


def _clock(clock: Clock) -> dict[str, Any]:
    return {"word": clock.kind.word, "due": clock.due_at}


def _deed(directory: Directory, deed: Deed) -> dict[str, Any]:
    said = "：".join(part for part in (visible(deed.cause), visible(deed.text)) if part)
    return {
        "name": visible(deed.name),
        "post": people.post(directory, deed.unit, deed.role),
        "at": deed.at,
        "verb": words.DONE_WORDS.get(deed.verb, deed.verb.word),
        "said": mask(said),
    }


def _last(directory: Directory, incident: Incident, deed: Deed) -> dict[str, Any]:
    """A deed as such; who signed without a duty has only seen it."""
    said = _deed(directory, deed)
    has_duty = any(duty.unit == deed.unit for duty in incident.duties)
    return said if has_duty or deed.verb is not Verb.SIGN else {**said, "verb": "已知悉"}


def _told(incident: Incident, directory: Directory) -> list[dict[str, Any]]:
    """Each person with each of their channels once, by the newest notice that went there: told, submitted, delivered,
    read and signed are five facts, and the last is a person's own."""
    newest: dict[tuple[str, str], tuple[Addressee, Notice]] = {}
    for notice in incident.notices.values():
        if notice.kind not in _ASIDE:
            for who in notice.everybody:
                newest[who.who, notice.contact.channel] = (who, notice)
    signed = {deed.person or f"{deed.unit}/{deed.role}/": deed.at for deed in _signatures(incident)}
    return [
        {
            "name": visible(who.name),
            "post": people.post(directory, who.unit, who.role) if who.person else "",
            "channel": notice.contact.channel,
            "kind": KIND_WORDS.get(notice.kind, notice.kind.value),
            "purpose": notice.purpose.word,
            "told": notice.created_at,
            "submitted": notice.submitted_at,
            "delivered": notice.delivered_at,
            "read": notice.read_at,
            "signed": signed.get(who.who, 0),
            "state": words.STATE_WORDS[notice.state],
            "bad": notice.state.value in ("failed", "dead"),
        }
        for who, notice in list(newest.values())[:_MOST_TOLD]
    ]


def _signatures(incident: Incident) -> list[Deed]:
    return [duty.signed for duty in incident.duties if duty.signed is not None]


def _tasks(incident: Incident, directory: Directory, unit: str, *, wall: bool) -> list[dict[str, Any]]:
    """Whom the duty room has to phone; one task where it was told by several ways. ``unit`` '' : of all units."""
    stages: dict[tuple[str, str], Notice] = {}
    for notice in open_tasks(incident, unit):
        stages.setdefault((notice.stage, notice.to.unit), notice)
    calls = [deed for deed in incident.deeds if deed.verb is Verb.PHONED]
    return [
        {
            "id": notice.id,
            "unit": visible(people.unit(directory, notice.to.unit)),
            "at": notice.created_at,
            "whom": [
                {"name": visible(name), "post": visible(post), "number": "" if wall else number}
                for name, post, number in people.to_phone(directory, incident, notice)
            ],
            "results": list(RESULTS),
            "tries": [
                _deed(directory, deed)
                for deed in calls[-_MOST_CALLS:]
                if deed.unit == notice.to.unit and deed.at >= notice.created_at
            ],
        }
        for notice in stages.values()
    ]
