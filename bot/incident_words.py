"""How an incident stands, and which post had nobody, in the words people use."""

from __future__ import annotations

from escalation.directory import Directory
from escalation.incident import Incident, IncidentState
from escalation.inputs import Entry
from escalation.reach import Fallback
from escalation.vocabulary import Role


def state_word(incident: Incident) -> str:
    """The incident's state in the words people use, derived from the facts."""
    if incident.state is IncidentState.CLOSED:
        return "已关闭"
    signed = any(duty.signed for duty in incident.duties)
    if not incident.active:
        return "数值恢复，未确认安全"
    return "已签收，处置中" if signed else "未签收"


def vacancy(entry: Entry, directory: Directory) -> str:
    """Which post had nobody, or which unit's part fell to another; '' where the row speaks of none."""
    unit = str(entry.detail.get("vacant", ""))
    if not unit:
        return ""
    roles = str(entry.detail.get("roles", "")).split(",") if entry.reason == Fallback.NOBODY_AT_POST else []
    return directory.unit_name(unit) + "、".join(Role(role).word for role in roles if role in set(Role))
