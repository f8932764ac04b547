"""The JSON a webhook carries: what people answered, as CloudEvents 1.0 (docs/schema/feedback.schema.json).

It tells an upstream system what the hub's people did. It is not the official 系统反馈, and says nothing of 已上报.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple, TypedDict

import orjson

from bot.rendering import neutral, people, story, words
from escalation.deciding.upstream import CLOSED
from escalation.deed import Deed
from escalation.directory import Directory
from escalation.incident import Incident, IncidentState
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Mode, Verb

TYPES = {
    Verb.SIGN: "incident.signed",
    Verb.VERIFY: "incident.verified",
    Verb.DISPOSE: "incident.disposed",
    Verb.CLEAR: "incident.clear_requested",
    Verb.FALSE_ALARM: "incident.false_alarm_requested",
    Verb.TRANSFER: "incident.transferred",
    Verb.EXTEND: "incident.extension_requested",
    Verb.APPROVE: "incident.request_approved",
    Verb.REFUSE: "incident.request_refused",
    Verb.UNDO: "incident.undone",
    Verb.URGE: "incident.urged",
    Verb.PHONED: "incident.phoned",
    Verb.FED_BACK: "incident.fed_back",
}
_MOST_TEXT = 1000
_MOST_NAME = 120


class FeedbackPost(TypedDict):
    unit: str
    unit_name: str
    tier: str
    role: str


class FeedbackPerson(TypedDict):
    """Who said it, from which post, and when."""

    name: str
    post: FeedbackPost
    at: str


class FeedbackDeed(TypedDict):
    """Who did what, from which post, when and by which channel; no phone number."""

    verb: str
    name: str
    post: FeedbackPost
    at: str
    channel: str
    text: str
    cause: str


class FeedbackData(TypedDict):
    """The incident as it stands when this is sent, and the deed that is told (null for a close by upstream's own word).

    ``fed_back`` is who said that the result was given into the official system, one for each duty; what is answered to
    the hub never puts anybody there.
    """

    code: str
    kind: str
    mode: str
    state: str
    active: bool
    urgency: str
    level: str | None
    severity: str | None
    enterprise: dict[str, str]
    point: dict[str, str] | None
    occurred_at: str
    opened_at: str
    closed_at: str | None
    closed_reason: str | None
    closed_by: FeedbackPerson | None
    fed_back: list[FeedbackPerson]
    deed: FeedbackDeed | None
    text: str


def body(incident: Incident, notice: Notice, directory: Directory, now: int, line: str, source: str) -> str:
    """The CloudEvent of one notice; ``line`` is its sentence for people, the mode's mark first."""
    deed = story.deed_of(incident, notice)
    end = _end(incident, notice)
    full, _ = people.enterprise(directory, incident)
    point = {"code": neutral.visible(incident.point[:_MOST_NAME]), "name": people.place(incident)[:_MOST_NAME]}
    data: FeedbackData = {
        "code": incident.code,
        "kind": incident.kind.value,
        "mode": incident.mode.value,
        "state": IncidentState.CLOSED.value if end else incident.state.value,
        "active": incident.active,
        "urgency": incident.urgency.value,
        "level": incident.level.value if incident.level else None,
        "severity": incident.severity.value if incident.severity else None,
        "enterprise": {"uscc": neutral.visible(incident.enterprise[:_MOST_NAME]), "name": full[:_MOST_NAME]},
        "point": point if incident.point else None,
        "occurred_at": words.stamp(incident.occurred_at),
        "opened_at": words.stamp(incident.opened_at),
        "closed_at": words.stamp(end.at) if end else None,
        "closed_reason": neutral.visible(end.reason[:_MOST_NAME]) if end else None,
        "closed_by": _person(directory, end.by) if end and end.by else None,
        "fed_back": [_person(directory, duty.fed_back) for duty in incident.duties if duty.fed_back],
        "deed": _deed(directory, deed) if deed else None,
        "text": line,
    }
    at = notice.created_at if notice.kind is NoticeKind.FEEDBACK else now
    return _event(notice.id, _type(notice, deed), incident.mode, source, data, incident.code, at)


def sentence(text: str, mode: Mode, source: str) -> str:
    """A CloudEvent for a sentence of the hub that belongs to no incident, or could not be told otherwise."""
    identity = "text-" + sha256(text.encode()).hexdigest()[:32]
    return _event(identity, "hub.message", mode, source, {"mode": mode.value, "text": text})


def listing(items: list[dict[str, str]], text: str, mode: Mode, source: str, now: int) -> str:
    """A CloudEvent for a digest: ``items`` with code, level word and purpose each."""
    codes = ",".join(item["notice"] for item in items)
    identity = "digest-" + sha256(codes.encode()).hexdigest()[:32]
    return _event(identity, "hub.digest", mode, source, {"mode": mode.value, "items": items, "text": text}, None, now)


class _End(NamedTuple):
    """How it was closed: when, by which named reason, and by whose answer (None: by upstream's own word)."""

    at: int
    reason: str
    by: Deed | None


def _end(incident: Incident, notice: Notice) -> _End | None:
    """The close that a notice tells, also when the incident was opened again before it could be sent; else the present
    one."""
    if notice.kind is NoticeKind.FEEDBACK and notice.note.startswith(CLOSED):
        return _End(notice.created_at, notice.note.removeprefix(CLOSED), notice.deed)
    if incident.state is not IncidentState.CLOSED:
        return None
    by = (each for each in incident.deeds if (each.who, each.at) == (incident.closed_by, incident.closed_at))
    return _End(incident.closed_at, incident.closed_reason, next(by, None))


def _type(notice: Notice, deed: Deed | None) -> str:
    if notice.kind is not NoticeKind.FEEDBACK:
        return f"notice.{notice.kind.value}"
    if notice.note.startswith(CLOSED):
        return "incident.closed"
    return TYPES.get(deed.verb, "notice.feedback") if deed else "notice.feedback"


def _post(directory: Directory, deed: Deed) -> FeedbackPost:
    return {
        "unit": deed.unit,
        "unit_name": neutral.visible(directory.unit_name(deed.unit)),
        "tier": deed.tier.value,
        "role": deed.role.value,
    }


def _person(directory: Directory, deed: Deed) -> FeedbackPerson:
    return {
        "name": neutral.visible(deed.name[:_MOST_NAME]),
        "post": _post(directory, deed),
        "at": words.stamp(deed.at),
    }


def _deed(directory: Directory, deed: Deed) -> FeedbackDeed:
    return {
        "verb": deed.verb.value,
        **_person(directory, deed),
        "channel": deed.channel,
        "text": neutral.mask(neutral.visible(deed.text[:_MOST_TEXT])),
        "cause": neutral.visible(deed.cause[:_MOST_TEXT]),
    }


def _event(
    identity: str, kind: str, mode: Mode, source: str, data: object, subject: str | None = None, at: int | None = None
) -> str:
    event: dict[str, object] = {"specversion": "1.0", "id": identity, "source": source, "type": kind}
    event |= {"subject": subject} if subject else {}
    event |= {"time": words.stamp(at)} if at is not None else {}
    event |= {"datacontenttype": "application/json", "mode": mode.value, "data": data}
    return orjson.dumps(event).decode()
