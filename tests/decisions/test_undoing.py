"""撤回: one's own last act, within the profile's minutes, and never what others have done."""

from __future__ import annotations

from escalation.incident import ClockState, IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind, Level, Role, Severity, Verb
from tests.decisions.house import MINUTE, NIGHT, Story
from tests.rules.county import FACTORY


def state(story: Story, kind: ClockKind, unit: str = FACTORY) -> ClockState:
    return next(clock.state for clock in story.duty(unit).clocks if clock.kind is kind)


def is_open(story: Story) -> bool:
    return story.incident.state is IncidentState.OPEN


def test_a_signature_taken_back_is_no_signature_and_everybody_hears_it() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(1)
    decision = story.says(Verb.UNDO, "zhao")
    assert story.duty(FACTORY).signed is None
    assert state(story, ClockKind.SIGN) is ClockState.RUNNING
    assert story.heard() == {"孙三": "须处置"}
    assert story.fresh[0].note == "赵一撤回签收，请重新签收"
    assert decision.answer == "A0001 已撤回您02:00的签收，请重新签收，相关人员已告知。"
    assert [deed.verb for deed in story.incident.deeds] == [Verb.UNDO]
    made = story.wait_until(16)
    assert NoticeKind.REMIND in {notice.kind for notice in made}, "and the ladder climbs on"


def test_only_ones_own_and_only_the_last() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    assert story.says(Verb.UNDO, "sun").reason == "nothing_to_undo"
    story.says(Verb.VERIFY, "zhao", cause="传感器故障")
    story.says(Verb.UNDO, "zhao")
    assert story.duty(FACTORY).signed is not None
    assert story.duty(FACTORY).verified is None
    assert state(story, ClockKind.VERIFY) is ClockState.RUNNING
    assert story.says(Verb.UNDO, "zhao").reason == "undone_already", "a message sent twice takes back one act"


def test_after_the_minutes_of_the_profile_nothing_is_taken_back() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(6)
    decision = story.says(Verb.UNDO, "zhao")
    assert (decision.reason, "超过5分钟" in decision.answer) == ("undo_too_late", True)
    assert story.duty(FACTORY).signed is not None


def test_ones_own_closure_is_taken_back_and_duties_run_on() -> None:
    story = Story()
    story.alarm()
    story.cleared()
    story.says(Verb.CLEAR, "zhao")
    assert not is_open(story)
    story.wait(2)
    decision = story.says(Verb.UNDO, "zhao")
    assert is_open(story)
    assert (story.duty(FACTORY).open, story.duty(FACTORY).signed) == (True, None)
    assert state(story, ClockKind.SIGN) is ClockState.RUNNING
    assert "警情恢复为未关闭" in decision.answer
    assert "孙三" in story.heard()
    assert story.incident.requests == []


def test_a_closure_by_others_stays() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.wait(1)
    story.cleared()
    assert not is_open(story)
    assert story.says(Verb.UNDO, "zhao").reason == "closed_by_others"
    assert not is_open(story)


def test_a_colleagues_closure_stays_too() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.DISPOSE, "sun", text="停机")
    story.wait(1)
    story.cleared()
    assert story.says(Verb.UNDO, "sun").reason == "closed_by_others"


def test_a_request_is_withdrawn_unless_it_was_answered() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.EXTEND, "sun", text="等", minutes=60, clock=ClockKind.CLEAR)
    story.says(Verb.UNDO, "sun")
    assert story.incident.requests == []
    assert "褚东" in story.heard()
    story.says(Verb.EXTEND, "sun", text="等", minutes=60, clock=ClockKind.CLEAR)
    story.says(Verb.APPROVE, "chu")
    assert story.says(Verb.UNDO, "sun").reason == "answered_already"


def test_an_approval_is_taken_back_and_the_limit_with_it() -> None:
    story = Story()
    story.alarm()
    due = story.duty(FACTORY).clocks[-1].due_at
    story.says(Verb.EXTEND, "sun", text="等", minutes=60, clock=ClockKind.CLEAR)
    story.says(Verb.APPROVE, "chu")
    story.says(Verb.UNDO, "chu")
    clock = story.duty(FACTORY).clocks[-1]
    assert (clock.due_at, clock.extended) == (due, 0)
    assert story.incident.requests[0].answer is None
    assert story.says(Verb.REFUSE, "chu").reason == "reply_refuse"


def test_an_approved_closure_is_taken_back_by_its_approver() -> None:
    story = Story()
    story.warning(Level.ORANGE, at=NIGHT)
    story.says(Verb.CLEAR, "sun")
    story.incident.active = False
    story.says(Verb.APPROVE, "shen")
    assert not is_open(story)
    story.says(Verb.UNDO, "shen")
    assert is_open(story)
    assert story.incident.requests[0].answer is None


def test_a_transfer_is_taken_back_to_whom_it_was_before() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.TRANSFER, "zhao", to="李四")
    story.says(Verb.UNDO, "zhao")
    assert story.duty(FACTORY).named == ""
    assert "李四" in story.heard()


def test_an_urging_cannot_be_called_back() -> None:
    story = Story()
    story.alarm()
    story.says(Verb.URGE, "chu")
    assert story.says(Verb.UNDO, "chu").reason == "cannot_be_undone"


def test_fed_back_and_phoned_are_taken_back_by_the_duty_room_itself() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.says(Verb.FED_BACK, unit="county", role=Role.DUTY_ROOM)
    assert state(story, ClockKind.FEEDBACK, "county") is ClockState.MET
    story.wait(1)
    story.says(Verb.UNDO, unit="county", role=Role.DUTY_ROOM)
    assert state(story, ClockKind.FEEDBACK, "county") is ClockState.RUNNING


def test_a_call_that_was_not_made_leaves_its_task_to_be_done() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    made = story.wait_until(600)
    task = next(notice.id for notice in made if notice.kind is NoticeKind.PHONE_TASK)
    story.says(Verb.PHONED, "shen", text="已接听")
    assert story.incident.notices[task].done_at
    story.wait(1)
    story.says(Verb.UNDO, "shen")
    assert (story.incident.notices[task].done_at, story.incident.notices[task].done_by) == (0, "")


def test_a_raise_after_the_act_leaves_nothing_of_it_to_take_back() -> None:
    story = Story()
    story.alarm()
    story.signs("zhao")
    story.now += MINUTE
    story.alarm(Severity.HIGH_HIGH)
    story.says(Verb.UNDO, "zhao")
    assert story.duty(FACTORY).signed is None
    assert is_open(story)


def test_what_a_closed_duty_did_is_taken_back_and_the_duty_stays_closed() -> None:
    story = Story()
    story.warning(Level.ORANGE)
    story.wait(1)
    story.says(Verb.VERIFY, unit="county", role=Role.DUTY_ROOM, cause="真实超限")
    story.wait(1)
    story.downgraded(Level.YELLOW)
    assert not story.duty("county").open
    story.wait(1)
    decision = story.says(Verb.UNDO, unit="county", role=Role.DUTY_ROOM)
    assert story.duty("county").verified is None
    assert {clock.state for clock in story.duty("county").clocks} == {ClockState.CLOSED}
    assert "重新签收" not in decision.answer, "nobody owes it any more"
