"""Anything in any order: after every step the invariants hold, and the state stays small."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from escalation.directory import ContactEntry, Directory, Person
from escalation.event import EventType, Flag
from escalation.evidence import EvidenceFile
from escalation.inputs import EvidenceGiven, EvidenceKept, SendResult
from escalation.notice import NoticeState
from escalation.vocabulary import Level, Role, Severity, Verb
from tests.decisions import invariants
from tests.decisions.house import MINUTE, Story
from tests.rules.county import FACTORY, NEXT_DOOR, PEOPLE, county, robot, sms, without

RICH = tuple(
    Person(
        id=person.id,
        name=person.name,
        contacts=(*person.contacts, ContactEntry(channel="mail", address=f"{person.id}@example.cn"), *robot("group")),
    )
    if place % 2
    else Person(id=person.id, name=person.name, contacts=sms(50 + place // 6))
    for place, person in enumerate(PEOPLE)
)
"""Every other person has three ways to be reached, the last one shared; the others share telephones."""

DIRECTORIES = (
    county(),
    county(people=RICH),
    county(people=RICH, spoken=("mail",)),
    without((FACTORY, Role.OPERATOR), (FACTORY, Role.SAFETY_OFFICER), ("town", Role.DUTY_ROOM)),
    without(*((unit, Role.DUTY_ROOM) for unit in (FACTORY, "town", "county", "city", "province"))),
)
ALARMS = (EventType.ALARM_RAISED, EventType.ALARM_REPEATED, EventType.ALARM_CLEARED)
WARNINGS = tuple(kind for kind in EventType if kind.value.startswith("warning."))
ACTING = tuple(verb for verb in Verb if verb.acts or verb.asks)
PERSONS = ("zhao", "sun", "wu", "chen", "chu", "jiang", "han", "shen", "yang", "zhu", "you", "stranger")


def minutes() -> st.SearchStrategy[int]:
    return st.one_of(st.integers(0, 5), st.integers(0, 240), st.sampled_from([600, 3000]))


class Anything(RuleBasedStateMachine):
    """One incident among events with skewed times, answers by anybody, receipts of anything, and passing time."""

    story: Story

    @initialize(
        where=st.sampled_from(DIRECTORIES),
        warning=st.booleans(),
        known=st.sampled_from([FACTORY, NEXT_DOOR, "someone"]),
    )
    def begin(self, where: Directory, warning: bool, known: str) -> None:
        self.story = Story(directory=where, enterprise=known, feedback={"gateway": ("upstream",)})
        self.kinds = WARNINGS if warning else ALARMS

    @property
    def opened(self) -> bool:
        return self.story.state is not None

    @rule(
        data=st.data(),
        skew=st.one_of(st.just(0), st.integers(-10, 10), st.integers(-600, 600)),
        odd=st.booleans(),
        value=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    )
    def event(self, data: st.DataObject, skew: int, odd: bool, value: float | None) -> None:
        kind = data.draw(st.sampled_from(self.kinds))
        warning = kind in WARNINGS
        self.story.event(
            kind,
            level=data.draw(st.sampled_from([None, *Level])) if warning else None,
            severity=None if warning else data.draw(st.sampled_from([None, *Severity])),
            at=max(1, self.story.now + skew * MINUTE),
            flags=(Flag.UNKNOWN_LEVEL,) if odd else (),
            value=value,
        )

    @precondition(lambda self: self.opened)
    @rule(verb=st.sampled_from(ACTING), person=st.sampled_from(PERSONS), text=st.text(max_size=400))
    def answer(self, verb: Verb, person: str, text: str) -> None:
        self.story.says(verb, person, text=text)

    @precondition(lambda self: self.opened)
    @rule(
        verb=st.sampled_from([Verb.TRANSFER, Verb.EXTEND, Verb.APPROVE, Verb.REFUSE, Verb.UNDO, Verb.URGE]),
        person=st.sampled_from(PERSONS),
        to=st.sampled_from(["", "李四", "值班室", "沈北"]),
        minutes=minutes(),
        until=st.booleans(),
    )
    def asks_and_hands_on(self, verb: Verb, person: str, to: str, minutes: int, until: bool) -> None:
        moment = self.story.now + minutes * MINUTE if until else 0
        self.story.says(verb, person, text="等备件", to=to, minutes=minutes, until=moment)

    @precondition(lambda self: self.opened)
    @rule(verb=st.sampled_from(ACTING), unit=st.sampled_from([FACTORY, "town", "county", "city"]))
    def room_answers(self, verb: Verb, unit: str) -> None:
        self.story.says(verb, unit=unit, role=Role.DUTY_ROOM)

    @rule(passed=minutes())
    def time_passes(self, passed: int) -> None:
        self.story.wait(passed)

    @precondition(lambda self: self.opened)
    @rule(passed=minutes())
    def lapse(self, passed: int) -> None:
        self.story.wait(passed)
        self.story.lapse()

    @precondition(lambda self: self.opened)
    @rule()
    def next_moment(self) -> None:
        due = self.story.incident.due_at()
        if due is not None:
            self.story.now = max(due, self.story.now)
            assert self.story.lapse().reason != "nothing_due"

    @precondition(lambda self: self.opened and self.story.incident.notices)
    @rule(data=st.data(), result=st.sampled_from(list(SendResult)), tries=st.integers(1, 5), off=st.booleans())
    def receipt(self, data: st.DataObject, result: SendResult, tries: int, off: bool) -> None:
        ids = [*self.story.incident.notices, "A0001.1.s0-raised.000000000000"]
        detail = "off_duty" if off else "said the vendor"
        handle = data.draw(st.sampled_from(["", "h1", "h2"])) if result is SendResult.SUBMITTED else ""
        self.story.receipt(data.draw(st.sampled_from(ids)), result, tries=tries, detail=detail, handle=handle)

    @precondition(lambda self: self.opened and self.story.incident.notices)
    @rule(data=st.data(), verb=st.sampled_from([Verb.SIGN, Verb.FALSE_ALARM, Verb.QUERY]))
    def press(self, data: st.DataObject, verb: Verb) -> None:
        card = data.draw(st.sampled_from(list(self.story.incident.notices)))
        self.story.presses(verb, data.draw(st.sampled_from(PERSONS)), self.story.incident.notices[card])
        assert not [key for key in self.story.incident.cards if key not in self.story.incident.notices]

    @precondition(lambda self: self.opened)
    @rule(person=st.sampled_from(PERSONS), pictures=st.lists(st.sampled_from("abcd"), min_size=1, max_size=3))
    def evidence(self, person: str, pictures: list[str]) -> None:
        before = [duty.signed for duty in self.story.incident.duties]
        at = self.story.now
        self.story.given(EvidenceGiven(id="e", pictures=tuple(pictures), person=person, channel="app", at=at))
        self.story.given(EvidenceKept(picture=pictures[0], file=EvidenceFile(path="evidence/x.jpg", size=1)))
        assert [duty.signed for duty in self.story.incident.duties] == before

    @precondition(lambda self: self.opened)
    @rule(result=st.sampled_from([SendResult.SUBMITTED, SendResult.REFUSED_RECIPIENT, SendResult.TRANSIENT]))
    def everything_leaves(self, result: SendResult) -> None:
        waiting = [key for key, kept in self.story.incident.notices.items() if kept.state is NoticeState.QUEUED]
        for key in waiting:
            self.story.receipt(key, result, tries=3)

    @precondition(lambda self: self.opened)
    @rule(where=st.sampled_from(DIRECTORIES))
    def people_change(self, where: Directory) -> None:
        self.story.directory = where

    @invariant()
    def a_lapse_leaves_nothing_behind(self) -> None:
        if not hasattr(self, "story") or not self.opened:
            return
        stored = msgspec.json.encode(self.story.incident)
        now, decision, fresh = self.story.now, self.story.decision, self.story.fresh
        self.story.lapse()
        invariants.after_lapse(self.story.incident, now)
        self.story.state = msgspec.json.decode(stored, type=type(self.story.incident))
        self.story.decision, self.story.fresh = decision, fresh


class AnythingForLong(Anything):
    """The same machine, for as long as one likes."""


# Its examples are always the same; how long they take is the machine's affair.
TestAnything = pytest.mark.timeout(300)(Anything.TestCase)
TestAnything.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestAnythingForLong = pytest.mark.soak(AnythingForLong.TestCase)
TestAnythingForLong.settings = settings(
    max_examples=2000, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("seed", range(4))
def test_five_hundred_random_steps_leave_the_state_small(seed: int) -> None:
    chance = random.Random(seed)
    story = Story(directory=county(people=RICH), feedback={"gateway": ("upstream",)})
    levels: list[Level | None] = [None, *Level]
    story.warning(Level.RED)
    for _ in range(500):
        story.wait(chance.choice([0, 1, 5, 30, 400]))
        pick = chance.random()
        if pick < 0.3:
            story.event(chance.choice(WARNINGS), level=chance.choice(levels))
        elif pick < 0.5:
            story.says(
                chance.choice(ACTING),
                chance.choice(PERSONS),
                text="现场核实" * 300,
                to="李四",
                minutes=chance.randint(0, 90),
            )
        elif pick < 0.7:
            story.receipt(
                chance.choice(list(story.incident.notices)), chance.choice(list(SendResult)), tries=3, detail="off_duty"
            )
        else:
            story.lapse()
    assert len(msgspec.json.encode(story.incident)) < invariants.MOST_BYTES
