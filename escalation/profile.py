"""Rules as data: kind × level or severity × industry → who acts, who watches, which clocks, which ladder.

No public document gives numbers for the time limits, so none is a constant: a profile carries its 依据文号, region and
date, and the shipped one is a sample that must be adopted by name before ``serve`` uses it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from escalation.directory import Table, Text
from escalation.incident import StepAction
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Measure, Role, Severity, Tier

Duration = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(m|h|d)$")]


def minutes(duration: str) -> int:
    """``30m``, ``4h`` or ``2d`` in minutes; a day of working time must be written as hours."""
    return int(duration[:-1]) * {"m": 1, "h": 60, "d": 1440}[duration[-1]]


class RungRule(Table):
    """One rung of a ladder: ``after`` the clock's start, do ``do``; ``tier`` only where it is not the next one up;
    ``measure`` only with ``propose``, and only officers see it."""

    after: Duration
    do: StepAction
    tier: Tier | None = None
    measure: Measure | None = None


class ClockRule(Table):
    """One time limit with its ladder. ``working`` counts working hours by the 调休 calendar, not natural hours.
    ``extend`` is by how much approvals may move the limit in all; without it nobody can. A signature is never put off.
    """

    clock: ClockKind
    limit: Duration
    working: bool = False
    ladder: tuple[RungRule, ...] = ()
    extend: Duration | None = None

    @field_validator("extend")
    @classmethod
    def _sign_at_once(cls, extend: str | None, info: ValidationInfo) -> str | None:
        if extend is not None and info.data.get("clock") is ClockKind.SIGN:
            raise ValueError("签收时限不能延期 / a sign limit cannot be extended")
        return extend


class DutyRule(Table):
    """An acting tier: which roles hear 须处置 at once, and its clocks."""

    tier: Tier
    roles: tuple[Role, ...]
    clocks: tuple[ClockRule, ...]


class AudienceRule(Table):
    tier: Tier
    roles: tuple[Role, ...]


class Rule(Table):
    """What holds for one kind and some of its levels or severities, for some industries (none named: all)."""

    name: Text
    kind: Kind
    levels: tuple[Level, ...] = ()
    severities: tuple[Severity, ...] = ()
    industries: tuple[Industry, ...] = ()
    duties: tuple[DutyRule, ...]
    informed: tuple[AudienceRule, ...] = ()
    watchers: tuple[AudienceRule, ...] = ()


class Profile(Table):
    """A set of rules with its authority. ``sample`` marks 示例规则, which ``serve`` refuses unless adopted by name.

    The first rule that fits wins, so narrower rules stand first. ``announce``, ``undo`` and ``urge_gap`` are minutes:
    how long before it a step that goes up is announced, how long one may take back one's last act, and how long after
    one urging the next may come. ``after_close``: so long after a close whoever still owes the official system its
    feedback is reminded, once for each; none: never."""

    name: Text
    basis: Text
    region: str = ""
    effective: Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    sample: bool = False
    announce: Annotated[int, Field(ge=0, le=120)] = 10
    undo: Annotated[int, Field(ge=0, le=60)] = 5
    urge_gap: Annotated[int, Field(ge=1, le=240)] = 10
    after_close: Annotated[tuple[Duration, ...], Field(max_length=5)] = ("24h", "72h")
    rules: tuple[Rule, ...]

    def rule_for(
        self, kind: Kind, level: Level | None, severity: Severity | None, industry: Industry | None
    ) -> Rule | None:
        """The first rule that fits, or None."""
        for rule in self.rules:
            if rule.kind is not kind or (rule.industries and industry not in rule.industries):
                continue
            if (level in rule.levels) if kind is Kind.WARNING else (severity in rule.severities):
                return rule
        return None
