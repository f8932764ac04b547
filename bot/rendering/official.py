"""The text that a person pastes into the official system: what, where, cause, measure, who and when. Pure.

The hub feeds nothing back there by itself; the words are those that people answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bot.rendering import people, shorten, words
from bot.rendering.engine import Engine
from escalation.deciding.official import results
from escalation.deed import Deed
from escalation.directory import Directory
from escalation.incident import Duty, Incident, IncidentState
from escalation.vocabulary import Kind

Clean = Callable[[str], str]

_TEMPLATE = "official/feedback.txt"
_SAID = (400, 200, 100, 60, 30, 16)
"""How many characters of cause and measure a text keeps, the longest that fits."""


def official_texts(
    engine: Engine, incident: Incident, duty: Duty, directory: Directory, clean: Clean = str
) -> Iterator[str]:
    """What ``duty`` may paste, in ever shorter wordings; nothing while cause or measure is not known."""
    found = results(incident, duty)
    if found is None:
        return
    full, short = people.enterprise(directory, incident)
    it: dict[str, Any] = {
        "mark": incident.mode.mark,
        "enterprise": clean(full[:120]),
        "uscc": clean(incident.enterprise) if incident.enterprise_name != incident.enterprise else "",
        "point": clean(people.place(incident)[:120]),
        "kind": incident.kind.word,
        "what": words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING),
        "code": clean(incident.code),
        "occurred": _when(incident.occurred_at),
        "cause": clean(found.cause),
        "verified_by": _who(directory, found.verified, clean),
        "verified_at": _when(found.verified.at),
        "measure": clean(found.measure),
        "disposed_by": _who(directory, found.disposed, clean),
        "disposed_at": _when(found.disposed.at),
        "now": _now(incident),
    }
    if not it["cause"] or not it["measure"]:
        return
    short_names = {"enterprise": clean(shorten.within(short, 12)), "point": shorten.middle(it["point"], 16)}
    for size in _SAID:
        said = {"cause": shorten.within(it["cause"], size), "measure": shorten.within(it["measure"], size)}
        names = (short_names if size <= 60 else {}) | ({"uscc": ""} if size <= 30 else {})
        yield engine.render(_TEMPLATE, it | said | names)


def _who(directory: Directory, deed: Deed, clean: Clean) -> str:
    post = people.post(directory, deed.unit, deed.role)
    named = deed.name if deed.person else ""
    return clean(shorten.within(f"{post}{named}", 30))


def _when(at: int) -> str:
    return f"{words.local(at):%Y-%m-%d %H:%M}"


def _now(incident: Incident) -> str:
    if incident.state is IncidentState.CLOSED:
        return f"{_when(incident.closed_at)}关闭"
    if incident.active:
        return "预警尚未解除" if incident.kind is Kind.WARNING else "上游仍在报警"
    return f"{_when(incident.cleared_at)}数值恢复" if incident.cleared_at else "数值恢复"
