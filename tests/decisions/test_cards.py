"""Cards with buttons: changed once somebody signed, when there is newer word, and when it is over; never twice."""

from __future__ import annotations

import pytest

from escalation.deciding.cards import CARD_BOX, MOST_CARDS
from escalation.deciding.fallback import _given_up
from escalation.event import EventType
from escalation.incident import IncidentState
from escalation.inputs import SendResult
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.vocabulary import Level, Purpose, Severity, Verb
from tests.decisions.house import Story
from tests.rules.county import FACTORY

FAILURES = [SendResult.REFUSED_CONTENT, SendResult.REFUSED_RECIPIENT, SendResult.MISCONFIGURED, SendResult.UNDELIVERED]


def told(severity: Severity = Severity.HIGH_HIGH) -> Story:
    """An alarm whose every call to act arrived as a card."""
    story = Story()
    story.alarm(severity)
    story.wait(1)
    for notice in cards(story):
        story.receipt(notice, SendResult.SUBMITTED, handle=f"h-{notice.to.name}")
    return story


def cards(story: Story) -> list[Notice]:
    return [each for each in story.incident.notices.values() if each.purpose is Purpose.ACT]


def changes(story: Story) -> list[Notice]:
    return [each for each in story.fresh if each.kind is NoticeKind.CARD]


def test_a_signature_changes_every_card_of_its_duty_and_no_other() -> None:
    story = told()
    own = [each for each in cards(story) if each.duty == story.duty(FACTORY).id]
    assert len(own) > 1
    story.wait(1)
    story.presses(Verb.SIGN, "zhao", own[0], "newer")
    made = changes(story)
    assert {each.to.name for each in made} == {each.to.name for each in own}
    assert {each.note for each in made} == {"赵一 02:02 已签收"}
    assert {each.handle for each in made} == {"newer", *(f"h-{each.to.name}" for each in own if each.to.name != "赵一")}
    assert all(each.contact.address.endswith(CARD_BOX) for each in made)
    assert not any(each.id in story.incident.cards for each in own)


def test_the_colleagues_still_hear_it_and_the_change_asks_nobody() -> None:
    story = told()
    story.signs("zhao")
    assert story.heard(NoticeKind.SIGNED)
    assert {each.purpose for each in changes(story)} == {Purpose.COPY}
    assert story.reasons().count("card_change") == len(changes(story))


def test_a_card_that_arrives_after_the_signature_is_changed_at_once() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    first, *others = cards(story)
    story.wait(1)
    story.signs("zhao")
    assert changes(story) == []
    late = next(each for each in others if each.duty == first.duty)
    story.receipt(late, SendResult.SUBMITTED, handle="late")
    (change,) = changes(story)
    assert (change.to, change.handle) == (late.to, "late")


def test_a_second_press_is_answered_and_changes_only_what_was_pressed() -> None:
    story = told()
    card = next(each for each in cards(story) if each.to.name == "赵一")
    story.presses(Verb.SIGN, "zhao", card)
    story.wait(1)
    decision = story.presses(Verb.SIGN, "zhao", card, "again")
    assert "已由赵一" in decision.answer
    assert [(each.handle, each.note) for each in changes(story)] == [("again", "赵一 02:01 已签收")]


def test_details_keep_the_newest_handle_and_change_nothing() -> None:
    story = told()
    card = next(each for each in cards(story) if each.to.name == "赵一")
    story.presses(Verb.QUERY, "zhao", card, "asked")
    assert changes(story) == []
    assert story.incident.cards[card.id] == "asked"
    assert story.duty(FACTORY).signed is None


def test_a_rise_retires_the_cards_and_a_stale_press_signs_nothing() -> None:
    story = told(Severity.HIGH)
    old = next(each for each in cards(story) if each.duty == story.duty(FACTORY).id)
    story.wait(5)
    story.alarm(Severity.HIGH_HIGH)
    assert {each.note for each in changes(story)} == {"又有新情况，请看新消息"}
    decision = story.presses(Verb.SIGN, "zhao", old)
    assert decision.reason == "stale_card"
    assert "未记录" in decision.answer
    assert story.duty(FACTORY).signed is None
    assert story.presses(Verb.SIGN, "zhao", next(each for each in cards(story) if each.created_at == story.now)).reason


def test_a_close_changes_what_still_has_buttons() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    for notice in cards(story):
        story.receipt(notice, SendResult.SUBMITTED, handle=f"h-{notice.to.name}")
    before = len(story.incident.cards)
    story.wait(3)
    story.event(EventType.WARNING_CLEARED, level=Level.YELLOW)
    assert story.incident.state is IncidentState.CLOSED
    assert len(changes(story)) == before > 0
    assert {each.note for each in changes(story)} == {"02:03 已关闭"}
    card = cards(story)[0]
    story.wait(1)
    decision = story.presses(Verb.SIGN, "zhao", card)
    assert decision.reason in ("already_closed", "no_right")
    assert story.incident.state is IncidentState.CLOSED


@pytest.mark.parametrize("result", FAILURES)
def test_a_change_that_fails_ends_there(result: SendResult) -> None:
    story = told()
    story.signs("zhao")
    change = changes(story)[0]
    told_before = len(story.incident.notices)
    story.receipt(change, result, detail="40058 no such code")
    assert story.incident.notices[change.id].state is NoticeState.FAILED
    assert story.fresh == []
    assert len(story.incident.notices) == told_before
    assert story.decision.dead == []
    assert story.reasons() == [f"receipt_{result}"]


@pytest.mark.parametrize("result", [SendResult.TRANSIENT, SendResult.THROTTLED])
def test_a_change_that_waits_takes_no_other_way(result: SendResult) -> None:
    story = told()
    story.signs("zhao")
    story.receipt(changes(story)[0], result, tries=9)
    assert story.fresh == []


def test_a_changed_card_does_not_count_as_having_reached_anybody() -> None:
    story = told()
    story.signs("zhao")
    change = next(each for each in changes(story) if each.to.name != "赵一")
    for notice in story.incident.notices.values():
        if notice.to == change.to:
            notice.state = NoticeState.SUBMITTED if notice.kind is NoticeKind.CARD else NoticeState.FAILED
    assert change.to.who in _given_up(story.incident)


def test_undoing_a_signature_asks_for_it_anew_and_tells_nobody_of_cards() -> None:
    story = told()
    story.signs("zhao")
    story.send_all()
    story.wait(1)
    decision = story.says(Verb.UNDO, "zhao")
    assert "已撤回" in decision.answer
    assert changes(story) == []


def test_the_state_keeps_no_more_than_so_many_cards() -> None:
    story = told()
    for _ in range(MOST_CARDS * 2):
        story.wait(1)
        story.says(Verb.URGE, "jiang")
        story.lapse()
        for notice in cards(story):
            if notice.state is NoticeState.QUEUED:
                story.receipt(notice, SendResult.SUBMITTED, handle="h" * 256)
    assert len(story.incident.cards) <= MOST_CARDS
