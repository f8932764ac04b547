"""Notices out of decisions: one place that turns "these people must hear this" into rows of state and outbox.

Ids are deterministic (code, episode, stage, address), so that a decision made again after a lost race or a crash makes
the very same notices, and persons who share an address share one send.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s

from msgspec.structs import replace

from escalation.deed import Deed
from escalation.incident import Duty, Incident
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Addressee, Contact, DeadLetter, Notice, NoticeKind, NoticeState, OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import ClockKind, Measure, Purpose, Urgency

MOST_NOTICES = 64
"""Notices beyond this many leave the state, oldest first; the journal keeps them all."""
NO_ROOM = "64条以上通知在等待，较早的反馈离开警情"
"""Why feedback that waits becomes a dead letter, as people read it."""
PILED_UP = "给上游的反馈积压过多"
"""How the maintainers' notice of that begins."""
TRIAL = "trial"
"""Why a notice of an enterprise on trial was not sent."""

_ASIDE = (NoticeKind.FEEDBACK, NoticeKind.ANSWER, NoticeKind.QUARANTINE, NoticeKind.CARD)
"""Kinds that tell nobody of the incident itself: upstream, one sender, those who keep the hub running, nobody."""


def notice_id(incident: Incident, stage: str, contact: Contact) -> str:
    """``A0231.1.s3-remind.<address digest>``; the digest keeps phone numbers out of ids and logs."""
    digest = blake2s(f"{contact.channel}\x1f{contact.address}".encode(), digest_size=6).hexdigest()
    return f"{incident.code}.{incident.episode}.{stage}.{digest}"


def next_stage(incident: Incident, kind: NoticeKind) -> str:
    """A new stage name; the counter lives in the state, so a decision made again counts the same."""
    incident.stages += 1
    return f"s{incident.stages}-{kind}"


def tell(
    decision: Decision,
    incident: Incident,
    ctx: Context,
    addressees: Iterable[Addressee],
    *,
    kind: NoticeKind,
    purpose: Purpose,
    stage: str,
    duty: Duty | None = None,
    clock: ClockKind | None = None,
    measure: Measure | None = None,
    due_at: int = 0,
    note: str = "",
    deed: Deed | None = None,
) -> list[Notice]:
    """Queue one notice for each addressee: where the incident is critical and the reader must act by every way there is
    (:func:`ways`), else by the first contact. On trial the notice is recorded as dropped and nothing leaves. A group
    that others read as well is passed over, and the journal says so."""
    urgent = purpose is Purpose.ACT and kind is not NoticeKind.OFFICIAL
    urgency = incident.urgency if urgent else Urgency.NORMAL
    made: list[Notice] = []
    for each in addressees:
        addressee = _within_the_line(decision, incident, ctx, each, kind)
        contacts = ways(addressee.contacts) if urgency is Urgency.CRITICAL else addressee.contacts[:1]
        if not contacts:
            decision.entries.append(_entry(ctx, incident, "no_contact", addressee, kind=kind))
        for contact in contacts:
            notice = Notice(
                id=notice_id(incident, stage, contact),
                kind=kind,
                purpose=purpose,
                stage=stage,
                to=addressee,
                contact=contact,
                created_at=ctx.now,
                urgency=urgency,
                duty=duty.id if duty else "",
                clock=clock,
                measure=measure,
                attempt=addressee.contacts.index(contact),
                due_at=due_at,
                note=note,
                deed=deed,
            )
            if offer(decision, incident, ctx, notice):
                made.append(notice)
    return made


def ways(contacts: tuple[Contact, ...]) -> tuple[Contact, ...]:
    """The contacts that reach a reader by different ways, in their order: of several channels to one address (two
    providers for one phone) the first. The others are there for when it fails."""
    found: dict[str, Contact] = {}
    for contact in contacts:
        found.setdefault(contact.address or f"\x1f{contact.channel}", contact)
    return tuple(found.values())


def _within_the_line(
    decision: Decision, incident: Incident, ctx: Context, addressee: Addressee, kind: NoticeKind
) -> Addressee:
    """The addressee without the groups in which people of units outside the enterprise's line read."""
    units = incident.plan.units.values()
    kept = tuple(each for each in addressee.contacts if ctx.directory.may_read(each.channel, units))
    if kept == addressee.contacts:
        return addressee
    for contact in addressee.contacts:
        if contact not in kept:
            entry = _entry(ctx, incident, "group_of_others", addressee, kind=kind)
            entry.detail["channel"] = contact.channel
            decision.entries.append(entry)
    return replace(addressee, contacts=kept)


def offer(decision: Decision, incident: Incident, ctx: Context, notice: Notice) -> bool:
    """Queue the notice, or join its reader to the send of this stage that goes to the same address: then False."""
    kept = incident.notices.get(notice.id)
    if kept is None:
        _queue(decision, incident, ctx, notice)
        return True
    if notice.to.who not in {each.who for each in kept.everybody}:
        kept.also = (*kept.also, notice.to)
        entry = _entry(ctx, incident, "shares_a_send", notice.to, kind=notice.kind, notice=notice.id)
        decision.entries.append(entry)
    return False


def _queue(decision: Decision, incident: Incident, ctx: Context, notice: Notice) -> None:
    """Put one notice into the state, the outbox and the journal."""
    trial = incident.plan.trial
    if trial:
        notice.state, notice.detail = NoticeState.DROPPED, TRIAL
    incident.notices[notice.id] = notice
    reason = "told_on_trial" if trial else "told"
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason=reason,
            incident=incident.code,
            actor=notice.to.key,
            notice=notice.id,
            detail={
                "kind": notice.kind,
                "purpose": notice.purpose,
                "tier": notice.to.tier,
                "unit": notice.to.unit,
                "role": notice.to.role,
                "name": notice.to.name,
                "channel": notice.contact.channel,
            },
        )
    )
    if not trial:
        decision.outbox.append(outbox_row(incident, notice))
    _forget_oldest(decision, incident, ctx)


def outbox_row(incident: Incident, notice: Notice, not_before: int = 0) -> OutboxRow:
    """The row that carries a notice to its mailbox."""
    return OutboxRow(
        notice=notice.id,
        partition=incident.partition,
        incident=incident.code,
        channel=notice.contact.channel,
        address=notice.contact.address,
        urgency=notice.urgency,
        kind=notice.kind,
        created_at=notice.created_at,
        not_before=not_before,
    )


def told_people(incident: Incident) -> list[Addressee]:
    """Everybody who was told of this incident in this episode, once each, in the order they were told.

    Who is still waiting for the first word counts, since it may be on its way already; whom nothing can reach does not.
    """
    found: dict[str, Addressee] = {}
    for notice in incident.notices.values():
        if _tells(notice):
            for each in notice.everybody:
                found.setdefault(each.who, each)
    return list(found.values())


def _tells(notice: Notice) -> bool:
    return notice.kind not in _ASIDE and (notice.state.hopeful or notice.detail == TRIAL)


def _forget_oldest(decision: Decision, incident: Incident, ctx: Context) -> None:
    """Keep the state small. Nobody is forgotten while there is room for their newest notice; one that still waits goes
    only when a newer one goes to the same address, a call to act only for another such call; the journal says so. What
    waits for upstream tells of a deed that no newer one tells of: it becomes a dead letter, and the maintainers hear.
    While any notice of a stage waits, its others stay: else one that is gone could be offered again under its old
    id."""
    notices = incident.notices
    if len(notices) <= MOST_NOTICES:
        return
    newest = {who.who: key for key, kept in notices.items() if _tells(kept) for who in kept.everybody}
    kept_for_people = set(newest.values()) | {key for key, kept in notices.items() if kept.note.startswith(PILED_UP)}
    calls = {kept.contact: key for key, kept in notices.items() if kept.purpose is Purpose.ACT}
    words = {kept.contact: key for key, kept in notices.items()}
    waiting: dict[str, list[str]] = {}
    for key, kept in notices.items():
        if kept.state is NoticeState.QUEUED:
            waiting.setdefault(kept.stage, []).append(key)
    finished = [[key] for key, kept in notices.items() if kept.stage not in waiting]
    overtaken = [
        keys
        for keys in waiting.values()
        if all(key != (calls if notices[key].purpose is Purpose.ACT else words)[notices[key].contact] for key in keys)
    ]
    for keys in (*(each for each in finished if each[0] not in kept_for_people), *overtaken, *finished):
        if len(notices) <= MOST_NOTICES:
            return
        for gone in (notices.pop(key) for key in keys if key in notices):
            if gone.state is NoticeState.QUEUED:
                decision.entries.append(_entry(ctx, incident, "superseded", gone.to, kind=gone.kind, notice=gone.id))
                if gone.kind is NoticeKind.FEEDBACK:
                    _bury(decision, incident, ctx, gone)


def _bury(decision: Decision, incident: Incident, ctx: Context, gone: Notice) -> None:
    """Keep what upstream was not told, for a person to send again; the maintainers hear of it once."""
    letter = DeadLetter(row=outbox_row(incident, gone), at=ctx.now, result="superseded", why=NO_ROOM, told=gone)
    decision.dead.append(letter)
    entry = _entry(ctx, incident, "dead_letter", gone.to, kind=gone.kind, notice=gone.id)
    entry.detail.update(channel=gone.contact.channel, why=NO_ROOM)
    decision.entries.append(entry)
    note = f"{PILED_UP}，{gone.to.name}较早的转入死信（{gone.contact.channel}）"
    if any(each.kind is NoticeKind.QUARANTINE and each.note == note for each in incident.notices.values()):
        return
    tell(
        decision,
        incident,
        ctx,
        maintainers(ctx.directory, ctx.maintainers, ctx.now),
        kind=NoticeKind.QUARANTINE,
        purpose=Purpose.ATTEND,
        stage=next_stage(incident, NoticeKind.QUARANTINE),
        note=note,
    )


def _entry(
    ctx: Context, incident: Incident, reason: str, addressee: Addressee, *, kind: NoticeKind, notice: str = ""
) -> Entry:
    return Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        actor=addressee.key,
        notice=notice,
        detail={"kind": kind, "tier": addressee.tier, "role": addressee.role},
    )
