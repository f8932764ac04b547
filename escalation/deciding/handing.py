"""转派 and 催办: another person of the unit bears the duty, or an officer above reminds those who do."""

from __future__ import annotations

from escalation.calendar import MINUTE, hhmm
from escalation.deciding.acts import (
    OFFICERS,
    choose,
    deed_by,
    hear,
    minute,
    next_clock,
    owed,
    recorded,
    refused,
    tiers,
    told_of,
)
from escalation.deciding.duties import bearers, due_of, named_person, tell_duty
from escalation.incident import Duty, Incident
from escalation.inputs import Context, Decision, Reply, Rights
from escalation.notice import Addressee, NoticeKind
from escalation.roster import everybody
from escalation.telling import next_stage
from escalation.vocabulary import ClockKind, Purpose, Role, Tier

_MOST_LISTED = 8


def transfer(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """转派: whom the reply names bears the duty from now on, and hears it at once. It signs nothing, and no clock stops
    or starts anew. Only within the unit: another unit has a duty, and a line, of its own."""
    right, duty = choose(incident, granted)
    if duty is None:
        return refused(incident, reply, ctx, "no_duty", f"{incident.code} 您的单位对此项没有处置责任，不能转派。")
    point = incident.point if duty.tier is Tier.ENTERPRISE else ""
    there = everybody(ctx.directory, duty.unit, point)
    fitting = matching(there, reply.to)
    if len(fitting) != 1:
        reason, why = (
            ("transfer_to_whom", "请写明转派给谁")
            if not reply.to
            else ("transfer_to_several", f"本单位有{len(fitting)}人符合“{reply.to[:12]}”")
            if fitting
            else ("transfer_to_nobody", f"本单位没有可转派的“{reply.to[:12]}”")
        )
        names = "、".join(who.name for who in there[:_MOST_LISTED])
        example = f"如“转派 {incident.code} {there[0].name}”。" if there else ""
        answer = f"{incident.code} {why}，未记录。可转派：{names or '无'}。{example}"
        return refused(incident, reply, ctx, reason, answer)
    chosen = fitting[0]
    if duty.named == chosen.key:
        answer = f"{incident.code} 已由{chosen.name}负责，不需要再转派。"
        return refused(incident, reply, ctx, "transferred_already", answer)
    former = (*named_person(duty, ctx), *told_of(incident, duty))
    said = f"转派{chosen.name}" + (f"：{reply.text}" if reply.text else "")
    detail = {"to": chosen.key, "from": duty.named}
    decision, deed = recorded(incident, deed_by(right, reply, ctx, text=said, before=duty.named), ctx, duty, detail)
    duty.named = chosen.key
    clock = next_clock(duty)
    tell_duty(
        decision,
        incident,
        ctx,
        duty,
        (chosen,),
        kind=NoticeKind.TRANSFERRED,
        stage=next_stage(incident, NoticeKind.TRANSFERRED),
        clock=clock,
        due_at=due_of(duty, clock),
        note=f"{deed.name}转派" + (f"：{reply.text}" if reply.text else ""),
    )
    others = [each for each in former if each.who != chosen.who]
    hear(decision, incident, ctx, others, f"{deed.name}{said}", by=deed, duty=duty, purpose=Purpose.COPY)
    unsigned = f"转派不等于签收，{minute(due_of(duty, ClockKind.SIGN), ctx)}前签收。" if _unsigned(duty) else ""
    decision.answer = (
        f"{incident.code} 已转派{chosen.name}（{chosen.role.word}），已通知本人。{unsigned}{owed(duty, ctx)}"
    )
    return decision


def _unsigned(duty: Duty) -> bool:
    return duty.signed is None and due_of(duty, ClockKind.SIGN) > 0


def matching(people: tuple[Addressee, ...], said: str) -> list[Addressee]:
    """Who is meant by a name, a phone number or a post's word; more exact first, nobody for an empty word."""
    word = "".join(said.split())
    if not word:
        return []
    exact = [who for who in people if who.person and who.name == word]
    named = exact or [who for who in people if who.person and who.name in word]
    numbered = [who for who in people if any(contact.address and contact.address in word for contact in who.contacts)]
    if named or numbered:
        return named or numbered[:1]
    posts = [who for who in people if who.role.word in word]
    rooms = [who for who in posts if not who.person]
    return rooms[:1] or posts


def urgeable(incident: Incident, granted: tuple[Rights, ...]) -> tuple[Rights | None, list[Duty]]:
    """The post from which somebody may urge, and the lower duties that still owe something."""
    may = [each for each in tiers(granted) if each.role in (*OFFICERS, Role.PATROL)]
    right = may[-1] if may else None
    lower = [
        duty for duty in incident.duties if duty.open and right and duty.tier.rank < right.tier.rank and due_of(duty)
    ]
    return right, lower


def urge(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """催办: whoever bears a lower duty is reminded now, with the name of who urges; counted, and not again at once."""
    right, lower = urgeable(incident, granted)
    if right is None:
        answer = f"{incident.code} 催办由上级值班室或监管人员发出，未记录。需要延长时限请回复“延期”。"
        return refused(incident, reply, ctx, "no_right_to_urge", answer)
    if not lower:
        answer = f"{incident.code} 下级目前没有未办的事项，不需要催办。"
        return refused(incident, reply, ctx, "nothing_to_urge", answer)
    gap = incident.plan.urge_gap * MINUTE
    ready = [duty for duty in lower if ctx.now - duty.urged_at >= gap]
    if not ready:
        last = max(lower, key=lambda duty: duty.urged_at)
        answer = (
            f"{incident.code} {hhmm(last.urged_at)}已催办（第{last.urges}次），"
            f"{minute(last.urged_at + gap, ctx)}后可再催办。紧急请直接电话。"
        )
        return refused(incident, reply, ctx, "urged_too_soon", answer)
    detail: dict[str, str | int] = {
        "duties": ",".join(duty.id for duty in ready),
        "times": max(duty.urges for duty in ready) + 1,
    }
    decision, deed = recorded(incident, deed_by(right, reply, ctx), ctx, None, detail)
    said: list[str] = []
    for duty in ready:
        duty.urges, duty.urged_at = duty.urges + 1, ctx.now
        clock = next_clock(duty)
        times = f"第{duty.urges}次" if duty.urges > 1 else ""
        tell_duty(
            decision,
            incident,
            ctx,
            duty,
            bearers(incident, duty, ctx, decision),
            kind=NoticeKind.URGED,
            stage=next_stage(incident, NoticeKind.URGED),
            clock=clock,
            due_at=due_of(duty, clock),
            note=f"{deed.name}{times}催办" + (f"：{reply.text}" if reply.text else ""),
        )
        due = due_of(duty, clock)
        state = f"{minute(due, ctx)}到期未{clock.word}" if due <= ctx.now else f"{minute(due, ctx)}前{clock.word}"
        said.append(f"{ctx.directory.unit_name(duty.unit)}（第{duty.urges}次，{state}）")
    decision.answer = f"{incident.code} 已催办：{'；'.join(said)}。"
    return decision
