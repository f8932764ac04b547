"""What every decision on the ledger shares: the change it comes to, who gets its outbox rows, and how it may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from bot.workers.undecidable import stuck_incident
from escalation.incident import Incident
from escalation.inputs import Context, Decision
from escalation.ledger.change import Change, Committed, Failed, OutboxItem, Outcome, Taken
from escalation.ledger.commit import Along, Ledger
from escalation.vocabulary import Mode

MOST_TRIES = 12
"""How often a lost race is run again before the caller is told; each try means that somebody else got on."""


class LostRaces(Exception):
    """The same incident was changed by others again and again; nothing of this input was written."""


class StoreFailed(Exception):
    """The store did not say what became of a commit; the inputs may be sent again safely. ``codes`` are the incidents
    of receipts that are not known to be on disk; the others are."""

    def __init__(self, error: object, codes: Iterable[str] = ()) -> None:
        super().__init__(str(error))
        self.codes = frozenset(codes)


class Companion(Along, Protocol):
    """What goes along with a commit, and hears how it ended."""

    def left(self, rows: list[OutboxItem]) -> list[OutboxItem]:
        """Of the rows that a commit gave this hub, those that are still to be handed on."""

    def go(self, states: Mapping[str, Incident]) -> None:
        """All is written. ``states`` are the incidents as they were committed, by code."""


class Committing:
    """``handoff`` gets the outbox rows that a commit gave this hub at once (leased for ``lease`` ms); rows it does not
    get are found by the fan-out."""

    def __init__(
        self,
        ledger: Ledger,
        context: Callable[[int], Context],
        handoff: Callable[[list[OutboxItem]], None],
        *,
        lease: int = 15_000,
    ) -> None:
        self._ledger = ledger
        self._context = context
        self._handoff = handoff
        self._lease = lease

    def _change(self, decision: Decision, version: int, ctx: Context, takes: list[Taken]) -> Change:
        incident = decision.incident
        if incident is None:
            raise ValueError("a decision about an incident always carries its state")
        return Change(
            partition=incident.partition,
            now=ctx.now,
            takes=takes,
            incident=incident,
            expected_version=version,
            correlation=incident.correlation,
            entries=decision.entries,
            outbox=decision.outbox,
            dead=decision.dead,
            claimed_until=ctx.now + self._lease,
        )

    def _stuck(self, code: str, why: str, mode: Mode, ctx: Context) -> Change:
        return stuck_incident(code, why, mode, self._ledger.partitions, ctx, ctx.now + self._lease)

    async def _tell_stuck(self, stuck: Iterable[tuple[str, str, Mode]], ctx: Context, *more: Change) -> None:
        outcomes = await self._ledger.commit([*more, *(self._stuck(code, why, mode, ctx) for code, why, mode in stuck)])
        for outcome in outcomes:
            if isinstance(outcome, Committed):
                self._handoff(outcome.claimed)
        raise_failure(outcomes)


def raise_failure(outcomes: Iterable[Outcome], codes: Iterable[str] = ()) -> None:
    """Raise for what the store failed to do, once everything that did not fail was seen to."""
    failed = next((each for each in outcomes if isinstance(each, Failed) and not each.unwritable), None)
    if failed is not None:
        raise StoreFailed(failed.error, codes) from failed.error
