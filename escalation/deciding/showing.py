"""Evidence: a picture given by somebody who may answer for the incident. It is kept and shown, and acts on nothing."""

from __future__ import annotations

from escalation.calendar import hhmm
from escalation.deciding.acts import choose
from escalation.evidence import Evidence, EvidenceState
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Entry, EvidenceGiven, EvidenceKept, Rights

MOST_EVIDENCE = 32
"""Pictures beyond this many leave the state, oldest first; the journal keeps them all."""


def give(incident: Incident, given: EvidenceGiven, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """Take pictures as evidence, after the close too: they show how it was left."""
    decision = Decision(reason="evidence_given", incident=incident)
    if not granted:
        decision.reason = "no_right"
        decision.answer = f"{incident.code} 不属于您的岗位，图片未归入此警情。"
        decision.entries.append(Entry(at=ctx.now, reason="no_right", incident=incident.code, actor=given.person))
        return decision
    right, _ = choose(incident, granted)
    known = {each.id for each in incident.evidence}
    for picture in given.pictures:
        if picture in known:
            continue
        evidence = Evidence(
            id=picture,
            person=right.person,
            name=right.name,
            unit=right.unit,
            tier=right.tier,
            role=right.role,
            channel=given.channel,
            at=given.at,
        )
        incident.evidence = [*incident.evidence, evidence][-MOST_EVIDENCE:]
        decision.entries.append(_entry(incident, evidence, "evidence_given", ctx))
    if not decision.entries:
        decision.reason = "known_already"
    count = f"{len(given.pictures)}张" if len(given.pictures) > 1 else ""
    decision.answer = (
        f"{incident.code} 已收到{right.name}的现场图片{count}（{hhmm(ctx.now)}），作为现场证据保存。"
        "发图片不等于签收，也不等于核查结果。"
    )
    return decision


def keep(incident: Incident, kept: EvidenceKept, ctx: Context) -> Decision:
    """What became of a picture's file; nothing new where that is known."""
    decision = Decision(reason="evidence_kept" if kept.file.path else "evidence_lost", incident=incident)
    evidence = next((each for each in incident.evidence if each.id == kept.picture), None)
    if evidence is not None and evidence.state is not EvidenceState.WAITING:
        decision.reason = "known_already"
        return decision
    if evidence is not None:
        evidence.state = EvidenceState.KEPT if kept.file.path else EvidenceState.LOST
        evidence.file = kept.file
    entry = Entry(at=ctx.now, reason=decision.reason, incident=incident.code)
    if evidence is not None:
        entry = _entry(incident, evidence, decision.reason, ctx)
    entry.detail.update(
        {
            "evidence": kept.picture,
            "file": kept.file.path,
            "sha256": kept.file.sha256,
            "size": kept.file.size,
            "type": kept.file.kind,
            "hub": kept.file.hub,
            "why": kept.file.why,
        }
    )
    decision.entries.append(entry)
    return decision


def _entry(incident: Incident, evidence: Evidence, reason: str, ctx: Context) -> Entry:
    return Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        actor=f"{evidence.unit}/{evidence.role}/{evidence.person}",
        detail={"evidence": evidence.id, "name": evidence.name, "channel": evidence.channel, "sent_at": evidence.at},
    )
