"""Nobody signs: reminders, announcements, the next tower, phone tasks, proposals; and what an outage leaves behind."""

from __future__ import annotations

from escalation.decide import still_needed
from escalation.incident import ClockState
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.vocabulary import ClockKind, Level, Purpose, Role, Severity, Tier, Verb
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import FACTORY, county, without


def minutes(made: list[Notice]) -> list[tuple[int, str, str]]:
    return [((notice.created_at - NIGHT) // MINUTE, notice.kind.value, notice.to.name) for notice in made]


def test_a_high_alarm_nobody_signs_climbs_rung_by_rung() -> None:
    story = Story()
    story.alarm()
    made = [notice for notice in story.wait_until(245) if notice.clock is ClockKind.SIGN]
    assert minutes(made) == [
        (10, "remind", "赵一"),
        (10, "remind", "孙三"),
        (15, "escalated", "钱二"),
        (30, "escalated", "周五"),
        (60, "escalated", "吴六"),
        (170, "announce", "赵一"),
        (170, "announce", "孙三"),
        (180, "escalated", "石桥镇值班室"),
        (180, "escalated", "陈十"),
        (190, "remind", "石桥镇值班室"),
        (190, "remind", "陈十"),
        (230, "announce", "赵一"),
        (230, "announce", "孙三"),
        (240, "escalated", "蒋西"),
    ]
    assert made[5].note == "石桥镇"
    assert made[5].due_at == NIGHT + 180 * MINUTE
    town = next(notice for notice in made if notice.to.name == "陈十")
    assert town.duty == story.duty("town").id
    assert town.note == story.duty(FACTORY).id
    assert town.due_at == NIGHT + 195 * MINUTE, "the town's own limit, not the one the enterprise let lapse"


def test_a_ladder_that_is_used_up_ends_loudly() -> None:
    story = Story()
    story.alarm()
    story.wait_until(60 * 24 * 5)
    assert story.incident.due_at() is None
    for clock in story.duty(FACTORY).clocks:
        assert clock.lapsed_at == clock.due_at
        assert all(step.fired_at for step in clock.steps)
    assert story.duty("county").signed is None


def test_a_step_that_calls_becomes_a_phone_task_where_nothing_can_speak() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    tasks = [notice for notice in story.wait_until(6) if notice.kind is NoticeKind.PHONE_TASK]
    assert {notice.to.name for notice in tasks} == {"示例木业有限公司值班室", "王元"}
    assert tasks[0].note == "赵一、孙三、王元"


def test_a_phone_task_without_a_duty_room_goes_up_to_the_next_and_lights_no_tower() -> None:
    story = Story(directory=without((FACTORY, Role.DUTY_ROOM)))
    story.alarm(Severity.HIGH_HIGH)
    tasks = [notice for notice in story.wait_until(6) if notice.kind is NoticeKind.PHONE_TASK]
    assert {notice.to.name for notice in tasks} == {"石桥镇值班室", "陈十"}
    assert tasks[0].duty == story.duty(FACTORY).id
    assert [duty.unit for duty in story.incident.duties] == [FACTORY]


def test_a_phone_task_without_any_duty_room_still_reaches_somebody() -> None:
    rooms = tuple((unit, Role.DUTY_ROOM) for unit in (FACTORY, "town", "county", "city", "province"))
    story = Story(directory=without(*rooms))
    story.alarm(Severity.HIGH_HIGH)
    tasks = [notice for notice in story.wait_until(6) if notice.kind is NoticeKind.PHONE_TASK]
    assert [notice.to.name for notice in tasks] == ["周五"]


def test_proposals_reach_officers_only_and_name_the_measure() -> None:
    story = Story()
    story.alarm()
    made = [notice for notice in story.wait_until(60 * 73) if notice.kind is NoticeKind.PROPOSAL]
    assert [(notice.to.role, notice.to.name, str(notice.measure)) for notice in made] == [
        (Role.OFFICER, "褚东", "site_check"),
        (Role.OFFICER, "卫南", "site_check"),
        (Role.OFFICER, "沈北", "site_supervision"),
        (Role.OFFICER, "沈北", "circular"),
    ]
    assert {notice.purpose for notice in made} == {Purpose.ATTEND}
    assert all(
        notice.measure is None for notice in story.incident.notices.values() if notice.to.tier is Tier.ENTERPRISE
    )


def test_nobody_at_the_post_falls_to_the_next_tier_loudly_and_lights_it() -> None:
    empty = tuple(
        (FACTORY, role)
        for role in (Role.OPERATOR, Role.SAFETY_OFFICER, Role.DUTY_ROOM, Role.SAFETY_HEAD, Role.MAIN_PERSON)
    )
    story = Story(directory=without(*empty))
    story.alarm(Severity.HIGH_HIGH)
    assert [reason for reason in story.reasons() if reason != "told"] == [
        "opened",
        "nobody_at_post",
        "fell_to_next_tier",
    ]
    assert story.heard() == {"石桥镇值班室": "须处置", "陈十": "须处置", "朱夏": "请关注"}
    town = story.duty("town")
    *told, word = story.fresh
    assert {notice.duty for notice in told} == {town.id}
    assert word.kind is NoticeKind.QUARANTINE
    assert "岗位此刻无人，已转由石桥镇值班室、陈十接收" in word.note
    assert story.fresh[0].due_at == town.clocks[0].due_at
    decision = story.signs("chen")
    assert decision.reason == "reply_sign", "who is asked can answer"
    assert story.duty(FACTORY).signed is None
    made = story.wait_until(20)
    assert [notice for notice in made if notice.clock is ClockKind.SIGN and notice.kind is NoticeKind.REMIND] == []
    story.cleared()
    assert story.incident.closed_reason == "cleared_and_signed"


def test_an_empty_room_that_a_rung_wakes_is_told_to_the_maintainers() -> None:
    story = Story(directory=without(("county", Role.DUTY_ROOM)))
    story.alarm(Severity.HIGH_HIGH)
    made = story.wait_until(90)
    (word,) = [notice for notice in made if notice.kind is NoticeKind.QUARANTINE and "值班室" in notice.note]
    assert "值班室岗位此刻无人，已转由" in word.note
    assert (word.to.name, word.purpose) == ("朱夏", Purpose.ATTEND)


def test_an_empty_post_of_less_than_orange_wakes_no_maintainer() -> None:
    empty = ((FACTORY, role) for role in (Role.OPERATOR, Role.SAFETY_OFFICER, Role.DUTY_ROOM))
    story = Story(directory=without(*empty))
    story.alarm(Severity.HIGH)
    assert "nobody_at_post" in story.reasons()
    assert "朱夏" not in story.heard()
    story.alarm(Severity.HIGH_HIGH)
    assert story.heard()["朱夏"] == "请关注", "but its rise to critical does"


def test_nobody_anywhere_goes_to_the_maintainers() -> None:
    keep = ("county", Role.MAINTAINER)
    gone = {(post.unit, post.role) for post in county().posts if (post.unit, post.role) != keep}
    story = Story(directory=without(*gone))
    story.alarm()
    assert "nobody_anywhere" in story.reasons()
    assert story.heard() == {"朱夏": "须处置"}


def test_a_held_reminder_holds_the_rung_that_goes_up_and_the_limit_but_not_for_ever() -> None:
    story = _late_reminder()
    assert story.lapse().reason == "limit_held"
    assert "reminder_held" in story.reasons()
    assert {step.held for step in story.duty(FACTORY).clocks[2].steps} == {0, 1}
    clock = story.duty(FACTORY).clocks[2]
    assert (clock.lapsed_at, clock.due_at) == (0, story.now + 2 * MINUTE)
    assert "石桥镇值班室" not in story.heard()
    story.send_all()
    story.wait(2)
    story.lapse()
    assert "石桥镇值班室" in story.heard()
    assert clock.kind is ClockKind.CLEAR
    story = _late_reminder()
    story.lapse()
    for _ in range(10):
        assert "石桥镇值班室" not in story.heard()
        story.wait(2)
        story.lapse()
    assert "石桥镇值班室" in story.heard()
    assert story.duty(FACTORY).clocks[2].lapsed_at


def _late_reminder() -> Story:
    """At its 24 hours a signed and verified alarm, whose reminder was made just now and waits in the hub."""
    story = Story()
    story.alarm()
    story.says(Verb.VERIFY, "zhao")
    story.send_all()
    story.now = NIGHT + 24 * 60 * MINUTE
    return story


def test_a_critical_rung_never_waits_for_a_reminder() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.now = NIGHT + 31 * MINUTE
    story.lapse()
    assert "石桥镇值班室" in story.heard()
    fired = [entry.detail["step_at"] for entry in story.decision.entries if entry.reason.startswith("step_")]
    assert fired == sorted(fired, key=lambda time: int(time or 0)), "one clock's rungs between the other's"
    assert story.duty(FACTORY).clocks[0].lapsed_at == story.now


def test_after_an_outage_every_rung_fires_once_in_order_and_nobody_is_flooded() -> None:
    story = Story()
    story.alarm()
    story.send_all()
    story.now = NIGHT + 5 * 60 * MINUTE
    story.lapse()
    times = [entry.detail["step_at"] for entry in story.decision.entries if entry.reason.startswith("step_")]
    assert times == sorted(times, key=lambda time: int(time or 0))
    assert sorted(notice.to.name for notice in story.fresh) == ["吴六", "周五", "孙三", "赵一", "钱二"]
    assert {notice.kind for notice in story.fresh if notice.to.name == "赵一"} == {NoticeKind.REMIND}
    assert {notice.clock for notice in story.fresh} == {ClockKind.SIGN}, "what must be done first is asked first"
    assert "overtaken_by_stronger" in story.reasons()
    story.send_all()
    story.wait(2)
    story.lapse()
    assert sorted(notice.to.name for notice in story.fresh) == ["石桥镇值班室", "蒋西", "陈十"]
    story.send_all()
    story.lapse()
    assert story.fresh == []


def test_who_would_be_reminded_and_called_at_once_is_called() -> None:
    story = Story()
    story.warning(Level.RED)
    story.send_all()
    story.now = NIGHT + 13 * 60 * MINUTE
    story.lapse()
    kinds = [notice.kind for notice in story.fresh if notice.to.name == "吴六"]
    assert kinds == [NoticeKind.ESCALATED]
    assert [notice.kind for notice in story.fresh if notice.to.name == "周五"] == [NoticeKind.REMIND]


def test_after_a_long_outage_an_officer_sees_the_hardest_measure_only() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.VERIFY, "zhao")
    story.send_all()
    story.now = NIGHT + 80 * 60 * MINUTE
    story.lapse()
    assert [(notice.to.name, str(notice.measure)) for notice in story.fresh if notice.to.role is Role.OFFICER] == [
        ("褚东", "site_check"),
        ("卫南", "site_check"),
        ("沈北", "circular"),
    ]


def test_an_announcement_is_left_out_when_its_time_to_go_up_has_come_too() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.now = NIGHT + 31 * MINUTE
    story.lapse()
    assert "announcement_overtaken" in story.reasons()
    assert NoticeKind.ANNOUNCE not in {notice.kind for notice in story.fresh if notice.clock is ClockKind.SIGN}


def test_nothing_due_is_a_decision_too() -> None:
    story = Story()
    story.alarm()
    before = len(story.incident.notices)
    assert story.lapse().reason == "nothing_due"
    assert len(story.incident.notices) == before
    story.signs("zhao")
    story.cleared()
    story.wait(600)
    assert story.lapse().reason == "nothing_due"


def test_an_escalation_goes_out_though_the_tier_it_reaches_has_signed_for_itself() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.SIGN, "shen")
    story.wait_until(61, sending=False)
    told = story.notice("示例县应急局值班室", NoticeKind.ESCALATED)
    assert told.state is NoticeState.QUEUED
    assert still_needed(story.incident, told.id, None) is None
    assert story.duty("county").clocks[0].state is ClockState.MET
