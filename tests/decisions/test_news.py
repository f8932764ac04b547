"""What an event is: news that rings, one more of the same, a word too late, or the end."""

from __future__ import annotations

import pytest

from escalation.event import Event, EventType, Flag
from escalation.incident import ClockState, IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind, Level, Mode, Severity, Urgency, Verb, Verdict
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import FACTORY, NEXT_DOOR, PEOPLE, county, sms


def test_a_first_alarm_tells_whom_the_plan_names_and_starts_the_clocks() -> None:
    story = Story()
    decision = story.alarm()
    assert (decision.reason, decision.verdict) == ("opened", Verdict.CREATED)
    assert story.heard() == {"赵一": "须处置", "孙三": "须处置"}
    assert story.incident.urgency is Urgency.NORMAL
    assert {clock.kind for clock in story.duty(FACTORY).clocks} == {ClockKind.SIGN, ClockKind.VERIFY, ClockKind.CLEAR}
    assert story.incident.due_at() == NIGHT + 10 * MINUTE


def test_an_orange_warning_tells_acting_informed_and_watching_posts_apart() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    assert story.heard() == {
        "示例县应急局值班室": "须处置",
        "沈北": "须处置",
        "吴六": "须处置",
        "周五": "须处置",
        "孙三": "须处置",
        "石桥镇值班室": "请关注",
        "陈十": "请关注",
        "褚东": "请关注",
        "卫南": "请关注",
        "示例市应急局值班室": "抄送知悉",
    }


def test_critical_uses_every_contact_of_who_must_act_and_one_of_who_watches() -> None:
    calm, critical = Story(), Story()
    calm.alarm(Severity.HIGH)
    critical.alarm(Severity.HIGH_HIGH)
    assert all(notice.urgency is Urgency.NORMAL for notice in calm.fresh)
    assert all(notice.urgency is Urgency.CRITICAL for notice in critical.fresh)
    red = Story()
    red.warning(Level.RED)
    watching = {notice.urgency for notice in red.fresh if notice.purpose.word != "须处置"}
    assert watching == {Urgency.NORMAL}


@pytest.mark.parametrize("kind", [EventType.ALARM_REPEATED, EventType.ALARM_RAISED])
def test_the_same_again_while_nobody_has_signed_is_counted_and_rings_nobody(kind: EventType) -> None:
    story = Story()
    story.alarm()
    story.wait(1)
    decision = story.event(kind, severity=Severity.HIGH, value=91.5)
    assert (decision.reason, decision.verdict) == ("folded", Verdict.MERGED)
    assert story.fresh == []
    assert (story.incident.raises, story.incident.value) == (2, 91.5)


def test_a_rise_is_news_with_new_clocks_for_all_and_every_signature_is_asked_anew() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(5)
    decision = story.alarm(Severity.HIGH_HIGH)
    assert (decision.reason, decision.verdict) == ("rose", Verdict.UPDATED)
    assert story.incident.urgency is Urgency.CRITICAL
    assert story.heard(NoticeKind.ROSE) == dict.fromkeys(["赵一", "孙三", "示例木业有限公司值班室", "王元"], "须处置")
    assert story.fresh[0].note == "high"
    duty = story.duty(FACTORY)
    assert duty.signed is None
    assert duty.clocks[0].due_at == story.now + 5 * MINUTE


def test_a_tower_that_was_lit_stays_lit_through_a_rise_and_hears_it() -> None:
    story = Story()
    story.alarm()
    story.wait_until(181)
    assert story.duty("town").open
    story.says(Verb.SIGN, "chen")
    story.alarm(Severity.HIGH_HIGH)
    town = story.duty("town")
    assert (town.open, town.signed) == (True, None)
    heard = story.heard(NoticeKind.ROSE)
    assert (heard["石桥镇值班室"], heard["陈十"]) == ("须处置", "须处置")
    assert heard["吴六"] == "请关注", "who was told before hears it too"


def test_a_rise_of_level_hands_the_lead_to_the_higher_tier_and_tells_the_lower() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    story.signs("chu")
    story.warning(Level.ORANGE)
    assert story.duty("town").closed_reason == "led_by_another_tier"
    assert story.duty("county").signed is None
    assert story.heard(NoticeKind.ROSE)["褚东"] == "请关注"


def test_whoever_has_a_new_number_meanwhile_hears_of_a_rise_once_and_there() -> None:
    story = Story()
    story.alarm()
    story.directory = county(
        people=tuple(p.model_copy(update={"contacts": sms(99)}) if p.id == "zhao" else p for p in PEOPLE)
    )
    story.alarm(Severity.HIGH_HIGH)
    assert [notice.contact.address for notice in story.fresh if notice.to.name == "赵一"] == ["13800130099"]


def test_another_severity_of_the_same_rank_is_news_and_keeps_the_unsigned_clocks() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    due = story.incident.due_at()
    story.wait(1)
    assert story.alarm(Severity.INTERLOCK).reason == "raised_again"
    assert story.incident.severity is Severity.INTERLOCK
    assert story.heard()["赵一"] == "须处置"
    assert story.incident.due_at() == due


def test_a_lower_raise_is_counted_even_after_a_signature() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.signs("zhao")
    assert story.alarm(Severity.HIGH).reason == "folded"
    assert story.incident.severity is Severity.HIGH_HIGH
    assert story.duty(FACTORY).signed is not None


def test_a_raise_after_the_signature_is_a_new_notice_to_be_signed_for() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(3)
    assert story.event(EventType.ALARM_REPEATED, severity=Severity.HIGH).reason == "folded"
    decision = story.alarm()
    assert (decision.reason, decision.verdict) == ("raised_again", Verdict.UPDATED)
    assert story.heard(NoticeKind.REOPENED) == {"赵一": "须处置", "孙三": "须处置"}
    assert story.duty(FACTORY).signed is None
    assert story.duty(FACTORY).clocks[0].started_at == story.now


def test_a_raise_after_a_return_nobody_signed_rings_again_without_giving_more_time() -> None:
    story = Story()
    story.alarm()
    story.wait(5)
    story.cleared()
    assert story.duty(FACTORY).clocks[2].state is ClockState.MET
    story.wait(2)
    assert story.alarm().reason == "raised_again"
    assert story.incident.active
    clocks = {clock.kind: clock for clock in story.duty(FACTORY).clocks}
    assert clocks[ClockKind.SIGN].started_at == NIGHT, "an alarm that comes and goes still climbs"
    assert clocks[ClockKind.CLEAR].started_at == story.now
    assert clocks[ClockKind.CLEAR].state is ClockState.RUNNING


def test_an_alarm_that_comes_and_goes_still_reaches_the_town() -> None:
    story = Story()
    story.alarm()
    made = []
    for minute in range(2, 200, 2):
        made += story.wait_until(minute)
        if minute % 4:
            story.cleared()
        else:
            story.alarm()
    assert "石桥镇值班室" in {notice.to.name for notice in made}


def test_a_ladder_that_is_used_up_starts_afresh_with_the_next_raise() -> None:
    story = Story()
    story.alarm()
    story.wait_until(60 * 24 * 4)
    story.cleared()
    story.wait(1)
    story.alarm()
    assert story.duty(FACTORY).clocks[0].started_at == story.now
    assert story.duty("town").signed is None
    assert story.duty("town").clocks[0].started_at == story.now


def test_a_level_down_closes_the_higher_duty_and_all_who_were_told_hear_it() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    opened = story.now
    story.wait(30)
    story.warning(Level.ORANGE)
    everybody = {who.name for notice in story.incident.notices.values() for who in notice.everybody}
    story.wait(30)
    decision = story.downgraded(Level.YELLOW)
    assert decision.reason == "lowered"
    assert story.duty("county").closed_reason == "level_lowered"
    assert story.duty("town").opened_at == opened
    assert {clock.started_at for clock in story.duty("town").clocks} == {opened}, "the lower keeps its original start"
    heard = story.heard(NoticeKind.LOWERED)
    assert set(heard) >= everybody
    assert heard["褚东"] == "须处置"
    assert heard["沈北"] == "请关注"
    assert story.fresh[0].note == "orange"


def test_what_the_lower_duty_had_done_before_the_rise_stays_done() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    story.says(Verb.VERIFY, "chu")
    story.wait(30)
    story.warning(Level.ORANGE)
    story.wait(30)
    story.downgraded(Level.YELLOW)
    town = story.duty("town")
    assert town.signed is not None
    assert {clock.kind for clock in town.clocks if clock.state is ClockState.RUNNING} == {ClockKind.FEEDBACK}
    assert story.heard()["褚东"] == "请关注", "nothing new is asked of who has signed"


def test_a_rung_that_fired_before_the_rise_does_not_fire_again_after_the_fall() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    story.wait_until(55)
    story.warning(Level.ORANGE)
    story.wait(1)
    story.downgraded(Level.YELLOW)
    fired = [step.action for step in story.duty("town").clocks[0].steps if step.fired_at]
    assert fired == ["remind", "second_person"]


def test_a_tower_lit_under_red_leads_orange_with_all_its_clocks() -> None:
    story = Story()
    story.warning(Level.RED)
    story.wait_until(12)
    assert [clock.kind for clock in story.duty("county").clocks] == [ClockKind.SIGN], "lit by the enterprise's ladder"
    lit_at = story.duty("county").opened_at
    story.downgraded(Level.ORANGE)
    county_duty = story.duty("county")
    assert [clock.kind for clock in county_duty.clocks] == [ClockKind.SIGN, ClockKind.VERIFY, ClockKind.FEEDBACK]
    assert {clock.started_at for clock in county_duty.clocks} == {lit_at}
    assert len(county_duty.clocks[0].steps) > 3
    assert story.duty("city").closed_reason == "level_lowered"
    assert story.heard(NoticeKind.LOWERED)["沈北"] == "须处置"


def test_a_limit_that_moves_away_under_the_lower_level_can_still_run_out() -> None:
    story = Story()
    story.warning(Level.RED)
    story.wait_until(22)
    assert story.duty("county").clocks[0].lapsed_at
    story.downgraded(Level.ORANGE)
    sign = story.duty("county").clocks[0]
    assert (sign.due_at, sign.lapsed_at) == (NIGHT + 40 * MINUTE, 0)
    story.wait_until(41)
    assert story.duty("county").clocks[0].lapsed_at == NIGHT + 40 * MINUTE


def test_a_downgrade_to_the_level_that_is_known_changes_nothing() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    story.signs("chu")
    assert story.downgraded(Level.YELLOW).reason == "folded"
    assert story.duty("town").signed is not None


def test_a_level_nobody_knows_rings_as_the_highest() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    assert story.event(EventType.WARNING_UPGRADED, level=None, flags=(Flag.UNKNOWN_LEVEL,)).reason == "rose"
    assert story.incident.urgency is Urgency.CRITICAL
    assert story.duty("city").open
    assert story.downgraded(Level.BLUE).reason == "lowered"
    assert story.fresh[0].note == ""


def test_a_repeat_that_names_no_severity_repeats_the_known_one() -> None:
    story = Story()
    story.alarm()
    decision = story.event(EventType.ALARM_REPEATED, severity=Severity.HIGH_HIGH, flags=(Flag.UNKNOWN_LEVEL,))
    assert decision.reason == "folded"
    assert story.incident.severity is Severity.HIGH


def test_exercise_and_actual_are_two_incidents() -> None:
    def event(mode: Mode, kind: EventType = EventType.ALARM_RAISED) -> Event:
        return Event(
            source="s", id="1", type=kind, at=1, received_at=1, body_hash="", enterprise=FACTORY, point="T01", mode=mode
        )

    modes = {event(mode).correlation for mode in Mode}
    assert len(modes) == 3
    assert event(Mode.EXERCISE, EventType.ALARM_CLEARED).correlation == event(Mode.EXERCISE).correlation
    story = Story()
    story.event(EventType.ALARM_RAISED, severity=Severity.HIGH, mode=Mode.EXERCISE)
    assert story.incident.mode.mark == "【演练】"


def test_trial_records_everything_and_sends_nothing() -> None:
    story = Story(enterprise=NEXT_DOOR)
    story.warning(Level.RED)
    assert story.decision.outbox == []
    assert "told_on_trial" in story.reasons()
    story.wait_until(300)
    assert story.duty("county").open, "its ladder climbs on paper"
    story.event(EventType.WARNING_CLEARED)
    assert story.heard(NoticeKind.CLOSED), "and who would hear the end is on paper too"
    assert {notice.detail for notice in story.incident.notices.values()} == {"trial"}


def test_an_unknown_enterprise_is_told_and_the_maintainers_hear() -> None:
    story = Story(enterprise="91000000DEM0000099")
    decision = story.event(EventType.ALARM_RAISED, severity=Severity.HIGH, flags=(Flag.UNKNOWN_ENTERPRISE,))
    assert decision.verdict is Verdict.QUARANTINED
    assert story.heard(NoticeKind.RAISED) == {"示例县应急局值班室": "须处置", "沈北": "须处置"}
    assert story.heard(NoticeKind.QUARANTINE) == {"朱夏": "请关注"}


def test_an_unknown_severity_opens_as_critical_and_the_maintainers_hear() -> None:
    story = Story(directory=county())
    decision = story.event(EventType.ALARM_RAISED, severity=None, flags=(Flag.UNKNOWN_LEVEL,))
    assert (decision.verdict, story.incident.urgency) == (Verdict.QUARANTINED, Urgency.CRITICAL)
    assert "级别不明" in story.incident.plan.rule
    assert "朱夏" in story.heard(NoticeKind.QUARANTINE)
    assert story.incident.state is IncidentState.OPEN


def test_an_old_reading_is_not_told_for_one_that_came_as_words() -> None:
    story = Story()
    story.event(EventType.ALARM_RAISED, severity=Severity.HIGH, value=60.0)
    story.wait(1)
    story.event(EventType.ALARM_RAISED, severity=Severity.HIGH_HIGH, flags=(Flag.UNKNOWN_READING,))
    assert (story.incident.value, story.incident.flags) == (None, (Flag.UNKNOWN_READING,))
    story.wait(1)
    story.event(EventType.ALARM_REPEATED, severity=Severity.HIGH_HIGH, value=90.0)
    assert (story.incident.value, story.incident.flags) == (90.0, ())
    story.wait(1)
    story.event(EventType.ALARM_CLEARED)
    assert story.incident.value == 90.0, "nothing said is not words"
