"""转派 and 催办: who bears a duty, who hears it, and what neither of them does."""

from __future__ import annotations

import pytest

from escalation.decide import still_needed
from escalation.incident import ClockState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind, Level, Role, Severity, Verb
from tests.decisions.house import MINUTE, Story
from tests.rules.county import FACTORY


def handed(to: str = "李四", severity: Severity = Severity.HIGH) -> Story:
    story = Story()
    story.alarm(severity)
    story.wait(2)
    story.says(Verb.TRANSFER, "zhao", to=to)
    return story


def test_the_new_person_hears_and_the_others_know() -> None:
    story = handed()
    assert story.heard(NoticeKind.TRANSFERRED) == {"李四": "须处置"}
    assert story.heard(NoticeKind.PROGRESS) == {"孙三": "抄送知悉"}
    assert story.duty(FACTORY).named == f"{FACTORY}/{Role.EQUIPMENT}/li"
    assert story.decision.answer.startswith("A0001 已转派李四（设备管理员），已通知本人。转派不等于签收，02:15前签收。")
    assert story.reasons()[0] == "reply_transfer"


def test_a_transfer_signs_nothing_and_stops_no_clock() -> None:
    story = handed()
    duty = story.duty(FACTORY)
    assert duty.signed is None
    assert all(clock.state is ClockState.RUNNING for clock in duty.clocks)


def test_reminders_go_to_the_new_person_alone_and_the_ladder_climbs_as_before() -> None:
    story = handed()
    made = story.wait_until(31)
    assert {notice.to.name for notice in made if notice.kind is NoticeKind.REMIND} == {"李四"}
    assert {"钱二", "周五"} <= {notice.to.name for notice in made if notice.kind is NoticeKind.ESCALATED}


def test_news_reaches_the_rules_posts_as_well() -> None:
    story = handed()
    story.alarm(Severity.HIGH_HIGH)
    assert {"赵一", "孙三", "李四"} <= set(story.heard())
    assert story.duty(FACTORY).named == "", "a rise starts the duty anew"


def test_a_person_off_shift_who_was_named_is_told_all_the_same() -> None:
    story = handed("郑七")
    notice = story.notice("郑七", NoticeKind.TRANSFERRED)
    assert still_needed(story.incident, notice.id, frozenset()) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("李四", "li"),
        ("李四处理", "li"),
        ("13800130003", "li"),
        ("安全负责人", "zhou"),
        ("值班室", ""),
    ],
)
def test_whom_a_name_a_number_or_a_post_means(said: str, meant: str) -> None:
    assert handed(said).duty(FACTORY).named.endswith(f"/{meant}")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "transfer_to_whom"),
        ("沈北", "transfer_to_nobody"),
        ("老李", "transfer_to_nobody"),
        ("王五", "transfer_to_nobody"),
    ],
)
def test_nobody_outside_the_unit_and_nobody_by_guess(said: str, reason: str) -> None:
    story = handed(said)
    assert story.decision.reason == reason
    assert "未记录" in story.decision.answer
    assert "可转派：" in story.decision.answer
    assert (story.duty(FACTORY).named, story.incident.deeds) == ("", [])


def test_the_same_person_twice_is_no_news() -> None:
    story = handed()
    assert story.says(Verb.TRANSFER, "sun", to="李四").reason == "transferred_already"


def test_who_has_no_duty_here_hands_nothing_on() -> None:
    story = handed()
    assert story.says(Verb.TRANSFER, "chu", to="卫南").reason == "no_duty"


def test_an_officer_urges_those_below_now() -> None:
    story = Story()
    story.alarm()
    story.wait(3)
    decision = story.says(Verb.URGE, "chu", text="请速到现场")
    assert story.heard(NoticeKind.URGED) == {"赵一": "须处置", "孙三": "须处置"}
    assert {notice.note for notice in story.fresh} == {"褚东催办：请速到现场"}
    assert decision.answer == "A0001 已催办：示例木业有限公司（第1次，02:15前签收）。"
    assert story.duty(FACTORY).urges == 1


def test_urging_is_counted_and_not_repeated_at_once() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.URGE, "chu")
    story.wait(9)
    decision = story.says(Verb.URGE, unit="county", role=Role.DUTY_ROOM)
    assert (decision.reason, story.fresh) == ("urged_too_soon", [])
    assert "02:00已催办（第1次），02:10后可再催办" in decision.answer
    story.wait(1)
    story.says(Verb.URGE, unit="county", role=Role.DUTY_ROOM)
    assert {notice.note for notice in story.fresh} == {"示例县应急局值班室第2次催办"}
    assert story.duty(FACTORY).urges == 2


def test_an_enterprise_urges_nobody_and_what_is_done_is_not_urged() -> None:
    story = Story()
    story.alarm()
    assert story.says(Verb.URGE, "zhao").reason == "no_right_to_urge"
    story.says(Verb.VERIFY, "zhao")
    story.cleared()
    assert story.says(Verb.URGE, "chu").reason == "already_closed"


def test_the_county_urges_town_and_enterprise_but_not_itself() -> None:
    story = Story()
    story.warning(Level.YELLOW)
    story.says(Verb.URGE, "shen")
    assert {notice.duty.split("#")[0] for notice in story.fresh if notice.kind is NoticeKind.URGED} == {FACTORY, "town"}
    story.wait(30)
    story.says(Verb.URGE, "chu")
    assert {notice.duty.split("#")[0] for notice in story.fresh if notice.kind is NoticeKind.URGED} == {FACTORY}


def test_an_urging_that_waits_is_dropped_when_it_is_done_meanwhile() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.URGE, "chu")
    notice = next(each for each in story.fresh if each.clock is ClockKind.SIGN)
    story.now += MINUTE
    story.signs("sun")
    assert still_needed(story.incident, notice.id, None) == "clock_met_meanwhile"


def test_an_urging_signs_nothing_for_the_one_who_urges() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.URGE, "shen")
    assert story.duty("county").signed is None
