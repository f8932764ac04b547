"""The events of one batch, sorted by incident, and what a repeat of one is answered with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from bot.intake.gate import Conflict as OtherBody
from bot.intake.gate import ItemVerdict, Result
from escalation.decide import needs_code
from escalation.event import Event, Flag
from escalation.incident import Incident
from escalation.ledger.change import Loaded, Recorded
from escalation.ledger.states import read_state
from escalation.vocabulary import Verdict


@dataclass(slots=True)
class Group:
    """The events of one batch that belong to one incident, in their order."""

    partition: int
    correlation: str
    places: list[int] = field(default_factory=list)

    def needs_code(self, found: Loaded, events: Mapping[int, Event]) -> bool:
        """Whether one of them may open a new incident."""
        return found.damaged is None and any(needs_code(found.incident, events[place]) for place in self.places)

    def opens(self, events: Mapping[int, Event]) -> bool:
        """Whether its first event would open an incident where there is none."""
        return events[self.places[0]].type.raises


class Met:
    """The correlations that this hub has lately had to do with, some thousands of them.

    Of any other it is likely that the store knows nothing either, so that its first event is decided without asking.
    Only a guess: the commit finds what was there all the same.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._new: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, correlation: str) -> bool:
        return correlation in self._new or correlation in self._old

    def add(self, correlation: str) -> None:
        self._new.add(correlation)
        if len(self._new) > self._most:
            self._new, self._old = set(), self._new


def unheard_of(group: Group) -> Loaded:
    """What loading gives of a group that the store has nothing of."""
    return Loaded([None] * len(group.places), None, None)


class Noted(msgspec.Struct, omit_defaults=True):
    """What a repeat of the same event is answered with."""

    verdict: Verdict
    code: str = ""
    reason: str = ""
    flags: tuple[Flag, ...] = ()


_read_noted = msgspec.json.Decoder(Noted).decode


def repeat(identity: str, recorded: Recorded) -> Result:
    """The same id again: the recorded verdict when the body is the same, refused when it is another."""
    if recorded.other_body:
        return OtherBody(id=identity)
    try:
        before = _read_noted(recorded.result)
    except msgspec.MsgspecError:
        return ItemVerdict(id=identity, verdict=Verdict.DUPLICATE, reason="recorded")
    return ItemVerdict(
        id=identity,
        verdict=Verdict.DUPLICATE,
        code=before.code,
        reason=f"recorded_{before.verdict}",
        flags=before.flags,
    )


def settle_known(
    group: Group, found: Loaded, events: Mapping[int, Event], results: list[Result | Exception | None]
) -> None:
    """Answer what was taken before, and what stands twice in this batch, and leave the rest in the group."""
    rest: list[int] = []
    first: dict[str, str] = {}
    for place, recorded in zip(group.places, found.recorded, strict=True):
        event = events[place]
        if recorded is not None:
            results[place] = repeat(event.id, recorded)
        elif first.setdefault(event.input_id, event.body_hash) != event.body_hash:
            results[place] = OtherBody(id=event.id)
        elif place not in rest and not any(events[other].input_id == event.input_id for other in rest):
            rest.append(place)
    group.places = rest


def fresh(found: Loaded) -> Loaded:
    """The same answer with a state that no decision has used up."""
    incident = read_state("", found.raw) if found.raw else None
    return msgspec.structs.replace(found, incident=incident if isinstance(incident, Incident) else None)
