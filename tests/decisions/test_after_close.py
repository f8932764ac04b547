"""After the close the official system may still wait for its feedback: whoever owes it is reminded, not for ever."""

from __future__ import annotations

import pytest

from escalation.deciding.official import owing
from escalation.event import EventType
from escalation.incident import IncidentState
from escalation.inputs import SendResult
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.plan import sample_profile
from escalation.profile import Profile
from escalation.vocabulary import ClockKind, Level, Role, Verb
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import at, without

HOUR = 60
DAY = 24 * HOUR


def closed(*, reported: bool = True, profile: Profile | None = None, now: int | None = None) -> Story:
    """An orange warning that upstream took back while the county had not fed back."""
    story = Story(profile=profile) if now is None else Story(profile=profile, now=now)
    story.warning(Level.ORANGE)
    story.wait(10)
    if reported:
        story.says(Verb.VERIFY, "shen", cause="传感器故障", text="现场核实探头损坏")
        story.says(Verb.DISPOSE, "shen", text="已更换探头")
    else:
        story.signs("shen")
    story.wait(50)
    story.event(EventType.WARNING_CLEARED)
    assert story.incident.state is IncidentState.CLOSED
    return story


def reminders(story: Story, until: int = 30 * DAY) -> list[tuple[int, str]]:
    """The minutes after the close at which somebody is reminded, and who; nothing else may be made."""
    made: list[Notice] = story.wait_until(until)
    assert {each.kind for each in made} <= {NoticeKind.OFFICIAL}
    assert {each.clock for each in made} <= {ClockKind.FEEDBACK}
    return [((each.created_at - story.incident.closed_at) // MINUTE, each.to.name) for each in made]


def with_times(*times: str) -> Profile:
    return sample_profile().model_copy(update={"after_close": times})


def test_whoever_owes_the_feedback_hears_it_a_day_and_three_days_after_the_close_and_then_no_more() -> None:
    story = closed()
    assert reminders(story) == [(DAY, "沈北"), (3 * DAY, "沈北")]
    assert story.incident.due_at() is None
    assert owing(story.incident), "owed all the same: nobody has said so"


def test_it_is_reminded_of_without_a_text_where_nobody_told_cause_and_measure() -> None:
    story = closed(reported=False)
    assert story.heard(NoticeKind.OFFICIAL) == {}
    assert reminders(story) == [(DAY, "沈北"), (3 * DAY, "沈北")]


def test_the_word_that_it_was_fed_back_ends_them_and_taking_it_back_brings_them_again() -> None:
    story = closed()
    story.wait(HOUR)
    story.says(Verb.FED_BACK, "shen")
    assert story.incident.due_at() is None
    story.wait(2)
    story.says(Verb.UNDO, "shen")
    assert reminders(story) == [(DAY, "沈北"), (3 * DAY, "沈北")]


def test_a_reminder_that_reaches_nobody_is_a_dead_letter_and_lights_no_tower() -> None:
    story = closed()
    story.now = max(story.now, story.incident.due_at() or 0)
    story.lapse()
    while waiting := [each for each in story.incident.notices.values() if each.state is NoticeState.QUEUED]:
        for each in waiting:
            story.receipt(each, SendResult.REFUSED_RECIPIENT)
    dead = {each.kind for each in story.incident.notices.values() if each.state is NoticeState.DEAD}
    assert NoticeKind.OFFICIAL in dead
    assert not any(duty.open for duty in story.incident.duties)
    assert NoticeKind.ESCALATED not in {each.kind for each in story.incident.notices.values()}
    assert owing(story.incident)


def test_nobody_at_the_post_after_the_close_hears_it_at_the_next_tier_without_a_duty() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.wait(5)
    story.event(EventType.WARNING_CLEARED)
    story.send_all()
    story.now = max(story.now, story.incident.due_at() or 0)
    story.lapse()
    reminders = story.fresh
    story.directory = without(*(("county", role) for role in (Role.DUTY_ROOM, Role.OFFICER, Role.LEADER_ON_DUTY)))
    for each in reminders:
        story.receipt(each, SendResult.DROPPED, detail="off_duty")
    assert {(each.kind, each.to.unit) for each in story.fresh} == {(NoticeKind.OFFICIAL, "city")}
    assert not any(duty.open for duty in story.incident.duties)


def test_what_fell_due_while_the_hub_was_away_is_said_once() -> None:
    story = closed()
    story.wait(10 * DAY)
    story.lapse()
    assert [each.kind for each in story.fresh] == [NoticeKind.OFFICIAL]
    assert story.reasons().count("still_not_fed_back") == 2, "each reminder is in the journal"
    assert story.incident.due_at() is None


def test_the_profile_says_when_or_never() -> None:
    assert reminders(closed(profile=with_times("30m", "4h"))) == [(30, "沈北"), (4 * HOUR, "沈北")]
    never = closed(profile=with_times())
    assert never.incident.due_at() is None
    assert reminders(never) == []


def test_a_clock_of_working_hours_is_reminded_in_working_hours() -> None:
    rules = tuple(
        rule.model_copy(
            update={
                "duties": tuple(
                    duty.model_copy(
                        update={"clocks": tuple(each.model_copy(update={"working": True}) for each in duty.clocks)}
                    )
                    for duty in rule.duties
                )
            }
        )
        for rule in sample_profile().rules
    )
    profile = with_times("7h").model_copy(update={"rules": rules})
    # Friday afternoon; seven working hours later it is Monday afternoon.
    story = closed(profile=profile, now=at("2026-11-20 14:00"))
    assert [minute // DAY for minute, _ in reminders(story)] == [3]


def test_an_incident_that_opens_again_is_no_more_reminded_of_the_old_feedback() -> None:
    story = closed()
    story.wait(HOUR)
    story.warning(Level.ORANGE)
    assert story.incident.state is IncidentState.OPEN
    assert not [
        step for duty in story.incident.duties for clock in duty.clocks for step in clock.steps if step.afterwards
    ]


def test_a_close_that_is_taken_back_takes_its_reminders_along() -> None:
    story = Story()
    story.event(EventType.WARNING_CLEARED)
    story.warning(Level.ORANGE, at=NIGHT - MINUTE)
    story.wait(1)
    story.signs("shen")
    assert story.incident.closed_reason == "cleared_and_signed"
    assert len(story.incident.afterwards()) == 2
    story.wait(1)
    story.says(Verb.UNDO, "shen")
    assert story.incident.state is IncidentState.OPEN
    assert not [
        step for duty in story.incident.duties for clock in duty.clocks for step in clock.steps if step.afterwards
    ]


@pytest.mark.parametrize("times", [("24",), ("0h",), tuple(["1h"] * 6)])
def test_times_that_are_none_are_refused(times: tuple[str, ...]) -> None:
    whole = sample_profile().model_dump()
    with pytest.raises(ValueError, match="after_close"):
        Profile.model_validate(whole | {"after_close": times})
