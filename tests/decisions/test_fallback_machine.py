"""A rise, a signature and its 撤回, beside hops of the fallback, in any order: nobody is left in silence, nothing is
passed on twice, and every hop has its reason."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from escalation.deciding.needed import done_meanwhile
from escalation.directory import ContactEntry, Person
from escalation.event import EventType
from escalation.incident import ClockState, Duty, IncidentState
from escalation.inputs import Decision, Entry, Receipt, Replay, SendResult
from escalation.notice import DeadLetter, Notice, NoticeState
from escalation.vocabulary import ClockKind, Level, Purpose, Severity, Verb
from tests.decisions.house import MINUTE, Story
from tests.rules.county import PEOPLE, county

WAYS = ("app", "mail", "sms")
EVERYBODY = tuple(
    Person(
        id=each.id,
        name=each.name,
        contacts=tuple(ContactEntry(channel=way, address=each.contacts[0].address) for way in WAYS[place % 3 :]),
    )
    for place, each in enumerate(PEOPLE)
)
"""One, two or three ways to each; the first of the three tells of a reading."""
SIGNERS = ("zhao", "sun", "qian", "wu", "chen", "chu", "shen")
HOPS = ("next_channel", "next_person", "unreachable_goes_up", "tier_passed_over", "next_tier_by_its_step")
LEFT = (SendResult.SUBMITTED, SendResult.UNCERTAIN, SendResult.DELIVERED, SendResult.READ)
LOST = (SendResult.REFUSED_RECIPIENT, SendResult.UNDELIVERED, SendResult.MISCONFIGURED)


class Hopping(RuleBasedStateMachine):
    """One incident whose messages fare badly while it rises, is signed, and the signature is taken back."""

    story: Story

    @initialize(warning=st.booleans())
    def begin(self, warning: bool) -> None:
        self.story = Story(directory=county(people=EVERYBODY), tells_reading=("app",))
        self.warning = warning
        self.written: list[Entry] = []
        self.dead: list[DeadLetter] = []
        if warning:
            self._did(self.story.warning(Level.YELLOW))
        else:
            self._did(self.story.alarm(Severity.HIGH))

    def _did(self, decision: Decision) -> None:
        self.written += decision.entries
        self.dead += decision.dead
        if decision.reason == "rose":
            self._all_hear()
        for entry in decision.entries:
            if entry.reason in HOPS:
                assert entry.detail["why"], entry
                self._hop_is_due(entry)

    def _all_hear(self) -> None:
        """Of a rise every duty of the new plan hears, whatever became of what was said before."""
        told = {each.duty for each in self.story.fresh if each.purpose is Purpose.ACT}
        for duty in self.story.incident.duties:
            if duty.open and duty.unit in {plan.unit for plan in self.story.incident.plan.duties}:
                assert duty.id in told, f"{duty.id} does not hear of the rise"

    def _hop_is_due(self, entry: Entry) -> None:
        """Nobody is told by another way of what is over."""
        made = self.story.incident.notices.get(entry.notice)
        if entry.reason == "next_channel" and made is not None and made in self.story.fresh:
            assert done_meanwhile(self.story.incident, made) is None, (entry, made)

    @property
    def notices(self) -> list[Notice]:
        return list(self.story.incident.notices.values())

    @rule(up=st.booleans(), data=st.data())
    def event(self, up: bool, data: st.DataObject) -> None:
        story = self.story
        if self.warning:
            level = data.draw(st.sampled_from([Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED]))
            kind = EventType.WARNING_ISSUED if up else EventType.WARNING_DOWNGRADED
            self._did(story.event(kind, level=level))
        else:
            severity = data.draw(st.sampled_from([Severity.HIGH, Severity.HIGH_HIGH]))
            kind = data.draw(st.sampled_from([EventType.ALARM_RAISED, EventType.ALARM_REPEATED]))
            self._did(story.event(kind if up else EventType.ALARM_CLEARED, severity=severity))

    @rule(person=st.sampled_from(SIGNERS), verb=st.sampled_from([Verb.SIGN, Verb.SIGN, Verb.VERIFY, Verb.TRANSFER]))
    def answer(self, person: str, verb: Verb) -> None:
        self._did(self.story.says(verb, person, text="已核实", cause="传感器故障", to="李四"))

    @rule(person=st.sampled_from(SIGNERS))
    def take_back(self, person: str) -> None:
        before = {duty.id for duty in self.story.incident.duties if duty.open and duty.signed is not None}
        self._did(self.story.says(Verb.UNDO, person))
        for duty in self.story.incident.duties:
            if duty.id in before and duty.open and duty.signed is None:
                clock = next(each for each in duty.clocks if each.kind is ClockKind.SIGN)
                assert clock.state is ClockState.RUNNING, "what is not signed runs"
                assert self._goes_on(duty), "and somebody is asked again"

    @precondition(lambda self: any(each.state is NoticeState.QUEUED for each in self.notices))
    @rule(
        data=st.data(),
        result=st.sampled_from([*LEFT, *LOST, SendResult.THROTTLED, SendResult.TRANSIENT]),
        minutes=st.sampled_from([0, 1, 20, 600]),
        tries=st.integers(1, 4),
    )
    def one_fares(self, data: st.DataObject, result: SendResult, minutes: int, tries: int) -> None:
        waiting = [each.id for each in self.notices if each.state is NoticeState.QUEUED]
        self._fares(data.draw(st.sampled_from(waiting)), result, minutes, tries)

    @precondition(lambda self: self.notices)
    @rule(data=st.data(), result=st.sampled_from([*LEFT, *LOST]))
    def a_report_comes_late(self, data: st.DataObject, result: SendResult) -> None:
        self._fares(data.draw(st.sampled_from([each.id for each in self.notices])), result, 0, 1)

    @rule(result=st.sampled_from([SendResult.SUBMITTED, *LOST, SendResult.THROTTLED, SendResult.TRANSIENT]))
    def all_fare(self, result: SendResult) -> None:
        for each in [each.id for each in self.notices if each.state is NoticeState.QUEUED]:
            self._fares(each, result, 600, 3)

    def _fares(self, notice: str, result: SendResult, minutes: int, tries: int) -> None:
        now = self.story.now
        until = now + minutes * MINUTE if result in (SendResult.THROTTLED, SendResult.TRANSIENT) else 0
        self._did(self.story.given(Receipt(notice=notice, result=result, at=now, tries=tries, until=until)))

    @precondition(lambda self: self.dead)
    @rule(data=st.data())
    def a_dead_letter_is_sent_again(self, data: st.DataObject) -> None:
        letter = data.draw(st.sampled_from(self.dead))
        if letter.told is not None and done_meanwhile(self.story.incident, letter.told) is None:
            self._did(self.story.given(Replay(letter=letter, by="周值守", why="已恢复")))

    @rule(minutes=st.sampled_from([0, 1, 5, 30]))
    def time_passes(self, minutes: int) -> None:
        self.story.wait(minutes)

    @rule(steps=st.integers(1, 3))
    def the_next_moments(self, steps: int) -> None:
        for _ in range(steps):
            due = self.story.incident.due_at()
            if due is None:
                return
            self.story.now = max(due, self.story.now)
            self._did(self.story.lapse())

    @invariant()
    def nobody_is_left_in_silence(self) -> None:
        if not hasattr(self, "story") or self.story.incident.state is IncidentState.CLOSED:
            return
        for duty in self.story.incident.duties:
            if duty.open and duty.signed is None and self.story.incident.active:
                assert self._goes_on(duty), f"{duty.id} is unsigned, and nobody will hear of it any more"

    def _goes_on(self, duty: Duty) -> bool:
        """Somebody was told and may hear, or will be told; or a tower further on goes on; or there is none left, and
        that was said."""
        if any(entry.reason == "nobody_anywhere" for entry in self.written):
            return True
        if any(each.duty == duty.id and each.purpose is Purpose.ACT and _heard(each) for each in self.notices):
            return True
        running = [clock for clock in duty.clocks if clock.state is ClockState.RUNNING]
        if any(not clock.lapsed_at or any(not step.fired_at for step in clock.steps) for clock in running):
            return True
        above = [each for each in self.story.incident.duties if each.open and each.tier.rank > duty.tier.rank]
        return any(each.signed is not None or self._goes_on(each) for each in above)

    @invariant()
    def nothing_is_passed_on_without_end(self) -> None:
        if not hasattr(self, "story"):
            return
        hops = [entry for entry in self.written if entry.reason == "next_channel"]
        ways = Counter((entry.detail["instead_of"], entry.notice, entry.actor) for entry in hops)
        assert max(ways.values(), default=1) == 1, "the same reader is passed on the same way once"
        calls = Counter(
            entry.notice for entry in self.written if entry.reason in ("next_person", "unreachable_goes_up")
        )
        assert max(calls.values(), default=0) <= 2, "one call when it will be late, and one when it is lost"


def _heard(notice: Notice) -> bool:
    return notice.state.reached_vendor or (notice.state is NoticeState.QUEUED and not notice.passed_on)


class HoppingForLong(Hopping):
    """The same machine, for as long as one likes."""


TestHopping = pytest.mark.timeout(300)(Hopping.TestCase)
TestHopping.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestHoppingForLong = pytest.mark.soak(HoppingForLong.TestCase)
TestHoppingForLong.settings = settings(
    max_examples=250, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
