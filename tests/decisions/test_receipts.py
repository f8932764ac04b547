"""What became of a send: another way, another person, a dead letter somebody hears of; and facts that only grow."""

from __future__ import annotations

import pytest

from escalation.directory import ContactEntry, Directory, Person
from escalation.inputs import Replay, SendResult
from escalation.notice import DeadLetter, NoticeKind, NoticeState
from escalation.telling import MOST_NOTICES
from escalation.vocabulary import Level, Role, Severity, Verb
from tests.decisions.house import MINUTE, Story
from tests.rules.county import FACTORY, PEOPLE, county, sms, without


def reachable(*ways: str, person: str = "zhao") -> Directory:
    """The county, with several channels for one person."""
    contacts = tuple(ContactEntry(channel=way, address=f"{way} of {person}") for way in ways)
    return county(
        people=tuple(Person(id=p.id, name=p.name, contacts=contacts if p.id == person else p.contacts) for p in PEOPLE)
    )


def test_submitted_delivered_and_read_are_facts_of_their_own_and_only_grow() -> None:
    story = Story()
    story.alarm()
    notice = story.notice("赵一")
    for minute, result in enumerate((SendResult.SUBMITTED, SendResult.READ, SendResult.DELIVERED), start=1):
        story.wait(1)
        story.receipt(notice, result)
        assert story.now == story.incident.opened_at + minute * MINUTE
    kept = story.notice("赵一")
    assert kept.state is NoticeState.READ
    assert (kept.submitted_at, kept.read_at, kept.delivered_at) == (
        story.now - 2 * MINUTE,
        story.now - MINUTE,
        story.now,
    )
    assert story.duty(FACTORY).signed is None, "read is not signed"
    story.receipt(notice, SendResult.UNDELIVERED)
    assert story.notice("赵一").state is NoticeState.READ, "a late refusal of what was read changes nothing"
    assert story.fresh == []


def test_a_lost_answer_is_repeated_once_and_then_counts_as_sent() -> None:
    story = Story()
    story.alarm()
    notice = story.notice("赵一")
    story.receipt(notice, SendResult.UNCERTAIN, tries=1)
    assert story.notice("赵一").state is NoticeState.QUEUED
    story.receipt(notice, SendResult.UNCERTAIN, tries=2)
    assert story.notice("赵一").state is NoticeState.UNCERTAIN
    assert story.fresh == []


@pytest.mark.parametrize(
    "result",
    [SendResult.REFUSED_RECIPIENT, SendResult.REFUSED_CONTENT, SendResult.MISCONFIGURED, SendResult.UNDELIVERED],
)
def test_what_is_refused_goes_the_persons_next_way(result: SendResult) -> None:
    story = Story(directory=reachable("mail", "sms"))
    story.alarm()
    assert story.receipt(story.notice("赵一"), result).reason == "next_channel"
    assert [(notice.to.name, notice.contact.channel, notice.attempt) for notice in story.fresh] == [("赵一", "sms", 1)]
    first = next(iter(story.incident.notices.values()))
    assert first.state is NoticeState.FAILED
    story.receipt(first, result)
    assert story.fresh == [], "the same refusal again does nothing again"


def test_a_vendor_that_is_down_is_gone_round_once_and_its_notice_still_waits() -> None:
    story = Story(directory=reachable("mail", "sms", "voice"))
    story.alarm()
    mail = story.notice("赵一")
    for tries in (1, 2):
        story.receipt(mail, SendResult.TRANSIENT, tries=tries)
        assert story.fresh == []
    story.receipt(mail, SendResult.TRANSIENT, tries=3)
    assert [notice.contact.channel for notice in story.fresh] == ["sms"]
    for tries in (4, 5, 6):
        story.receipt(mail, SendResult.TRANSIENT, tries=tries)
        assert story.fresh == []
    story.receipt(mail, SendResult.REFUSED_RECIPIENT)
    assert story.fresh == [], "the next way is on its way"
    story.receipt(story.notice("赵一"), SendResult.REFUSED_RECIPIENT)
    assert [notice.contact.channel for notice in story.fresh] == ["voice"]


def test_a_limit_delays_nothing_critical() -> None:
    story = Story(directory=reachable("mail", "sms"))
    story.alarm()
    story.receipt(story.notice("赵一"), SendResult.THROTTLED)
    assert story.fresh == [], "a normal notice waits for its window"
    story.alarm(Severity.HIGH_HIGH)
    ways = [notice for notice in story.fresh if notice.to.name == "赵一"]
    assert [notice.contact.channel for notice in ways] == ["mail", "sms"], "critical uses all ways at once"
    story.receipt(ways[0], SendResult.THROTTLED)
    assert story.fresh == []


def test_two_providers_for_one_phone_are_one_way_and_the_second_is_for_when_the_first_fails() -> None:
    phone = tuple(ContactEntry(channel=channel, address="13800130001") for channel in ("sms", "second"))
    people = tuple(Person(id=p.id, name=p.name, contacts=phone if p.id == "zhao" else p.contacts) for p in PEOPLE)
    story = Story(directory=county(people=people))
    story.alarm(Severity.HIGH_HIGH)
    (told,) = [notice for notice in story.fresh if notice.to.name == "赵一"]
    assert told.contact.channel == "sms"
    story.receipt(told, SendResult.THROTTLED)
    assert [(notice.contact.channel, notice.attempt) for notice in story.fresh] == [("second", 1)]


def test_a_critical_notice_that_is_throttled_uses_the_next_way_at_once() -> None:
    story = Story(directory=reachable("mail", "sms"))
    story.alarm(Severity.HIGH_HIGH)
    ways = [notice for notice in story.fresh if notice.to.name == "赵一"]
    del story.incident.notices[ways[1].id]
    story.receipt(ways[0], SendResult.THROTTLED)
    assert [notice.contact.channel for notice in story.fresh] == ["sms"]


def test_nobody_is_given_up_while_another_way_to_them_is_open() -> None:
    story = Story(directory=reachable("mail", "sms"))
    story.alarm(Severity.HIGH_HIGH)
    mail, text = (notice for notice in story.fresh if notice.to.name == "赵一")
    story.receipt(text, SendResult.REFUSED_RECIPIENT)
    assert story.fresh == []
    story.receipt(mail, SendResult.REFUSED_RECIPIENT)
    assert story.decision.reason == "dead_letter"


def test_a_dead_letter_is_visible_and_the_maintainers_hear_of_each() -> None:
    story = Story()
    story.alarm()
    first = story.receipt(story.notice("赵一"), SendResult.REFUSED_RECIPIENT, detail="no such number")
    assert first.reason == "dead_letter"
    assert story.heard() == {"朱夏": "请关注"}
    assert story.fresh[0].note == "赵一无法送达（sms）"
    entry = next(entry for entry in first.entries if entry.reason == "dead_letter")
    assert (entry.actor, entry.detail["why"]) == (f"{FACTORY}/operator/zhao", "no such number")
    story.receipt(story.notice("孙三"), SendResult.REFUSED_RECIPIENT)
    assert [notice.note for notice in story.fresh if notice.kind is NoticeKind.QUARANTINE] == ["孙三无法送达（sms）"]


def test_when_nobody_of_the_duty_can_be_reached_the_next_who_can_hears_at_once() -> None:
    story = Story()
    story.alarm()
    story.receipt(story.notice("赵一"), SendResult.REFUSED_RECIPIENT)
    assert story.heard(NoticeKind.ESCALATED) == {}, "孙三 may still be reached"
    for name in ("孙三", "钱二", "周五"):
        story.receipt(story.notice(name), SendResult.REFUSED_RECIPIENT)
        assert "next_person" in story.reasons(), "the second person, the safety head, the main person"
    assert story.heard(NoticeKind.ESCALATED) == {"吴六": "须处置"}
    story.receipt(story.notice("吴六"), SendResult.REFUSED_RECIPIENT)
    assert "unreachable_goes_up" in story.reasons()
    assert story.heard(NoticeKind.ESCALATED) == dict.fromkeys(["石桥镇值班室", "陈十", "蒋西"], "须处置")
    story.signs("chen")
    assert story.duty("town").signed is not None, "who is asked can answer"


def test_when_everybody_on_the_line_is_dead_it_ends_loudly() -> None:
    story = Story()
    story.alarm()
    for _ in range(40):
        waiting = [
            notice
            for notice in story.incident.notices.values()
            if notice.state is NoticeState.QUEUED and notice.kind is not NoticeKind.QUARANTINE
        ]
        if not waiting:
            break
        story.receipt(waiting[0], SendResult.REFUSED_RECIPIENT)
    assert "nobody_anywhere" in story.reasons()
    assert story.heard() == {"朱夏": "请关注"}


def test_a_maintainer_whom_nothing_reaches_is_only_written_down() -> None:
    story = Story()
    story.alarm()
    story.receipt(story.notice("赵一"), SendResult.REFUSED_RECIPIENT)
    story.receipt(story.notice("朱夏"), SendResult.REFUSED_RECIPIENT)
    assert story.decision.reason == "dead_letter"
    assert story.fresh == []


def test_a_refusal_after_the_signature_sends_nobody_up() -> None:
    story = Story(directory=reachable("mail", "sms", person="sun"))
    story.alarm()
    notices = [story.notice("赵一"), story.notice("孙三")]
    story.wait(1)
    story.signs("zhou")
    for notice in notices:
        story.receipt(notice, SendResult.REFUSED_RECIPIENT)
        assert story.heard(NoticeKind.RAISED) == {}
        assert story.heard(NoticeKind.ESCALATED) == {}
    assert story.heard() == {"朱夏": "请关注"}, "but the number that is wrong is known"


def test_all_who_shared_a_refused_send_go_their_own_next_way() -> None:
    shared = ContactEntry(channel="robot")
    people = tuple(
        Person(id=p.id, name=p.name, contacts=(shared, *p.contacts)) if p.id in ("zhao", "sun") else p for p in PEOPLE
    )
    story = Story(directory=county(people=people))
    story.alarm()
    assert len(story.fresh) == 1
    story.receipt(story.fresh[0], SendResult.MISCONFIGURED)
    assert [(notice.to.name, notice.contact.channel) for notice in story.fresh] == [("赵一", "sms"), ("孙三", "sms")]


def test_a_shift_that_changed_while_the_notice_waited_hands_it_to_the_successor() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    night = story.notice("王元")
    story.send_all_but(night)
    story.now += 8 * 60 * MINUTE
    story.receipt(night, SendResult.DROPPED, detail="off_duty")
    assert [(notice.to.name, notice.kind, notice.purpose.word) for notice in story.fresh] == [
        ("郑七", NoticeKind.RAISED, "须处置")
    ]
    assert story.incident.notices[night.id].state is NoticeState.DROPPED


def test_the_successor_hears_also_when_they_share_the_address_or_come_back() -> None:
    people = tuple(Person(id=p.id, name=p.name, contacts=sms(88)) if p.id in ("zheng", "wang") else p for p in PEOPLE)
    story = Story(directory=county(people=people))
    story.alarm(Severity.HIGH_HIGH)
    night = story.notice("王元")
    story.send_all_but(night)
    story.now -= 4 * 60 * MINUTE
    for name in ("郑七", "王元", "郑七"):
        story.now += 12 * 60 * MINUTE
        waiting = next(n for n in story.incident.notices.values() if n.state is NoticeState.QUEUED)
        story.receipt(waiting, SendResult.DROPPED, detail="off_duty")
        assert [notice.to.name for notice in story.fresh] == [name]
        assert len(story.decision.outbox) == 1


def test_the_successor_hears_once_though_two_ways_to_the_predecessor_waited() -> None:
    story = Story(directory=reachable("mail", "sms", person="wang"))
    story.alarm(Severity.HIGH_HIGH)
    waiting = [notice for notice in story.fresh if notice.to.name == "王元"]
    story.now += 8 * 60 * MINUTE
    heard = []
    for notice in waiting:
        story.receipt(notice, SendResult.DROPPED, detail="off_duty")
        heard += [each.to.name for each in story.fresh]
    assert (len(waiting), heard) == (2, ["郑七"])


def test_a_shift_that_ends_with_nobody_after_it_falls_loudly() -> None:
    story = Story(directory=without(("town", Role.OFFICER), ("town", Role.LEADER_ON_DUTY)))
    story.warning(Level.YELLOW)
    night = story.notice("陈十")
    room = story.notice("石桥镇值班室")
    story.receipt(room, SendResult.REFUSED_RECIPIENT)
    story.directory = without(("town", Role.OFFICER), ("town", Role.LEADER_ON_DUTY), ("town", Role.DUTY_ROOM))
    story.receipt(night, SendResult.DROPPED, detail="off_duty")
    assert story.reasons()[1:3] == ["nobody_at_post", "fell_to_next_tier"]
    assert story.heard() == {"示例县应急局值班室": "须处置"}


def test_what_was_dropped_since_it_is_over_has_no_successor() -> None:
    story = Story()
    story.alarm()
    notice = story.notice("赵一")
    story.receipt(notice, SendResult.DROPPED, detail="signed_meanwhile")
    assert story.fresh == []
    story.receipt(notice, SendResult.DROPPED, detail="off_duty")
    assert story.fresh == [], "dropped is dropped"


def test_receipts_of_notices_the_state_does_not_hold_are_only_written_down() -> None:
    story = Story()
    story.alarm()
    for result in SendResult:
        decision = story.receipt("A0001.1.s99-raised.000000000000", result)
        assert decision.reason == "notice_not_kept"
        assert [entry.reason for entry in decision.entries] == [f"receipt_{result}"]
    assert story.fresh == []


def test_old_notices_leave_the_state_but_nobody_who_was_told_is_forgotten() -> None:
    story = Story(feedback={"gateway": ("upstream",)})
    story.alarm()
    for _ in range(MOST_NOTICES + 10):
        story.send_all()
        story.says(Verb.VERIFY, "zhao")
    assert len(story.incident.notices) == MOST_NOTICES
    story.cleared()
    assert set(story.heard(NoticeKind.CLOSED)) == {"赵一", "孙三"}


def test_what_waits_leaves_only_when_something_newer_waits_for_the_same_address() -> None:
    story = Story(feedback={"gateway": ("upstream",)})
    story.alarm()
    superseded: list[str] = []
    dead: list[DeadLetter] = []
    heard: list[str] = []
    for _ in range(MOST_NOTICES + 10):
        story.says(Verb.VERIFY, "zhao")
        superseded += [entry.notice for entry in story.decision.entries if entry.reason == "superseded"]
        dead += story.decision.dead
        heard += [each.note for each in story.fresh if each.kind is NoticeKind.QUARANTINE]
    assert len(story.incident.notices) == MOST_NOTICES
    assert len(superseded) == 14, "two to the shift, what one signed, a word to the maintainers, so many to upstream"
    assert all("feedback" in identity for identity in superseded)
    assert [letter.notice for letter in dead] == superseded, "and none of it is lost"
    assert all(letter.told is not None and letter.told.deed is not None for letter in dead)
    assert heard == ["给上游的反馈积压过多，gateway较早的转入死信（upstream）"], "they are told once"
    assert story.given(Replay(letter=dead[0], by="周值守", why="已恢复")).reason == "dead_replayed"
    again = next(each for each in story.fresh if each.kind is NoticeKind.FEEDBACK)
    assert dead[0].told is not None
    assert (again.contact, again.deed) == (dead[0].told.contact, dead[0].told.deed)
    assert [notice.kind for notice in list(story.incident.notices.values())[:2]] == [NoticeKind.RAISED] * 2


def test_a_vendors_report_that_comes_again_is_no_news() -> None:
    story = Story()
    story.alarm()
    notice = story.fresh[0]
    story.receipt(notice, SendResult.SUBMITTED)
    for result in (SendResult.DELIVERED, SendResult.READ):
        story.receipt(notice, result)
        assert story.reasons() == [f"receipt_{result}"]
        delivered = story.incident.notices[notice.id].delivered_at
        story.wait(1)
        story.receipt(notice, result)
        assert (story.decision.reason, story.reasons()) == ("known_already", [])
        assert story.incident.notices[notice.id].delivered_at == delivered


def test_a_vendors_failure_that_comes_again_is_no_news_and_another_reason_is() -> None:
    story = Story()
    story.alarm()
    notice = story.fresh[0]
    story.receipt(notice, SendResult.SUBMITTED)
    story.receipt(notice, SendResult.UNDELIVERED, detail="空号")
    assert "receipt_undelivered" in story.reasons()
    story.receipt(notice, SendResult.UNDELIVERED, detail="空号")
    assert story.reasons() == []
    story.receipt(notice, SendResult.UNDELIVERED, detail="停机")
    assert story.reasons() == ["receipt_undelivered"]
