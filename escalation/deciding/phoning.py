"""电话已通知: the 人工电话 tasks that a call has done, and that an undoing opens again. A call never signs."""

from __future__ import annotations

from escalation.deciding.needed import done_meanwhile
from escalation.deed import Deed
from escalation.incident import Incident, IncidentState
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Notice, NoticeKind

NOT_REACHED = ("无人接听", "号码不通")
"""Results of a call that told nobody: it is recorded, and the task stays open."""
RESULTS = ("已通知本人", "已通知他人", *NOT_REACHED)
"""What may have come of a call, where it is chosen from a list."""


def open_tasks(incident: Incident, unit: str = "") -> list[Notice]:
    """The telephone tasks that nobody has done and that are still needed, oldest first; of one unit, or of all."""
    if incident.state is IncidentState.CLOSED:
        return []
    return [
        notice
        for notice in incident.notices.values()
        if notice.kind is NoticeKind.PHONE_TASK
        and (not unit or notice.to.unit == unit)
        and done_meanwhile(incident, notice) is None
    ]


def tick_off(decision: Decision, incident: Incident, deed: Deed, ctx: Context, named: str = "") -> int:
    """Tick off the 人工电话 tasks of the caller's tier and those below, or only the one that the notice ``named``
    stands for: their people were told, nobody signed. How many there were; none where the call reached nobody."""
    if deed.cause in NOT_REACHED:
        return 0
    stages = {notice.stage for notice in incident.notices.values() if notice.id == named}
    done = 0
    for notice in incident.notices.values():
        if notice.kind is not NoticeKind.PHONE_TASK or notice.done_at or notice.to.tier.rank > deed.tier.rank:
            continue
        if named and notice.stage not in stages:
            continue
        notice.done_at, notice.done_by = ctx.now, deed.name
        done += 1
        decision.entries.append(
            Entry(
                at=ctx.now,
                reason="phone_task_done",
                incident=incident.code,
                actor=deed.who,
                notice=notice.id,
                detail={"name": deed.name, "duty": notice.duty, "people": notice.note, "result": deed.text},
            )
        )
    return done


def open_again(incident: Incident, deed: Deed) -> None:
    """The call was recorded by mistake: its tasks are still to be done."""
    for notice in incident.notices.values():
        if notice.kind is NoticeKind.PHONE_TASK and (notice.done_at, notice.done_by) == (deed.at, deed.name):
            notice.done_at, notice.done_by = 0, ""
