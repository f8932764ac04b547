"""What is owed to the official system: the text to paste, the reminder, and the word of whoever fed it back."""

from __future__ import annotations

import pytest

from escalation.decide import still_needed
from escalation.deciding.official import results
from escalation.event import EventType
from escalation.incident import IncidentState
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import ClockKind, Level, Verb
from tests.decisions.house import MINUTE, Story

HOUR = 60


def given(story: Story) -> dict[str, str]:
    return story.heard(NoticeKind.OFFICIAL)


def reported(feedback: bool = False) -> Story:
    """An orange warning that the county has verified and disposed of."""
    story = Story(feedback={"gateway": ("upstream",)} if feedback else None)
    story.warning(Level.ORANGE)
    story.wait(10)
    story.says(Verb.VERIFY, "shen", cause="传感器故障", text="现场核实探头损坏")
    story.wait(10)
    story.says(Verb.DISPOSE, "shen", text="已更换探头")
    return story


def the_text(story: Story) -> Notice:
    return next(each for each in reversed(story.incident.notices.values()) if each.kind is NoticeKind.OFFICIAL)


def test_the_text_comes_as_soon_as_cause_and_measure_are_known_to_whoever_must_feed_back() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.wait(10)
    story.says(Verb.VERIFY, "shen", cause="传感器故障")
    assert given(story) == {}
    story.wait(10)
    story.says(Verb.DISPOSE, "shen", text="已更换探头")
    assert given(story) == {"沈北": "须处置"}
    found = results(story.incident, story.duty("county"))
    assert found is not None
    assert (found.cause, found.measure, found.verified.name) == ("传感器故障", "已更换探头", "沈北")
    assert the_text(story).due_at == story.incident.opened_at + 24 * HOUR * MINUTE


def test_what_the_enterprise_reported_is_enough_and_goes_to_those_who_bear_the_duty() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.wait(10)
    story.says(Verb.VERIFY, "zhao", cause="工艺波动")
    story.says(Verb.DISPOSE, "zhao", text="已降负荷")
    assert "赵一" not in given(story), "the enterprise owes the official system nothing here"
    assert given(story)
    found = results(story.incident, story.duty("county"))
    assert found is not None
    assert found.disposed.name == "赵一"


def test_whoever_signs_after_all_was_reported_gets_the_text_then() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.VERIFY, "zhao", cause="工艺波动")
    story.says(Verb.DISPOSE, "zhao", text="已降负荷")
    story.wait(5)
    story.signs("shen")
    assert given(story) == {"沈北": "须处置"}


def test_an_answer_here_leaves_the_feedback_owed_and_its_reminder_comes() -> None:
    story = reported()
    assert story.duty("county").fed_back is None
    made = story.wait_until(20 * HOUR)
    reminded = [each for each in made if each.kind is NoticeKind.REMIND and each.clock is ClockKind.FEEDBACK]
    assert reminded


def test_the_word_that_it_was_fed_back_ends_reminders_and_texts_that_wait() -> None:
    story = reported()
    text = the_text(story)
    story.wait(1)
    story.says(Verb.FED_BACK, "shen")
    fed_back = story.duty("county").fed_back
    assert fed_back is not None
    assert fed_back.name == "沈北"
    assert still_needed(story.incident, text.id, None) == "clock_met_meanwhile"
    made = story.wait_until(40 * HOUR)
    assert not [each for each in made if each.clock is ClockKind.FEEDBACK]


def test_only_the_newest_text_is_still_sent() -> None:
    story = reported()
    first = the_text(story)
    story.wait(1)
    story.says(Verb.DISPOSE, "shen", text="已更换探头并校准")
    assert still_needed(story.incident, first.id, None) == "superseded"
    assert still_needed(story.incident, the_text(story).id, None) is None


def test_the_close_leaves_it_owed_and_it_can_still_be_said() -> None:
    story = reported(feedback=True)
    story.wait(30)
    story.event(EventType.WARNING_CLEARED)
    assert story.incident.state is IncidentState.CLOSED
    assert given(story) == {"沈北": "须处置"}
    assert still_needed(story.incident, the_text(story).id, None) is None
    story.wait(60)
    decision = story.says(Verb.FED_BACK, "shen")
    assert decision.answer.startswith("W0001 已记录：沈北")
    assert story.incident.state is IncidentState.CLOSED
    assert [each.note for each in story.fresh if each.kind is NoticeKind.FEEDBACK] == ["fed_back"]
    assert "没有待系统反馈" in story.says(Verb.FED_BACK, "shen").answer
    assert "已于" in story.says(Verb.DISPOSE, "shen", text="迟到的话").answer


@pytest.mark.parametrize("closed", [False, True])
def test_taking_it_back_makes_it_owed_again_and_opens_nothing(closed: bool) -> None:
    story = reported()
    if closed:
        story.wait(1)
        story.event(EventType.WARNING_CLEARED)
    story.wait(1)
    story.says(Verb.FED_BACK, "shen")
    state = story.incident.state
    assert story.duty("county").fed_back is not None
    story.wait(1)
    assert "已撤回" in story.says(Verb.UNDO, "shen").answer
    assert story.duty("county").fed_back is None
    assert story.incident.state is state


def test_a_false_alarm_is_a_cause_by_itself() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.wait(10)
    story.says(Verb.FALSE_ALARM, "shen", text="探头进水，已擦干")
    found = results(story.incident, story.duty("county"))
    assert found is not None
    assert (found.cause, found.measure) == ("误报", "探头进水，已擦干")
    assert given(story) == {"沈北": "须处置"}
