"""Telephone calls: placed by the step that calls alone, and done by hand where they told nobody."""

from __future__ import annotations

import pytest

from escalation.decide import still_needed
from escalation.deciding.calling import CALL_PATIENCE
from escalation.deciding.phoning import open_tasks
from escalation.directory import ContactEntry, Directory, Enterprise, Person, Post
from escalation.incident import StepAction
from escalation.inputs import SendResult
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.vocabulary import ClockKind, Level, Role, Severity
from tests.decisions.house import MINUTE, Story
from tests.rules.county import ENTERPRISES, FACTORY, PEOPLE, POSTS, county

PHONES = {"zhao": "13800130000", "sun": "13800130002"}
STEP = 5
"""The minute of the step that calls, by the sample profile."""
LOOK = STEP + CALL_PATIENCE // MINUTE


def calling(
    *who: str,
    channels: tuple[str, ...] = ("voice",),
    posts: tuple[Post, ...] = POSTS,
    enterprises: tuple[Enterprise, ...] = ENTERPRISES,
) -> Directory:
    """The county where these people can be telephoned, by one provider or several."""
    people = tuple(
        Person(
            id=each.id,
            name=each.name,
            contacts=(
                *(ContactEntry(channel=channel, address=f"1390013{place:04}") for channel in channels),
                *each.contacts,
            ),
        )
        if each.id in who
        else each
        for place, each in enumerate(PEOPLE)
    )
    return county(people=people, posts=posts, enterprises=enterprises, spoken=("voice", "voice2"))


def until_called(*who: str, channels: tuple[str, ...] = ("voice",), sending: bool = True) -> tuple[Story, list[Notice]]:
    story = Story(directory=calling(*who, channels=channels))
    story.alarm(Severity.HIGH_HIGH)
    story.wait_until(STEP - 1)
    story.wait_until(STEP, sending=sending)
    return story, calls(story)


def calls(story: Story) -> list[Notice]:
    return [notice for notice in story.incident.notices.values() if notice.spoken]


def by_hand(story: Story) -> list[str]:
    """Whom the open tasks name, once each message."""
    return list(dict.fromkeys(task.note for task in open_tasks(story.incident)))


def test_nothing_but_the_step_that_calls_uses_the_telephone_not_even_when_it_stands_first() -> None:
    story = Story(directory=calling("zhao", "sun"))
    story.alarm(Severity.HIGH_HIGH)
    for result in (SendResult.THROTTLED, SendResult.REFUSED_RECIPIENT, SendResult.MISCONFIGURED):
        for notice in list(story.incident.notices.values()):
            story.receipt(notice, result)
    story.wait_until(STEP - 1)
    assert calls(story) == []
    story.wait_until(STEP)
    assert [(call.to.name, call.kind, call.contact.channel) for call in calls(story)] == [
        ("赵一", NoticeKind.REMIND, "voice"),
        ("孙三", NoticeKind.REMIND, "voice"),
    ]
    assert {call.created_at for call in calls(story)} == {story.incident.opened_at + STEP * MINUTE}


def test_nobody_is_called_when_somebody_has_signed() -> None:
    story = Story(directory=calling("zhao", "sun"))
    story.alarm(Severity.HIGH_HIGH)
    story.wait_until(STEP - 1)
    story.signs("zhao")
    story.wait_until(LOOK)
    assert calls(story) == []
    assert open_tasks(story.incident) == []


def test_a_call_that_waits_is_not_placed_after_somebody_signed() -> None:
    story, (call, _) = until_called("zhao", "sun")
    story.wait(1)
    story.signs("sun")
    story.incident.notices[call.id].state = NoticeState.QUEUED
    assert still_needed(story.incident, call.id, None) == "clock_met_meanwhile"


def test_an_alarm_below_critical_calls_nobody_but_where_its_rule_says_so() -> None:
    quiet = Story(directory=calling("zhao", "sun"))
    quiet.alarm(Severity.HIGH)
    quiet.wait_until(240)
    assert calls(quiet) == []
    orange = Story(directory=calling("zhao", "sun"))
    orange.warning(Level.ORANGE)
    orange.wait_until(30)
    assert {call.to.name for call in calls(orange)} == {"孙三"}


def test_who_cannot_be_telephoned_is_called_by_hand_at_once() -> None:
    story, made = until_called("zhao")
    assert [call.to.name for call in made] == ["赵一"]
    assert by_hand(story) == ["孙三、王元"]


@pytest.mark.parametrize(
    "result",
    [
        SendResult.UNDELIVERED,
        SendResult.ANSWERED,
        SendResult.REFUSED_RECIPIENT,
        SendResult.REFUSED_CONTENT,
        SendResult.MISCONFIGURED,
    ],
)
def test_a_call_that_told_nobody_is_made_by_hand_and_signs_nothing(result: SendResult) -> None:
    story, (call, _) = until_called("zhao", "sun")
    assert by_hand(story) == ["王元"]
    decision = story.receipt(call, result, detail="用户占线")
    assert decision.reason == "call_by_hand"
    assert {(n.kind, n.to.name) for n in story.fresh} == {
        (NoticeKind.PHONE_TASK, "示例木业有限公司值班室"),
        (NoticeKind.PHONE_TASK, "王元"),
    }
    assert by_hand(story) == ["王元", "赵一"]
    assert story.duty(FACTORY).signed is None
    assert not decision.dead
    story.receipt(call, result, detail="用户占线")
    assert story.fresh == [], "the same report again does nothing again"


def test_a_call_heard_where_no_key_can_be_pressed_is_not_made_by_hand() -> None:
    story, (call, _) = until_called("zhao", "sun")
    story.receipt(call, SendResult.DELIVERED)
    assert story.fresh == []
    made = story.wait_until(LOOK)
    assert [n.note for n in made if n.kind is NoticeKind.PHONE_TASK and n.to.person] == ["孙三"]
    assert story.duty(FACTORY).signed is None


def test_calls_that_end_together_are_one_task_while_it_has_not_left() -> None:
    story, (one, other) = until_called("zhao", "sun")
    story.receipt(one, SendResult.UNDELIVERED)
    story.receipt(other, SendResult.ANSWERED)
    assert story.fresh == []
    assert by_hand(story) == ["王元", "赵一、孙三"]


def test_nothing_is_made_by_hand_for_a_call_that_ends_after_somebody_signed() -> None:
    story, (_one, other) = until_called("zhao", "sun")
    story.wait(1)
    story.signs("zhao")
    story.receipt(other, SendResult.UNDELIVERED)
    assert story.fresh == []


@pytest.mark.parametrize("state", [NoticeState.SUBMITTED, NoticeState.QUEUED, NoticeState.UNCERTAIN])
def test_a_call_nothing_is_heard_of_is_made_by_hand_when_its_time_is_over(state: NoticeState) -> None:
    story, made = until_called("zhao", "sun")
    story.send_all()
    for call in made:
        story.incident.notices[call.id].state = state
    assert story.wait_until(LOOK - 1, sending=False) == []
    tasks = [n for n in story.wait_until(LOOK, sending=False) if n.kind is NoticeKind.PHONE_TASK]
    assert {task.note for task in tasks} == {"赵一、孙三"}
    story.receipt(made[0], SendResult.UNDELIVERED)
    assert [n for n in story.fresh if n.kind is NoticeKind.PHONE_TASK] == [], "it is being called already"


def test_a_key_after_that_signs_and_ends_the_task() -> None:
    story, _made = until_called("zhao", "sun")
    story.wait_until(LOOK)
    assert "赵一、孙三" in by_hand(story)
    story.wait(1)
    story.signs("zhao")
    assert open_tasks(story.incident) == []


@pytest.mark.parametrize("result", [SendResult.MISCONFIGURED, SendResult.THROTTLED, SendResult.BARRED])
def test_another_provider_calls_where_the_first_cannot(result: SendResult) -> None:
    story, (call,) = until_called("zhao", channels=("voice", "voice2"), sending=False)
    assert story.receipt(call, result).reason == "next_call"
    assert [(n.contact.channel, n.to.name) for n in story.fresh] == [("voice2", "赵一")]
    assert [row.channel for row in story.decision.outbox] == ["voice2"]
    story.send_all_but(story.fresh[0])
    story.receipt(story.fresh[0], result)
    assert {n.kind for n in story.fresh} == {NoticeKind.PHONE_TASK}


def test_a_provider_that_cannot_call_now_and_fails_later_is_followed_once() -> None:
    story, (call,) = until_called("zhao", channels=("voice", "voice2"), sending=False)
    story.receipt(call, SendResult.THROTTLED)
    assert [n.contact.channel for n in story.fresh] == ["voice2"]
    story.receipt(call, SendResult.REFUSED_RECIPIENT)
    assert story.fresh == []
    assert not any("赵一" in names for names in by_hand(story)), "the other one is calling"


def test_on_trial_nobody_is_called_and_nobody_is_asked_to_call() -> None:
    trial = tuple(each.model_copy(update={"trial": True}) for each in ENTERPRISES)
    story = Story(directory=calling("zhao", "sun", enterprises=trial))
    story.alarm(Severity.HIGH_HIGH)
    story.wait_until(STEP, sending=False)
    assert {call.state for call in calls(story)} == {NoticeState.DROPPED}
    before = by_hand(story)
    story.wait_until(LOOK, sending=False)
    assert by_hand(story) == before


def test_another_provider_does_not_ring_a_telephone_that_was_not_answered() -> None:
    story, (call,) = until_called("zhao", channels=("voice", "voice2"))
    story.receipt(call, SendResult.UNDELIVERED)
    assert {n.kind for n in story.fresh} == {NoticeKind.PHONE_TASK}


def test_the_ladder_goes_on_whatever_came_of_the_calls() -> None:
    story, made = until_called("zhao", "sun")
    for call in made:
        story.receipt(call, SendResult.ANSWERED)
    later = story.wait_until(16)
    assert (NoticeKind.ESCALATED, "吴六") in {(n.kind, n.to.name) for n in later}


def test_calls_are_looked_at_after_a_fall_of_the_level_too() -> None:
    story = Story(directory=calling("zhao", "sun"))
    story.warning(Level.RED)
    story.wait_until(4)
    assert {call.to.name for call in calls(story)} >= {"孙三"}
    story.wait(1)
    story.downgraded(Level.ORANGE)
    clock = next(each for each in story.duty(FACTORY).clocks if each.kind is ClockKind.SIGN)
    looks = [step for step in clock.steps if step.looks]
    assert [step.fired_at for step in looks] == [0]
    plain = [step for step in clock.steps if step.action is StepAction.PHONE and not step.looks]
    assert [step.fired_at for step in plain] != [], "its own steps that call are still to come"


def test_a_duty_room_with_a_telephone_is_called_itself() -> None:
    posts = tuple(
        post.model_copy(update={"contacts": (*post.contacts, ContactEntry(channel="voice", address="0571-00001234"))})
        if post.unit == "city" and post.role is Role.DUTY_ROOM
        else post
        for post in POSTS
    )
    story = Story(directory=calling(posts=posts))
    story.warning(Level.RED)
    story.wait_until(10)
    assert [(call.to.name, call.contact.address) for call in calls(story)] == [("示例市应急局值班室", "0571-00001234")]
