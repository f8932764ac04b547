"""电话已通知: the 人工电话 tasks that a call has done, and that an undoing opens again."""

from __future__ import annotations

from escalation.incident import Deed, Incident
from escalation.inputs import Context, Decision, Entry
from escalation.notice import NoticeKind


def tick_off(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> int:
    """Tick off the 人工电话 tasks of the caller's tier and those below: their people were told, nobody signed. How many
    there were."""
    done = 0
    for notice in incident.notices.values():
        if notice.kind is not NoticeKind.PHONE_TASK or notice.done_at or notice.to.tier.rank > deed.tier.rank:
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
