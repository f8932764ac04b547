"""Refused, throttled beyond the clock, unread: the next channel, the next person, the next tier, each hop by name."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.directory import ContactEntry, Directory, Person
from escalation.inputs import Entry, Receipt, SendResult
from escalation.notice import NoticeKind, NoticeState
from escalation.vocabulary import Level, Purpose, Role, Severity, Tier
from tests.decisions.house import MINUTE, Story
from tests.rules.county import FACTORY, PEOPLE, county, without

FIRST_STEP = 10
"""The minute of the first reminder of a high alarm by the sample rules."""


def ways(*channels: str, people: tuple[str, ...] = ("zhao", "sun")) -> Directory:
    """The county, with several channels for some people."""
    return county(
        people=tuple(
            Person(
                id=each.id,
                name=each.name,
                contacts=tuple(ContactEntry(channel=way, address=each.contacts[0].address) for way in channels)
                if each.id in people
                else each.contacts,
            )
            for each in PEOPLE
        )
    )


def hops(story: Story) -> list[Entry]:
    """The rows of the last decision that say by which way it went on."""
    names = ("next_channel", "next_person", "unreachable_goes_up", "tier_passed_over", "next_tier_by_its_step")
    return [entry for entry in story.decision.entries if entry.reason in names]


def throttled(story: Story, name: str, minutes: float, *, result: SendResult = SendResult.THROTTLED) -> None:
    """The vendor takes nothing for so many minutes."""
    receipt = Receipt(
        notice=story.notice(name).id, result=result, at=story.now, until=story.now + int(minutes * MINUTE)
    )
    story.given(receipt)


@pytest.mark.parametrize("result", [SendResult.THROTTLED, SendResult.TRANSIENT])
def test_a_limit_that_ends_before_the_next_step_is_waited_for(result: SendResult) -> None:
    story = Story(directory=ways("mail", "sms"))
    story.alarm()
    throttled(story, "赵一", FIRST_STEP, result=result)
    assert story.fresh == []
    assert hops(story) == []


@pytest.mark.parametrize("result", [SendResult.THROTTLED, SendResult.TRANSIENT])
def test_a_limit_that_ends_after_the_next_step_is_gone_round_once_and_the_hop_is_named(result: SendResult) -> None:
    story = Story(directory=ways("mail", "sms"))
    story.alarm()
    mail = story.notice("赵一")
    throttled(story, "赵一", FIRST_STEP + 1, result=result)
    assert [(each.to.name, each.contact.channel) for each in story.fresh] == [("赵一", "sms")]
    (hop,) = hops(story)
    assert (hop.reason, hop.notice, hop.actor) == ("next_channel", story.fresh[0].id, mail.to.key)
    assert hop.detail == {"why": "beyond_clock", "from": "mail", "to": "sms", "instead_of": mail.id}
    assert story.incident.notices[mail.id].state is NoticeState.QUEUED, "it still leaves when it may, if it is needed"
    story.given(Receipt(notice=mail.id, result=result, at=story.now, until=story.now + 3600 * MINUTE))
    assert story.fresh == [], "passed on once"


def test_without_another_channel_the_next_person_hears_as_soon_as_nobody_of_the_duty_will() -> None:
    story = Story()
    story.alarm()
    throttled(story, "赵一", 60)
    assert story.fresh == [], "孙三 may still hear"
    throttled(story, "孙三", 60)
    assert story.heard() == {"钱二": "须处置"}
    (hop,) = hops(story)
    assert (hop.reason, hop.detail["why"], hop.detail["unit"]) == ("next_person", "beyond_clock", FACTORY)


def test_a_gateway_that_is_throttled_for_everybody_goes_up_the_line_person_by_person_and_tier_by_tier() -> None:
    story = Story(directory=without(("county", Role.DUTY_ROOM), ("county", Role.LEADER_ON_DUTY)))
    story.alarm()
    said: list[tuple[str, object]] = []
    for _ in range(40):
        waiting = [
            each
            for each in story.incident.notices.values()
            if each.state is NoticeState.QUEUED and each.purpose is Purpose.ACT and not each.passed_on
        ]
        if not waiting:
            break
        story.given(
            Receipt(notice=waiting[0].id, result=SendResult.THROTTLED, at=story.now, until=story.now + 9999 * MINUTE)
        )
        said += [(entry.reason, entry.detail.get("tier", "")) for entry in hops(story)]
    assert said == [
        ("next_person", "enterprise"),
        ("next_person", "enterprise"),
        ("next_person", "enterprise"),
        ("unreachable_goes_up", "town"),
        ("tier_passed_over", "county"),
        ("unreachable_goes_up", "city"),
        ("unreachable_goes_up", "province"),
    ]
    assert "nobody_anywhere" in story.reasons()


def test_an_empty_tier_on_the_way_is_passed_over_in_writing() -> None:
    empty = ((FACTORY, Role.SAFETY_HEAD), (FACTORY, Role.MAIN_PERSON), ("town", Role.DUTY_ROOM))
    story = Story(directory=without(*empty, ("town", Role.LEADER_ON_DUTY)))
    story.alarm()
    for name in ("赵一", "孙三", "钱二"):
        story.receipt(story.notice(name), SendResult.REFUSED_RECIPIENT)
    passed, up = hops(story)
    assert (passed.reason, passed.detail["tier"], passed.detail["why"]) == (
        "tier_passed_over",
        "town",
        "nobody_at_post",
    )
    assert (up.reason, up.detail["tier"], up.detail["why"]) == ("unreachable_goes_up", "county", "refused_recipient")


def test_critical_goes_its_other_ways_at_once_and_up_only_when_the_limit_outlasts_the_step() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    called = {each.to.name for each in story.fresh if each.purpose is Purpose.ACT}
    for name in called:
        throttled(story, name, 0.1)
        assert story.fresh == []
    for name in called:
        throttled(story, name, 600)
    assert story.heard(NoticeKind.ESCALATED) == {"钱二": "须处置"}


def test_what_still_waits_at_its_step_goes_another_way_then() -> None:
    """A mailbox whose window is used up tells nobody of it: the step that comes finds the notice where it was."""
    story = Story(directory=ways("group-robot", "sms"))
    story.alarm()
    story.wait_until(FIRST_STEP, sending=False)
    said = {(entry.actor.rpartition("/")[2], entry.detail["why"], entry.detail["to"]) for entry in hops(story)}
    assert said == {("zhao", "still_waiting", "sms"), ("sun", "still_waiting", "sms")}


def test_what_left_in_time_goes_no_other_way() -> None:
    story = Story(directory=ways("mail", "sms"))
    story.alarm()
    made = story.wait_until(FIRST_STEP)
    assert {each.kind for each in made} == {NoticeKind.REMIND}
    assert hops(story) == []


def test_unread_where_reading_is_told_goes_the_next_way_with_the_step() -> None:
    story = Story(directory=ways("app", "sms"), tells_reading=("app",))
    story.alarm()
    story.send_all()
    story.receipt(story.notice("孙三"), SendResult.READ)
    story.wait_until(FIRST_STEP)
    (hop,) = hops(story)
    assert hop.actor == f"{FACTORY}/operator/zhao"
    assert (hop.reason, hop.detail["why"], hop.detail["to"]) == ("next_channel", "unread", "sms")
    assert {each.contact.channel for each in story.fresh if each.kind is NoticeKind.RAISED} == {"sms"}


def test_unread_by_everybody_is_the_next_persons_and_the_next_tier_is_left_to_its_announced_step() -> None:
    everybody = tuple(each.id for each in PEOPLE)
    story = Story(directory=ways("app", people=everybody), tells_reading=("app",))
    story.alarm()
    made = story.wait_until(FIRST_STEP)
    assert [(each.kind, each.to.name) for each in made if each.kind is NoticeKind.ESCALATED] == [
        (NoticeKind.ESCALATED, "钱二")
    ]
    assert [entry.detail["why"] for entry in hops(story)] == ["unread"]
    made = story.wait_until(179)
    assert {each.to.tier for each in made if each.purpose is Purpose.ACT} == {Tier.ENTERPRISE}
    assert any(each.to.tier is Tier.TOWN for each in story.wait_until(180)), "by its rung"


def test_after_the_signature_nothing_is_passed_on() -> None:
    story = Story(directory=ways("app", "sms"), tells_reading=("app",))
    story.alarm()
    story.send_all()
    story.wait(1)
    story.signs("zhou")
    for each in story.wait_until(60):
        assert each.kind is not NoticeKind.RAISED
        assert each.contact.channel != "sms"


def test_nobody_hears_of_two_signatures_for_the_same_news() -> None:
    """赵一 stands at two posts of the duty and 沈北 hears of the county's part; a rise is signed for anew."""
    story = Story()
    story.warning(Level.ORANGE)
    for level, people in ((Level.ORANGE, ("zhao", "chen", "shen")), (Level.RED, ("sun", "chu", "han"))):
        heard: list[str] = []
        story.wait(1)
        story.warning(level)
        for person in people:
            story.send_all()
            story.signs(person)
            quiet = [each for each in story.fresh if each.kind is NoticeKind.SIGNED]
            assert all(each.urgency == "normal" and each.purpose is Purpose.COPY for each in quiet)
            names = [who.person for each in quiet for who in each.everybody]
            assert person not in names
            heard += [who.who for each in quiet for who in each.everybody]
        assert heard
        assert len(heard) == len(set(heard))


UPPER_POSTS = [(unit, role) for unit in ("town", "county", "city") for role in (Role.DUTY_ROOM, Role.LEADER_ON_DUTY)]
WORST = st.sampled_from(
    [SendResult.REFUSED_RECIPIENT, SendResult.UNDELIVERED, SendResult.MISCONFIGURED, SendResult.THROTTLED]
)


@settings(max_examples=12, deadline=None)
@given(
    rich=st.booleans(),
    empty=st.sets(st.sampled_from(UPPER_POSTS)),
    results=st.lists(WORST, min_size=1, max_size=12),
    pick=st.randoms(use_true_random=False),
    severity=st.sampled_from([Severity.HIGH, Severity.HIGH_HIGH]),
)
def test_when_nothing_gets_through_the_line_ends_and_every_tier_is_named(
    rich: bool, empty: set[tuple[str, Role]], results: list[SendResult], pick: Random, severity: Severity
) -> None:
    """However the ways fail, and in whatever order: it is over after finitely many hops; each has its reason; whoever
    is there was called; and no tier of the line is missing from the journal."""
    people = tuple(ways("mail", "sms", people=tuple(each.id for each in PEOPLE[::2])).people.values())
    directory = county(posts=tuple(without(*empty).posts), people=people if rich else PEOPLE)
    story = Story(directory=directory)
    story.alarm(severity)
    written: list[Entry] = list(story.decision.entries)
    for turn in range(200):
        waiting = [
            each
            for each in story.incident.notices.values()
            if each.state is NoticeState.QUEUED and each.purpose is Purpose.ACT and not each.passed_on
        ]
        if not waiting:
            break
        chosen = pick.choice(waiting)
        result = results[turn % len(results)]
        until = story.now + 9999 * MINUTE if result is SendResult.THROTTLED else 0
        story.given(Receipt(notice=chosen.id, result=result, at=story.now, until=until))
        written += story.decision.entries
    else:
        raise AssertionError("it never ends")
    assert [entry.reason for entry in written].count("nobody_anywhere") >= 1
    for tier in (Tier.TOWN, Tier.COUNTY, Tier.CITY, Tier.PROVINCE):
        told = any(entry.reason == "told" and entry.detail["tier"] == tier for entry in written)
        passed = any(entry.reason == "tier_passed_over" and entry.detail["tier"] == tier for entry in written)
        assert told or passed, tier
    for entry in written:
        if entry.reason in ("next_channel", "next_person", "unreachable_goes_up", "tier_passed_over"):
            assert entry.detail["why"]
