"""Small incidents, rows and changes for the ledger's tests."""

from __future__ import annotations

import msgspec

from escalation.incident import Clock, Duty, Incident, IncidentState, Plan, Step, StepAction
from escalation.inputs import Entry
from escalation.ledger.change import Change, OutboxItem, Taken
from escalation.ledger.keys import claim_token
from escalation.notice import NoticeKind, OutboxRow
from escalation.vocabulary import ClockKind, Kind, Role, Tier, Urgency

NOW = 1_795_000_000_000
MINUTE = 60_000
ENTERPRISE = "91000000DEM0000017"
PLAN = Plan(profile="demo", rule="alarm", basis="示例规则", duties=())


def incident(code: str, partition: int, *, correlation: str = "", due: int = 0, closed: bool = False) -> Incident:
    """An alarm with one duty; its sign clock is due at ``due``, or it has none."""
    clocks = [Clock(kind=ClockKind.SIGN, started_at=NOW, due_at=due, steps=[Step(at=due, action=StepAction.REMIND)])]
    duty = Duty(
        id="d1",
        tier=Tier.ENTERPRISE,
        unit=ENTERPRISE,
        roles=(Role.SAFETY_OFFICER,),
        opened_at=NOW,
        clocks=clocks if due else [],
    )
    return Incident(
        code=code,
        kind=Kind.ALARM,
        correlation=correlation or f"actual\x1f{code}\x1falarm",
        partition=partition,
        enterprise=ENTERPRISE,
        enterprise_name="示例粉末厂",
        opened_at=NOW,
        occurred_at=NOW,
        last_at=NOW,
        raised_at=NOW,
        state=IncidentState.CLOSED if closed else IncidentState.OPEN,
        plan=PLAN,
        duties=[duty],
    )


def row(
    notice: str,
    incident_code: str = "",
    *,
    partition: int = 0,
    channel: str = "sms",
    address: str = "13800130001",
    critical: bool = False,
    created: int = NOW,
    not_before: int = 0,
) -> OutboxRow:
    """An outbox row."""
    return OutboxRow(
        notice=notice,
        partition=partition,
        incident=incident_code,
        channel=channel,
        address=address,
        urgency=Urgency.CRITICAL if critical else Urgency.NORMAL,
        kind=NoticeKind.RAISED,
        created_at=created,
        not_before=not_before,
    )


def item(one: OutboxRow) -> OutboxItem:
    """An outbox row in the hand, as the outbox would give it."""
    return OutboxItem(one.partition, one.incident, claim_token(NOW), one.notice, msgspec.json.encode(one), one)


def taken(name: str, body: str = "body", result: bytes = b"created") -> Taken:
    return Taken(f"e\x1fplant\x1f{name}", body, result)


def opening(code: str, partition: int, name: str, **more: object) -> Change:
    """A change that opens an incident because of the event ``name``."""
    fields: dict[str, object] = {
        "partition": partition,
        "now": NOW,
        "takes": [taken(name)],
        "incident": incident(code, partition),
        "entries": [Entry(at=NOW, reason="opened", incident=code)],
    }
    return Change(**{**fields, **more})  # type: ignore[arg-type]
