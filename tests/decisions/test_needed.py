"""Just before a send: each reason why a notice need not go out any more, and everything that must."""

from __future__ import annotations

from escalation.decide import still_needed
from escalation.event import EventType
from escalation.inputs import SendResult
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.vocabulary import Level, Severity
from tests.decisions.house import Story
from tests.rules.county import FACTORY, PEOPLE, county, sms


def needed(story: Story, notice: Notice, standing_now: frozenset[str] | None = None) -> str | None:
    return still_needed(story.incident, notice.id, standing_now)


def test_a_fresh_notice_is_needed_and_an_unknown_one_is_not() -> None:
    story = Story()
    story.alarm()
    assert needed(story, story.notice("赵一")) is None
    assert still_needed(None, "A0001.1.s1-raised.0", None) == "incident_unknown"
    assert still_needed(story.incident, "A0001.1.s1-raised.0", None) == "superseded"


def test_what_has_left_is_not_sent_again() -> None:
    story = Story()
    story.alarm()
    notice = story.notice("赵一")
    story.receipt(notice, SendResult.SUBMITTED)
    assert needed(story, notice) == "already_sent"
    other = story.notice("孙三")
    story.receipt(other, SendResult.REFUSED_RECIPIENT)
    assert needed(story, other) == "no_longer_queued"


def test_signed_meanwhile_stops_the_call_to_sign_but_not_at_the_same_millisecond() -> None:
    story = Story()
    story.alarm()
    other = story.notice("孙三")
    story.signs("zhao")
    assert needed(story, other) is None, "nobody can say which came first"
    story = Story()
    story.alarm()
    story.wait(1)
    story.signs("zhao")
    assert needed(story, story.notice("孙三", NoticeKind.RAISED)) == "signed_meanwhile"
    assert needed(story, story.notice("孙三", NoticeKind.SIGNED)) is None


def test_a_reminder_is_not_needed_when_its_clock_is_met() -> None:
    story = Story()
    story.alarm()
    story.wait_until(10, sending=False)
    reminder = story.notice("孙三", NoticeKind.REMIND)
    assert needed(story, reminder) is None
    story.wait(1)
    story.signs("zhao")
    assert needed(story, reminder) == "clock_met_meanwhile"


def test_the_enterprises_signature_holds_back_nothing_that_waits_for_the_town() -> None:
    story = Story()
    story.alarm()
    story.wait_until(180, sending=False)
    for _ in range(11):
        story.wait(2)
        story.lapse()
    town = story.notice("陈十")
    assert town.kind in (NoticeKind.ESCALATED, NoticeKind.REMIND)
    story.wait(1)
    story.signs("zhao")
    assert needed(story, story.incident.notices[town.id]) is None
    story.wait(1)
    story.signs("chen")
    assert needed(story, town) == "clock_met_meanwhile"


def test_a_duty_that_was_closed_or_has_left_needs_no_call() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    town = story.notice("褚东")
    story.wait(1)
    story.warning(Level.ORANGE)
    assert needed(story, town) == "duty_closed_meanwhile"
    county_call = story.notice("沈北")
    assert needed(story, county_call) is None
    story.downgraded(Level.YELLOW)
    story.wait(1)
    story.warning(Level.ORANGE)
    assert needed(story, county_call) == "duty_closed_meanwhile", "it belonged to the county's former duty"


def test_closed_meanwhile_lets_only_the_end_and_what_upstream_wants_through() -> None:
    story = Story(feedback={"gateway": ("upstream",)})
    story.alarm(Severity.HIGH_HIGH)
    story.receipt(story.notice("赵一"), SendResult.REFUSED_RECIPIENT)
    story.wait(1)
    story.signs("sun")
    story.cleared()
    reasons = {
        notice.kind: needed(story, notice)
        for notice in story.incident.notices.values()
        if notice.state is NoticeState.QUEUED
    }
    assert reasons == {
        NoticeKind.RAISED: "closed_meanwhile",
        NoticeKind.SIGNED: "closed_meanwhile",
        NoticeKind.QUARANTINE: None,
        NoticeKind.FEEDBACK: None,
        NoticeKind.CLOSED: None,
    }


def test_notices_of_the_episode_before_are_superseded() -> None:
    story = Story()
    story.event(EventType.DATA_OFFLINE, severity=Severity.OFFLINE)
    old = story.notice("李四")
    story.event(EventType.DATA_RESTORED)
    story.wait(1)
    story.event(EventType.DATA_OFFLINE, severity=Severity.OFFLINE)
    assert needed(story, old) == "superseded"
    assert needed(story, story.notice("李四")) is None
    story.receipt(old, SendResult.REFUSED_RECIPIENT)
    assert story.decision.reason == "notice_not_kept"


def test_whoever_is_off_duty_by_now_is_replaced_unless_others_hear_by_the_same_send() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    night = story.notice("王元")
    day = frozenset({f"{FACTORY}/duty_room/zheng", f"{FACTORY}/duty_room/"})
    assert needed(story, night, day) == "off_duty"
    assert needed(story, night, day | {night.to.key}) is None
    assert needed(story, night, None) is None
    shared = tuple(p.model_copy(update={"contacts": sms(66)}) if p.id in ("wang", "zhao") else p for p in PEOPLE)
    story = Story(directory=county(people=shared))
    story.alarm(Severity.HIGH_HIGH)
    both = next(notice for notice in story.fresh if notice.also)
    assert needed(story, both, frozenset()) is None


def test_who_only_watches_is_told_though_off_duty() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    assert needed(story, story.notice("陈十"), frozenset()) is None
