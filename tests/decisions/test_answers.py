"""What an answer does: for the signer's own unit and duty, and never more than the signer may."""

from __future__ import annotations

import pytest

from escalation.deciding.acts import MOST_DEEDS, MOST_TEXT
from escalation.deciding.needed import done_meanwhile
from escalation.directory import ContactEntry, Person, Post
from escalation.event import EventType
from escalation.incident import ClockState, IncidentState
from escalation.notice import NoticeKind
from escalation.replies import answers_as
from escalation.vocabulary import ClockKind, Level, Role, Severity, Verb
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import FACTORY, PEOPLE, POSTS, at, county, sms


def running(story: Story, unit: str) -> set[ClockKind]:
    return {clock.kind for clock in story.duty(unit).clocks if clock.state is ClockState.RUNNING}


def test_a_signature_stops_the_signers_own_sign_clock_and_no_other() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    decision = story.signs("sun")
    assert decision.answer.startswith("W0001 已记录签收：孙三 02:00。还须：11-22 02:00前消警")
    assert running(story, FACTORY) == {ClockKind.CLEAR}
    assert running(story, "county") == {ClockKind.SIGN, ClockKind.VERIFY, ClockKind.FEEDBACK}
    assert story.duty("county").signed is None
    assert "clock_met" in story.reasons()


def test_an_enterprises_signature_leaves_the_lit_towers_of_town_and_county_burning() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.wait_until(95)
    assert story.duty("county").open
    story.signs("zhao")
    assert story.duty("town").signed is None
    assert ClockKind.SIGN in running(story, "town")
    assert ClockKind.SIGN in running(story, "county")


def test_the_city_signing_red_does_not_stop_the_ladder_of_an_enterprise_that_does_not() -> None:
    story = Story()
    story.warning(Level.RED)
    story.says(Verb.SIGN, unit="city", role=Role.DUTY_ROOM)
    assert story.duty("city").signed is not None
    made = story.wait_until(12)
    assert "韩中" in {notice.to.name for notice in made if notice.kind is NoticeKind.ESCALATED}


def test_once_a_lit_tower_has_signed_the_ladder_below_climbs_no_further() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    story.wait_until(31)
    assert story.signs("chen").reason == "reply_sign"
    made = story.wait_until(70)
    assert {notice.kind for notice in made if notice.clock is ClockKind.SIGN} == set()
    assert {notice.clock for notice in made} == {ClockKind.VERIFY}, "the enterprise still has to verify"
    verify = {notice.to.name for notice in story.wait_until(76) if notice.kind is NoticeKind.ESCALATED}
    assert verify == {"石桥镇值班室", "陈十"}, "and the town still hears when it does not"


def test_the_others_of_the_duty_hear_once_that_somebody_took_it() -> None:
    story = Story()
    story.alarm()
    story.wait_until(16)
    story.signs("zhao")
    assert story.heard() == {"孙三": "抄送知悉", "钱二": "抄送知悉"}
    assert story.fresh[0].note == "赵一 02:16"
    decision = story.signs("sun")
    assert decision.reason == "already_signed"
    assert decision.answer.startswith("A0001 已由赵一于02:16签收。")
    assert story.fresh == []


def test_two_persons_at_the_same_millisecond_make_one_signature() -> None:
    story = Story()
    story.alarm()
    story.signs("sun")
    story.signs("zhao")
    signed = story.duty(FACTORY).signed
    assert signed is not None
    assert signed.person == "sun"


@pytest.mark.parametrize("verb", [Verb.CLEAR, Verb.FALSE_ALARM])
def test_clear_and_false_alarm_are_requests_while_the_point_is_active(verb: Verb) -> None:
    story = Story()
    story.alarm()
    decision = story.says(verb, "zhao", text="探头故障")
    assert story.incident.state is IncidentState.OPEN
    assert "上游仍在报警，本警情未关闭" in decision.answer
    assert [request.verb for request in story.incident.requests] == [verb]
    assert running(story, FACTORY) == {ClockKind.VERIFY, ClockKind.CLEAR}


@pytest.mark.parametrize(("verb", "why"), [(Verb.CLEAR, "accepted_clear"), (Verb.FALSE_ALARM, "accepted_false_alarm")])
def test_the_acting_tier_accepts_when_the_point_is_quiet(verb: Verb, why: str) -> None:
    story = Story()
    story.alarm()
    story.cleared()
    story.says(verb, "zhao")
    assert (story.incident.state, story.incident.closed_reason) == (IncidentState.CLOSED, why)
    assert set(story.heard(NoticeKind.CLOSED)) == {"赵一", "孙三"}


def test_an_enterprises_request_goes_to_the_acting_tier_once_and_waits_for_it() -> None:
    story = Story()
    story.event(EventType.WARNING_CLEARED)
    story.warning(Level.ORANGE, at=NIGHT - MINUTE)
    assert not story.incident.active
    decision = story.says(Verb.CLEAR, "sun", text="已整改")
    assert "等待区县确认" in decision.answer
    assert story.heard(NoticeKind.REQUESTED) == {"示例县应急局值班室": "请关注", "沈北": "请关注"}
    story.says(Verb.CLEAR, "zhou")
    assert story.heard(NoticeKind.REQUESTED) == {}, "the same request of the same unit is no news"
    assert story.incident.state is IncidentState.OPEN
    story.says(Verb.CLEAR, "shen")
    assert story.incident.closed_reason == "accepted_clear"


def test_to_verify_or_dispose_says_that_it_was_seen_and_meets_its_clock() -> None:
    story = Story()
    story.alarm()
    story.wait(130)
    story.says(Verb.VERIFY, "zhao", text="现场正常", cause="sensor_fault")
    duty = story.duty(FACTORY)
    assert duty.signed is not None
    assert duty.verified is not None
    assert duty.verified.cause == "sensor_fault"
    assert running(story, FACTORY) == {ClockKind.CLEAR}
    late = {
        entry.detail["clock"]: entry.detail["late_ms"]
        for entry in story.decision.entries
        if entry.reason == "clock_met"
    }
    assert late == {"sign": 115 * MINUTE, "verify": 10 * MINUTE}


def test_the_feedback_clock_is_met_by_the_word_of_whoever_fed_it_back_and_by_nothing_else() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.VERIFY, "shen")
    assert running(story, "county") == {ClockKind.FEEDBACK}
    story.says(Verb.FED_BACK, "shen")
    assert running(story, "county") == set()


def test_answers_go_upstream_only_where_a_source_wants_them() -> None:
    silent, wanted = Story(), Story(feedback={"gateway": ("upstream",)})
    for story in (silent, wanted):
        story.alarm()
        story.signs("zhao")
    assert silent.heard(NoticeKind.FEEDBACK) == {}
    assert [(each.contact.channel, each.note) for each in wanted.fresh if each.kind is NoticeKind.FEEDBACK] == [
        ("upstream", "sign")
    ]
    wanted.cleared()
    assert "gateway" not in wanted.heard(NoticeKind.CLOSED)


@pytest.mark.parametrize("verb", [Verb.QUERY, Verb.HELP])
def test_to_ask_is_not_to_sign(verb: Verb) -> None:
    story = Story(feedback={"gateway": ("upstream",)})
    story.alarm()
    decision = story.says(verb, "zhao")
    assert "尚未签收" in decision.answer
    assert story.duty(FACTORY).signed is None
    assert story.incident.deeds == []
    assert story.fresh == []


def test_told_by_phone_is_not_signed() -> None:
    story = Story()
    story.alarm()
    decision = story.says(Verb.PHONED, "wang", text="赵一已接")
    assert "电话通知不等于签收" in decision.answer
    assert story.duty(FACTORY).signed is None
    assert [(deed.verb, deed.name, deed.text) for deed in story.incident.deeds] == [(Verb.PHONED, "王元", "赵一已接")]
    assert "没有待办" in decision.answer


def test_a_phone_task_is_ticked_off_by_who_phoned_and_nobody_has_signed() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    made = story.wait_until(600)
    tasks = [notice for notice in made if notice.kind is NoticeKind.PHONE_TASK]
    assert tasks
    task = story.incident.notices[tasks[0].id]
    who = "shen"
    decision = story.says(Verb.PHONED, who, text="已接听")
    done = story.incident.notices[task.id]
    assert (done.done_at, done.done_by) == (story.now, "沈北")
    assert "已办结" in decision.answer
    assert "phone_task_done" in story.reasons()
    assert done_meanwhile(story.incident, done) is not None
    assert not any(duty.signed for duty in story.incident.duties)
    assert "没有待办" in story.says(Verb.PHONED, who).answer, "once"


def test_a_clear_from_a_tier_without_a_duty_is_passed_to_the_acting_tier() -> None:
    story = Story()
    story.alarm()
    decision = story.says(Verb.CLEAR, "chu", text="现场已无异常")
    assert "已转告企业" in decision.answer
    assert "未关闭" in decision.answer
    assert [(each.verb, each.deed.person) for each in story.incident.requests] == [(Verb.CLEAR, "chu")]
    assert "赵一" in story.heard(NoticeKind.REQUESTED)
    assert "此前已转告企业" in story.says(Verb.CLEAR, "chu").answer
    assert story.fresh == []


def test_strangers_and_people_of_other_units_have_no_say() -> None:
    story = Story()
    story.alarm()
    for person in ("nobody", "you", "zhu-not"):
        assert story.signs(person).reason == "no_right"
    assert story.duty(FACTORY).signed is None


def test_a_tier_without_a_duty_is_noted_and_stops_nothing() -> None:
    story = Story()
    story.alarm()
    decision = story.signs("shen")
    assert decision.reason == "no_duty"
    assert "没有处置责任" in decision.answer
    assert running(story, FACTORY) == {ClockKind.SIGN, ClockKind.VERIFY, ClockKind.CLEAR}


def test_a_points_own_responsible_person_signs_for_the_enterprise() -> None:
    story = Story()
    story.alarm(point="T02")
    assert story.heard() == {"尤冬": "须处置", "赵一": "须处置", "孙三": "须处置"}
    story.signs("you")
    assert story.duty(FACTORY).signed is not None


def test_an_operator_who_also_answers_for_the_point_hears_once() -> None:
    enterprise = county().enterprises[FACTORY]
    points = tuple(point.model_copy(update={"responsible": ("zhao",)}) for point in enterprise.points)
    story = Story(directory=county(enterprises=(enterprise.model_copy(update={"points": points}),)))
    story.alarm()
    assert [notice.to.name for notice in story.fresh] == ["赵一", "孙三"]


def test_a_person_with_posts_in_two_units_signs_the_lower_first_and_then_the_other() -> None:
    posts = (*POSTS, Post(unit="county", role=Role.OFFICER, people=("wu",)))
    story = Story(directory=county(posts=posts))
    story.warning(Level.ORANGE)
    assert [notice.to.name for notice in story.fresh].count("吴六") == 1, "two posts, one notice"
    story.signs("wu")
    assert (story.duty(FACTORY).signed is None, story.duty("county").signed is None) == (False, True)
    story.signs("wu")
    assert story.duty("county").signed is not None


def test_a_duty_rooms_own_phone_answers_as_the_room_or_as_the_one_who_stands_there() -> None:
    rooms = (
        Post(unit="county", role=Role.DUTY_ROOM, contacts=(ContactEntry(channel="sms", address=" 13900130001 "),)),
        *(post for post in POSTS if (post.unit, post.role) != ("county", Role.DUTY_ROOM)),
    )
    directory = county(posts=rooms)
    assert answers_as(directory, "sms", "13900130001", NIGHT) == ("", "county", Role.DUTY_ROOM)
    assert answers_as(directory, "sms", "13900130002", NIGHT) is None
    assert answers_as(county(), "town-robot", "", at("2026-11-21 12:00")) == ("feng", "", None)
    story = Story(directory=directory)
    story.warning(Level.ORANGE)
    story.says(Verb.SIGN, unit="county", role=Role.DUTY_ROOM)
    signed = story.duty("county").signed
    assert signed is not None
    assert (signed.person, signed.name) == ("", "示例县应急局值班室")
    assert story.heard(NoticeKind.SIGNED) == {"沈北": "抄送知悉"}


def test_an_answer_to_what_is_closed_changes_nothing() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.cleared()
    decision = story.signs("sun")
    assert (decision.reason, decision.outbox) == ("already_closed", [])
    assert "02:00关闭" in decision.answer


def test_persons_who_share_an_address_share_one_send_and_both_count_as_told() -> None:
    shared = sms(77)
    people = tuple(
        Person(id=each.id, name=each.name, contacts=shared) if each.id in ("zhao", "sun") else each for each in PEOPLE
    )
    story = Story(directory=county(people=people))
    story.alarm()
    assert [notice.to.name for notice in story.fresh] == ["赵一"]
    assert story.heard() == {"赵一": "须处置", "孙三": "须处置"}
    assert "shares_a_send" in story.reasons()
    story.cleared()
    story.signs("sun")
    assert set(story.heard(NoticeKind.CLOSED)) == {"赵一", "孙三"}


def test_the_state_keeps_so_many_deeds_and_so_many_characters() -> None:
    story = Story()
    story.alarm()
    for _ in range(MOST_DEEDS + 5):
        story.says(Verb.FALSE_ALARM, "zhao", text="误" * 2 * MOST_TEXT)
    assert len(story.incident.deeds) == len(story.incident.requests) == MOST_DEEDS
    assert len(story.incident.deeds[-1].text) == MOST_TEXT
    assert len(str(story.decision.entries[0].detail["text"])) == 2 * MOST_TEXT
