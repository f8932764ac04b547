"""Returned, cleared, closed, opened again: and every odd order of those words."""

from __future__ import annotations

import pytest

from escalation.event import EventType, Flag
from escalation.incident import ClockState, IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind, Level, Severity, Verdict
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import FACTORY


def test_returned_before_anybody_signed_stays_open_until_the_acting_tier_signs() -> None:
    story = Story()
    story.alarm()
    story.wait(5)
    decision = story.cleared()
    assert (decision.reason, decision.verdict) == ("returned", Verdict.CLEARED)
    assert (story.incident.state, story.incident.active) == (IncidentState.OPEN, False)
    assert story.heard(NoticeKind.RETURNED) == {"赵一": "请关注", "孙三": "请关注"}
    story.wait(10)
    assert story.lapse().reason != "nothing_due", "its sign clock runs on"
    decision = story.signs("zhao")
    assert (story.incident.state, story.incident.closed_reason) == (IncidentState.CLOSED, "cleared_and_signed")
    assert "关闭" in decision.answer
    assert set(story.heard()) >= {"赵一", "孙三"}
    assert {notice.kind for notice in story.fresh} == {NoticeKind.CLOSED}, "one word about it, not two"


def test_the_clear_clock_is_met_by_the_return() -> None:
    story = Story()
    story.alarm()
    story.cleared()
    assert [clock.kind for clock in story.duty(FACTORY).clocks if clock.state is ClockState.MET] == [ClockKind.CLEAR]
    made = story.wait_until(60 * 24 * 3)
    assert not [notice for notice in made if notice.clock is ClockKind.CLEAR]


def test_a_second_clear_tells_nobody_again() -> None:
    story = Story()
    story.alarm()
    story.cleared()
    story.cleared()
    assert story.fresh == []


def test_the_clear_of_a_signed_incident_closes_it_and_all_who_were_told_hear() -> None:
    story = Story()
    story.alarm()
    story.wait_until(20)
    story.signs("zhao")
    story.cleared()
    assert story.incident.state is IncidentState.CLOSED
    assert story.heard(NoticeKind.CLOSED) == dict.fromkeys(["赵一", "孙三", "钱二"], "抄送知悉")
    assert story.incident.due_at() is None


def test_the_signature_of_a_lower_tier_does_not_speak_for_the_lead() -> None:
    story = Story()
    story.event(EventType.WARNING_CLEARED)
    story.warning(Level.ORANGE, at=NIGHT - MINUTE)
    assert not story.incident.active
    story.signs("sun")
    assert story.incident.state is IncidentState.OPEN
    story.signs("shen")
    assert story.incident.closed_reason == "cleared_and_signed"


@pytest.mark.parametrize(
    ("raised", "ended", "why"),
    [
        (EventType.WARNING_ISSUED, EventType.WARNING_CLEARED, "cleared_upstream"),
        (EventType.WARNING_ISSUED, EventType.WARNING_CANCELLED, "cancelled_upstream"),
        (EventType.DATA_OFFLINE, EventType.DATA_RESTORED, "cleared_upstream"),
        (EventType.VIDEO_OFFLINE, EventType.VIDEO_RESTORED, "cleared_upstream"),
    ],
)
def test_warnings_and_lost_signals_end_with_upstreams_word(raised: EventType, ended: EventType, why: str) -> None:
    story = Story()
    warning = raised is EventType.WARNING_ISSUED
    story.event(raised, level=Level.BLUE if warning else None, severity=None if warning else Severity.OFFLINE)
    assert story.heard()
    told = set(story.heard())
    assert story.event(ended).verdict is Verdict.CLEARED
    assert (story.incident.state, story.incident.closed_reason) == (IncidentState.CLOSED, why)
    assert set(story.heard(NoticeKind.CLOSED)) == told


def test_reopening_keeps_the_code_and_tells_a_new_story() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(1)
    story.cleared()
    old = set(story.incident.notices)
    story.wait(60)
    decision = story.event(EventType.ALARM_RAISED, severity=Severity.HIGH, source="other")
    assert (decision.reason, decision.verdict) == ("reopened", Verdict.REOPENED)
    incident = story.incident
    assert (incident.code, incident.episode, incident.raises, incident.source) == ("A0001", 2, 1, "other")
    assert (incident.deeds, incident.requests, incident.closed_at) == ([], [], 0)
    assert story.duty(FACTORY).opened_at == story.now
    assert story.heard(NoticeKind.REOPENED) == {"赵一": "须处置", "孙三": "须处置"}
    assert not old & set(incident.notices)


def test_a_clear_with_an_old_time_does_not_end_what_was_raised_again() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(10)
    story.cleared()
    story.wait(10)
    story.alarm()
    assert story.cleared(at=NIGHT + 5 * MINUTE).verdict is Verdict.STALE
    assert story.incident.active


def test_raise_and_clear_at_the_same_millisecond_go_by_the_order_they_came() -> None:
    story = Story()
    story.alarm(at=NIGHT)
    story.signs("zhao")
    assert story.cleared(at=NIGHT).verdict is Verdict.CLEARED
    assert story.incident.state is IncidentState.CLOSED
    assert story.alarm(at=NIGHT).reason == "reopened", "in doubt, ring"


def test_a_clear_of_a_closed_incident_only_moves_its_time() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(1)
    story.cleared()
    story.wait(5)
    decision = story.cleared()
    assert (decision.reason, decision.verdict) == ("already_closed", Verdict.MERGED)
    assert story.alarm(at=NIGHT + 3 * MINUTE).verdict is Verdict.STALE, "raised before the newest clear"
    assert story.decision.reason == "raised_before_its_clear"


def test_a_late_raise_from_before_the_clear_is_counted_and_stays_inactive() -> None:
    story = Story()
    story.alarm()
    story.wait(5)
    story.cleared()
    decision = story.alarm(at=NIGHT + MINUTE)
    assert (decision.reason, decision.verdict) == ("raised_before_its_clear", Verdict.MERGED)
    assert not story.incident.active


def test_a_late_rise_from_before_the_clear_is_told_and_stays_inactive() -> None:
    story = Story()
    story.alarm()
    story.wait(5)
    story.cleared()
    assert story.alarm(Severity.HIGH_HIGH, at=NIGHT + MINUTE).reason == "rose"
    assert not story.incident.active
    assert story.heard(NoticeKind.ROSE)["赵一"] == "须处置"
    assert story.duty(FACTORY).clocks[2].state is ClockState.MET, "it is clear, whatever it had been"
    story.signs("zhao")
    assert story.incident.state is IncidentState.CLOSED


def test_a_late_downgrade_is_stale() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    story.wait(10)
    story.warning(Level.ORANGE)
    decision = story.downgraded(Level.BLUE, at=NIGHT + MINUTE)
    assert (decision.reason, decision.verdict) == ("level_older_than_known", Verdict.STALE)
    assert story.incident.level is Level.ORANGE


def test_a_clear_before_its_raise_is_remembered_and_the_raise_is_told_as_returned() -> None:
    story = Story()
    decision = story.cleared(at=NIGHT + MINUTE)
    assert (decision.reason, decision.verdict, decision.tombstone) == (
        "cleared_before_raise",
        Verdict.STALE,
        NIGHT + MINUTE,
    )
    assert story.cleared(at=NIGHT).tombstone == NIGHT + MINUTE, "the newest clear counts"
    decision = story.alarm(at=NIGHT)
    assert decision.verdict is Verdict.CREATED
    assert (story.incident.active, story.incident.flags) == (False, (Flag.CLEARED_BEFORE_RAISE,))
    assert story.heard() == {"赵一": "须处置", "孙三": "须处置"}
    assert ClockKind.CLEAR not in {
        clock.kind for clock in story.duty(FACTORY).clocks if clock.state is ClockState.RUNNING
    }
    story.signs("zhao")
    assert story.incident.state is IncidentState.CLOSED


def test_a_raise_newer_than_the_clear_before_it_is_an_ordinary_raise() -> None:
    story = Story()
    story.cleared(at=NIGHT - MINUTE)
    story.alarm(at=NIGHT)
    assert (story.incident.active, story.incident.flags) == (True, ())


def test_nobody_whom_nothing_reaches_is_told_of_the_end() -> None:
    story = Story()
    story.alarm()
    for notice in story.incident.notices.values():
        if notice.to.name == "孙三":
            notice.state = notice.state.DEAD
    story.signs("zhao")
    story.cleared()
    assert "孙三" not in story.heard(NoticeKind.CLOSED)
