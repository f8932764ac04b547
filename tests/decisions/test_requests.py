"""延期, 批准, 不批准: a limit moves only by an approval from above, and never beyond the rule."""

from __future__ import annotations

from typing import Any

import pytest

from escalation.event import EventType
from escalation.incident import Clock, ClockState, IncidentState
from escalation.notice import NoticeKind
from escalation.profile import ClockRule
from escalation.vocabulary import ClockKind, Level, Role, Severity, Verb
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import FACTORY


def limit(story: Story, unit: str = FACTORY, kind: ClockKind = ClockKind.CLEAR) -> Clock:
    return next(clock for clock in story.duty(unit).clocks if clock.kind is kind)


def asked(minutes: int = 120, person: str = "sun", severity: Severity = Severity.HIGH) -> Story:
    """A clear limit of 24 hours, and somebody at the enterprise who asks for two more."""
    story = Story()
    story.alarm(severity)
    story.says(Verb.EXTEND, person, text="等备件", minutes=minutes, clock=ClockKind.CLEAR)
    return story


def test_an_extension_is_a_request_and_the_limit_runs_on() -> None:
    story = asked()
    assert limit(story).due_at == NIGHT + 24 * 60 * MINUTE
    assert story.decision.answer == (
        "A0001 已记录延期申请：消警时限延长2小时，已报石桥镇。批准前时限不变，11-22 02:00前消警。"
    )
    assert {"褚东", "蒋西", "石桥镇值班室"} <= set(story.heard(NoticeKind.REQUESTED))
    assert story.duty(FACTORY).signed is not None, "who asks for more time has seen it"


def test_an_officer_of_the_tier_above_approves_and_the_limit_moves_with_its_rungs() -> None:
    story = asked()
    before = [step.at for step in limit(story).steps]
    decision = story.says(Verb.APPROVE, "chu")
    assert limit(story).due_at == NIGHT + 26 * 60 * MINUTE
    assert [step.at for step in limit(story).steps] == [at + 120 * MINUTE for at in before]
    assert decision.answer == "A0001 已记录：批准延期2小时，消警时限改为11-22 04:00，已告知孙三。"
    assert story.heard(NoticeKind.PROGRESS)["孙三"] == "请关注"
    assert story.fresh[0].note == "褚东批准延期2小时，消警时限改为11-22 04:00"
    assert story.reasons()[0] == "reply_approve"
    assert story.decision.entries[0].detail["minutes"] == 120
    made = story.wait_until(25 * 60)
    assert not [notice for notice in made if notice.clock is ClockKind.CLEAR and notice.kind is NoticeKind.ESCALATED]


def test_a_refusal_leaves_the_limit_and_is_heard_with_its_reason() -> None:
    story = asked()
    decision = story.says(Verb.REFUSE, "chu", text="先停机")
    assert limit(story).due_at == NIGHT + 24 * 60 * MINUTE
    assert "不批准延期" in decision.answer
    assert {notice.note for notice in story.fresh} == {"褚东不批准延期，消警时限仍为11-22 02:00：先停机"}
    assert story.says(Verb.APPROVE, "chu").reason == "nothing_to_judge"


@pytest.mark.parametrize("person", ["zhao", "sun", "zhou", "zhu"])
def test_nobody_approves_an_extension_of_their_own_unit_or_without_an_officers_post(person: str) -> None:
    story = asked()
    assert story.says(Verb.APPROVE, person).reason == "nothing_to_judge"
    assert limit(story).extended == 0


def test_a_higher_tier_may_approve_as_well_and_only_once() -> None:
    story = asked()
    story.says(Verb.APPROVE, unit="county", role=Role.DUTY_ROOM)
    assert limit(story).extended == 120
    assert story.says(Verb.APPROVE, "chu").reason == "nothing_to_judge"
    assert limit(story).extended == 120


def test_a_lower_tier_does_not_grant_a_higher_one_more_time() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.EXTEND, "shen", text="路远", minutes=30, clock=ClockKind.VERIFY)
    assert story.incident.requests
    assert story.says(Verb.APPROVE, "chu").reason == "nothing_to_judge"
    assert story.says(Verb.APPROVE, unit="city", role=Role.DUTY_ROOM).reason == "reply_approve"


def test_an_approval_may_give_another_figure_and_never_more_than_the_rule() -> None:
    story = asked()
    assert story.says(Verb.APPROVE, "chu", minutes=25 * 60).reason == "extension_beyond_rule"
    story.says(Verb.APPROVE, "chu", minutes=60)
    assert limit(story).due_at == NIGHT + 25 * 60 * MINUTE


def test_what_is_left_of_the_rule_shrinks_with_each_approval() -> None:
    story = asked(minutes=20 * 60)
    story.says(Verb.APPROVE, "chu")
    decision = story.says(Verb.EXTEND, "sun", text="备件未到", minutes=6 * 60, clock=ClockKind.CLEAR)
    assert (decision.reason, "最多还可延长4小时" in decision.answer) == ("extension_beyond_rule", True)
    story.says(Verb.EXTEND, "sun", text="备件未到", minutes=4 * 60, clock=ClockKind.CLEAR)
    story.says(Verb.APPROVE, "chu")
    assert story.says(Verb.EXTEND, "sun", text="又", minutes=1, clock=ClockKind.CLEAR).reason == "extension_used_up"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"minutes": 60}, "extension_no_reason"),
        ({"text": "等备件"}, "extension_how_long"),
        ({"minutes": 60, "text": "忙", "clock": ClockKind.SIGN}, "nothing_to_extend"),
        ({"minutes": 60, "text": "忙", "clock": ClockKind.FEEDBACK}, "nothing_to_extend"),
        ({"until": NIGHT + MINUTE, "text": "忙", "clock": ClockKind.CLEAR}, "extension_not_later"),
        ({"minutes": 25 * 60, "text": "忙", "clock": ClockKind.CLEAR}, "extension_beyond_rule"),
    ],
)
def test_what_cannot_be_asked_for_says_why_and_records_nothing(more: dict[str, Any], reason: str) -> None:
    story = Story()
    story.alarm()
    assert story.says(Verb.EXTEND, "sun", **more).reason == reason
    assert (story.incident.requests, story.incident.deeds) == ([], [])


def test_a_rule_without_extend_cannot_be_extended() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    decision = story.says(Verb.EXTEND, "sun", text="等", minutes=10, clock=ClockKind.VERIFY)
    assert decision.reason == "extension_not_allowed"
    with pytest.raises(ValueError, match="签收时限不能延期"):
        ClockRule.model_validate({"clock": "sign", "limit": "5m", "extend": "5m"})


def test_without_a_named_limit_the_first_due_that_may_move_is_meant() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.says(Verb.EXTEND, "sun", text="等备件", minutes=60)
    assert story.incident.requests[-1].clock is ClockKind.CLEAR


def test_until_a_moment_counts_from_the_limit() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.EXTEND, "sun", text="等备件", until=NIGHT + 30 * 60 * MINUTE, clock=ClockKind.CLEAR)
    story.says(Verb.APPROVE, "chu")
    assert limit(story).due_at == NIGHT + 30 * 60 * MINUTE


def test_a_limit_that_had_passed_may_be_given_again_and_passes_again() -> None:
    story = asked()
    story.wait_until(24 * 60 + 30)
    assert limit(story).lapsed_at
    story.says(Verb.APPROVE, "chu")
    assert not limit(story).lapsed_at
    story.wait_until(26 * 60 + 1)
    assert limit(story).lapsed_at


def test_a_lowered_level_keeps_what_was_granted() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.EXTEND, "sun", text="整改", minutes=120)
    story.says(Verb.APPROVE, "shen")
    story.downgraded(Level.YELLOW)
    clock = limit(story)
    assert (clock.extended, clock.due_at - clock.started_at) == (120, 26 * 60 * MINUTE)


def test_the_acting_tier_approves_a_clear_request_and_it_closes_once_upstream_is_quiet() -> None:
    story = Story()
    story.event(EventType.WARNING_CLEARED)
    story.warning(Level.ORANGE, at=NIGHT - MINUTE)
    story.says(Verb.CLEAR, "sun", text="已整改")
    assert story.says(Verb.APPROVE, "chu").reason == "nothing_to_judge", "the town does not lead this"
    decision = story.says(Verb.APPROVE, "shen")
    assert (story.incident.state, story.incident.closed_reason) == (IncidentState.CLOSED, "accepted_clear")
    assert decision.answer == "W0001 已批准消警，本警情关闭。"


def test_an_approved_clear_closes_nothing_while_upstream_still_says_so() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.CLEAR, "sun", text="已整改")
    decision = story.says(Verb.APPROVE, "shen")
    assert "警情保持" in decision.answer
    assert story.incident.state is IncidentState.OPEN
    assert story.duty("county").signed is not None
    assert "孙三" in story.heard(NoticeKind.PROGRESS)


def test_a_refused_clear_stays_open_and_is_heard() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.CLEAR, "sun", text="已整改")
    story.says(Verb.REFUSE, "shen", text="请补照片")
    assert {notice.note for notice in story.fresh if notice.kind is NoticeKind.PROGRESS} == {
        "沈北不批准消警，警情保持：请补照片"
    }
    assert story.incident.state is IncidentState.OPEN


def test_two_kinds_of_requests_are_asked_back_unless_the_word_says_which() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.CLEAR, "sun", text="已整改")
    story.says(Verb.EXTEND, "sun", text="等验收", minutes=60)
    decision = story.says(Verb.APPROVE, "shen")
    assert (decision.reason, "批准消警 W0001" in decision.answer) == ("which_request", True)
    story.says(Verb.APPROVE, "shen", of=Verb.EXTEND)
    assert [request.answer is not None for request in story.incident.requests] == [False, True]


def test_a_request_for_a_limit_that_was_met_meanwhile_waits_for_nobody() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.EXTEND, "sun", text="等人", minutes=60, clock=ClockKind.VERIFY)
    story.says(Verb.VERIFY, "sun", text="好了")
    assert limit(story, kind=ClockKind.VERIFY).state is ClockState.MET
    assert story.says(Verb.APPROVE, "chu").reason == "nothing_to_judge"
