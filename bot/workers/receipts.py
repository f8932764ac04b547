"""What became of sends, recorded in their incidents."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from bot.workers.committing import MOST_TRIES, Committing, LostRaces, raise_failure
from bot.workers.undecidable import Careful, undecided_receipt, why_of
from escalation.decide import decide
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Receipt
from escalation.ledger.change import Change, Committed, Failed
from escalation.ledger.states import Damaged
from escalation.vocabulary import Mode

log = logging.getLogger(__name__)


class Receipts(Committing):
    """Decisions about receipts."""

    async def receipts(
        self, receipts: Sequence[tuple[str, Receipt]], now: int, states: dict[str, Incident] | None = None
    ) -> None:
        """Record what became of sends, by incident code, many in one round trip; on disk when this returns.

        ``states`` are incidents as they were loaded a moment ago, by code. Those needed are taken out of it and used
        up: where one was changed since, its version is refused, and it is loaded like the others. A receipt that cannot
        be decided is written into the journal alone, and told: it may not keep others from being recorded.
        """
        states = {} if states is None else states
        waiting: dict[str, list[Receipt]] = defaultdict(list)
        for code, receipt in receipts:
            waiting[code].append(receipt)
        refused: dict[str, Incident] = {}
        careful: set[str] = set()
        for _ in range(MOST_TRIES):
            if not waiting:
                return
            ctx = self._context(now)
            missing = [code for code in waiting if code not in states]
            loaded = await self._ledger.find_many(missing) if missing else []
            known = {code: states.pop(code) for code in waiting if code in states}
            changes: list[Change] = []
            left: set[str] = set()
            for code, incident in (*zip(missing, loaded, strict=True), *known.items()):
                if incident is None or incident == refused.get(code):
                    # There is no such incident; or the state that was refused is there: our own commit, whose answer
                    # was lost.
                    continue
                made = self._receive(incident, waiting[code], ctx, careful=code in careful)
                if made is None:
                    left.add(code)
                changes += made or ()
            careful |= left
            outcomes = await self._ledger.commit(changes) if changes else []
            for change, outcome in zip(changes, outcomes, strict=True):
                if isinstance(outcome, Committed):
                    self._handoff(outcome.claimed)
                elif change.incident is not None and isinstance(outcome, Failed) and outcome.unwritable:
                    careful.add(change.incident.code)
                    left.add(change.incident.code)
                elif change.incident is not None:
                    refused[change.incident.code] = change.incident
                    left.add(change.incident.code)
                elif isinstance(outcome, Failed):
                    left |= {entry.incident for entry in change.entries}
            waiting = defaultdict(list, {code: given for code, given in waiting.items() if code in left})
            raise_failure(outcomes, waiting)
        if waiting:
            raise LostRaces(f"{', '.join(waiting)} kept changing while receipts were recorded")

    def _receive(
        self, incident: Incident | Damaged, receipts: list[Receipt], ctx: Context, *, careful: bool
    ) -> list[Change] | None:
        """The changes that record the receipts: in their incident, or in the journal alone where they cannot be
        decided; none where they say nothing new. None where it must be done again carefully, with a state that is not
        used up."""
        if isinstance(incident, Damaged):
            return self._keep(incident.code, incident.mode, [(each, incident.why) for each in receipts], ctx)
        version = incident.version
        merged = Decision(reason="receipts", incident=incident)
        keeper = Careful(incident) if careful else None
        bad: list[tuple[Receipt, str]] = []
        for receipt in receipts:
            try:
                decision = decide(incident, receipt, ctx)
                if keeper is not None:
                    keeper.keep(decision, incident)
            except Exception as error:
                if keeper is None:
                    return None
                log.exception("the receipt %s of %s could not be decided", receipt.result, receipt.notice)
                bad.append((receipt, why_of(error)))
                incident = keeper.back() or incident
                continue
            merged.entries += decision.entries
            merged.outbox += decision.outbox
            merged.dead += decision.dead
        merged.incident = incident
        recorded = [self._change(merged, version, ctx, [])] if merged.entries else []
        return recorded + (self._keep(incident.code, incident.mode, bad, ctx) if bad else [])

    def _keep(self, code: str, mode: Mode, bad: list[tuple[Receipt, str]], ctx: Context) -> list[Change]:
        kept = [undecided_receipt(code, receipt, why, self._ledger.partitions, ctx.now) for receipt, why in bad]
        return [*kept, self._stuck(code, bad[0][1], mode, ctx)]
