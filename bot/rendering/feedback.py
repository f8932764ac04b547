"""The JSON a webhook carries: what people answered, as CloudEvents 1.0 (docs/schema/feedback.schema.json).

It tells an upstream system what the hub's people did. It is not the official 系统反馈, and says nothing of 已上报.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypedDict

import orjson

from bot.rendering import neutral, people, story, words
from escalation.directory import Directory
from escalation.incident import Deed, Incident, IncidentState
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
    """The incident as the hub knows it, and the deed that is told (null for a close without one)."""

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
    deed: FeedbackDeed | None
    text: str


def body(incident: Incident, notice: Notice, directory: Directory, now: int, line: str, source: str) -> str:
    """The CloudEvent of one notice; ``line`` is its sentence for people, the mode's mark first."""
    deed = story.deed_of(incident, notice)
    closed = incident.state is IncidentState.CLOSED
    full, _ = people.enterprise(directory, incident)
    point = {"code": neutral.visible(incident.point[:_MOST_NAME]), "name": people.place(incident)[:_MOST_NAME]}
    data: FeedbackData = {
        "code": incident.code,
        "kind": incident.kind.value,
        "mode": incident.mode.value,
        "state": incident.state.value,
        "active": incident.active,
        "urgency": incident.urgency.value,
        "level": incident.level.value if incident.level else None,
        "severity": incident.severity.value if incident.severity else None,
        "enterprise": {"uscc": neutral.visible(incident.enterprise[:_MOST_NAME]), "name": full[:_MOST_NAME]},
        "point": point if incident.point else None,
        "occurred_at": words.stamp(incident.occurred_at),
        "opened_at": words.stamp(incident.opened_at),
        "closed_at": words.stamp(incident.closed_at) if closed else None,
        "closed_reason": neutral.visible(incident.closed_reason[:_MOST_NAME]) if closed else None,
        "deed": _deed(directory, deed) if deed else None,
        "text": line,
    }
    return _event(notice.id, _type(incident, notice, deed), incident.mode, source, data, incident.code, now)


def sentence(text: str, mode: Mode, source: str) -> str:
    """A CloudEvent for a sentence of the hub that belongs to no incident, or could not be told otherwise."""
    identity = "text-" + sha256(text.encode()).hexdigest()[:32]
    return _event(identity, "hub.message", mode, source, {"mode": mode.value, "text": text})


def listing(items: list[dict[str, str]], text: str, mode: Mode, source: str, now: int) -> str:
    """A CloudEvent for a digest: ``items`` with code, level word and purpose each."""
    codes = ",".join(item["notice"] for item in items)
    identity = "digest-" + sha256(codes.encode()).hexdigest()[:32]
    return _event(identity, "hub.digest", mode, source, {"mode": mode.value, "items": items, "text": text}, None, now)


def _type(incident: Incident, notice: Notice, deed: Deed | None) -> str:
    if notice.kind is not NoticeKind.FEEDBACK:
        return f"notice.{notice.kind.value}"
    closed = incident.state is IncidentState.CLOSED and notice.created_at >= incident.closed_at
    if closed and notice.note not in set(Verb):
        return "incident.closed"
    return TYPES.get(deed.verb, "notice.feedback") if deed else "notice.feedback"


def _deed(directory: Directory, deed: Deed) -> FeedbackDeed:
    return {
        "verb": deed.verb.value,
        "name": neutral.visible(deed.name[:_MOST_NAME]),
        "post": {
            "unit": deed.unit,
            "unit_name": neutral.visible(directory.unit_name(deed.unit)),
            "tier": deed.tier.value,
            "role": deed.role.value,
        },
        "at": words.stamp(deed.at),
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
