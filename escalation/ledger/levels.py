"""The place of an incident's level in the index of open ones: a number that is stored, so it never changes its meaning.

It says nothing of an order; people and decisions use the words.
"""

from __future__ import annotations

from escalation.incident import Incident
from escalation.vocabulary import Level, Severity

PLACES: dict[Level | Severity | None, int] = {
    None: 0,
    Level.RED: 1,
    Level.ORANGE: 2,
    Level.YELLOW: 3,
    Level.BLUE: 4,
    Severity.HIGH_HIGH: 11,
    Severity.LOW_LOW: 12,
    Severity.INTERLOCK: 13,
    Severity.HIGH: 14,
    Severity.LOW: 15,
    Severity.FAULT: 16,
    Severity.OFFLINE: 17,
}


def place_of(incident: Incident) -> int:
    """The place of the incident's level, or of its severity where it has no level; 0 where it has neither."""
    return PLACES[incident.level or incident.severity]
