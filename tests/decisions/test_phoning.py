"""Telephone tasks: open until somebody was told, told and never signed, done again when taken back."""

from __future__ import annotations

import pytest

from escalation.deciding.phoning import NOT_REACHED, open_tasks
from escalation.inputs import Reply
from escalation.replies import reply_to
from escalation.vocabulary import Role, Severity, Verb
from tests.decisions.house import Story
from tests.rules.county import FACTORY


def with_task() -> Story:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.wait_until(6)
    assert open_tasks(story.incident)
    return story


def call(story: Story, cause: str = "", notice: str = "", unit: str = "town") -> str:
    reply = Reply(
        id=f"call-{story.now}-{cause}",
        verb=Verb.PHONED,
        person="",
        unit=unit,
        role=Role.DUTY_ROOM,
        channel="duty",
        at=story.now,
        text="赵一",
        cause=cause,
        notice=notice,
    )
    return reply_to(story.incident, reply, story.ctx).answer


def test_a_call_that_reached_somebody_ticks_the_task_off_and_signs_nothing() -> None:
    story = with_task()
    [unit] = {task.to.unit for task in open_tasks(story.incident)}
    task = open_tasks(story.incident)[0]
    assert "电话通知不等于签收" in call(story, "已通知本人", task.id, unit)
    assert open_tasks(story.incident) == []
    assert all(duty.signed is None for duty in story.incident.duties)


@pytest.mark.parametrize("cause", NOT_REACHED)
def test_a_call_that_reached_nobody_leaves_the_task_open(cause: str) -> None:
    story = with_task()
    task = open_tasks(story.incident)[0]
    assert "电话任务未完成" in call(story, cause, task.id, task.to.unit)
    assert open_tasks(story.incident)


def test_a_call_for_one_task_ticks_off_no_other() -> None:
    story = with_task()
    before = [task.id for task in open_tasks(story.incident)]
    assert "没有待办的人工电话任务" in call(story, "已通知本人", "A0001.1.s99-phone_task.0", FACTORY)
    assert [task.id for task in open_tasks(story.incident)] == before
    assert "人工电话任务 2 项已办结" in call(story, "已通知他人", before[0], FACTORY), "one task, told by two ways"


def test_a_task_is_over_when_the_duty_is_signed_and_when_the_incident_closes() -> None:
    story = with_task()
    story.signs("zhao")
    assert [task for task in open_tasks(story.incident) if task.clock == "sign"] == []


def test_an_answer_for_one_unit_counts_for_no_other() -> None:
    story = with_task()
    for unit, reason in (("county", "no_right"), ("town", "no_right"), (FACTORY, "reply_sign")):
        reply = Reply(id=unit, verb=Verb.SIGN, person="zhao", channel="duty", at=story.now, only_unit=unit)
        assert reply_to(story.incident, reply, story.ctx).reason == reason


def test_a_call_that_is_taken_back_is_to_be_made_again() -> None:
    story = with_task()
    tasks = [each.id for each in open_tasks(story.incident)]
    task = open_tasks(story.incident)[0]
    call(story, "已通知本人", task.id, task.to.unit)
    assert open_tasks(story.incident) == []
    undo = Reply(
        id="undo", verb=Verb.UNDO, person="", unit=task.to.unit, role=Role.DUTY_ROOM, channel="duty", at=story.now
    )
    assert reply_to(story.incident, undo, story.ctx).reason == "reply_undo"
    assert [each.id for each in open_tasks(story.incident)] == tasks
