"""Load, decide, commit: the one way by which anything changes an incident.

Many inputs share one round trip for loading and one for committing (and so one fsync). Losing a race means loading and
deciding again; a lost reply of the store is met by committing again, which finds its own inputs recorded.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import orjson

from bot.intake.gate import Conflict as OtherBody
from bot.intake.gate import ItemVerdict, Result
from bot.intake.known import flagged
from bot.intake.reading import Unreadable
from bot.workers.quarantine import quarantine_change
from escalation.decide import decide, decide_event, needs_code
from escalation.event import Event, Flag
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Lapse, Receipt, Reply
from escalation.ledger.change import (
    AlreadyTaken,
    Change,
    Committed,
    Failed,
    Loaded,
    Lookup,
    OutboxItem,
    Outcome,
    Recorded,
    Taken,
)
from escalation.ledger.commit import Ledger
from escalation.ledger.due import DueClaim
from escalation.ledger.keys import partition_of_code
from escalation.vocabulary import Verdict

log = logging.getLogger(__name__)

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


@dataclass(slots=True)
class _Group:
    """The events of one batch that belong to one incident, in their order."""

    partition: int
    correlation: str
    places: list[int] = field(default_factory=list)


class _Result(msgspec.Struct, omit_defaults=True):
    """What a repeat of the same event is answered with."""

    verdict: Verdict
    code: str = ""
    reason: str = ""
    flags: tuple[Flag, ...] = ()


_read_result = msgspec.json.Decoder(_Result).decode


class Decider:
    """Decisions on the ledger. ``handoff`` gets the outbox rows that a commit gave this hub at once (leased for
    ``lease`` ms); rows it does not get are found by the fan-out."""

    def __init__(
        self,
        ledger: Ledger,
        context: Callable[[int], Context],
        handoff: Callable[[list[OutboxItem]], None],
        *,
        lease: int = 30_000,
    ) -> None:
        self._ledger = ledger
        self._context = context
        self._handoff = handoff
        self._lease = lease

    async def events(self, items: Sequence[Event | Unreadable], now: int) -> list[Result]:
        """Take events and unreadable items; returns when every one is on disk, with a verdict for each, in order."""
        ctx = self._context(now)
        results: list[Result | None] = [None] * len(items)
        events = {i: flagged(item, ctx.directory) for i, item in enumerate(items) if isinstance(item, Event)}
        unreadable = {i: item for i, item in enumerate(items) if isinstance(item, Unreadable)}
        for _ in range(MOST_TRIES):
            pending = self._groups({i: event for i, event in events.items() if results[i] is None})
            strays = {i: item for i, item in unreadable.items() if results[i] is None}
            if not pending and not strays:
                break
            await self._try_events(pending, events, strays, ctx, results)
        if any(result is None for result in results):
            raise LostRaces("the incident kept changing while this was decided")
        return [result for result in results if result is not None]

    def _groups(self, events: dict[int, Event]) -> list[_Group]:
        groups: dict[tuple[int, str], _Group] = {}
        for place, event in events.items():
            partition = self._ledger.partition_of(event.partition_key)
            key = (partition, event.correlation)
            groups.setdefault(key, _Group(partition, event.correlation)).places.append(place)
        return list(groups.values())

    async def _try_events(
        self,
        groups: list[_Group],
        events: dict[int, Event],
        strays: dict[int, Unreadable],
        ctx: Context,
        results: list[Result | None],
    ) -> None:
        loaded = await self._ledger.load(
            [
                Lookup(
                    partition=group.partition,
                    inputs=tuple((events[place].input_id, events[place].body_hash) for place in group.places),
                    correlation=group.correlation,
                )
                for group in groups
            ]
        )
        for group, found in zip(groups, loaded, strict=True):
            self._settle_known(group, found, events, results)
        live = [(group, found) for group, found in zip(groups, loaded, strict=True) if group.places]
        opening = [
            (group.partition, events[group.places[0]].type.kind.letter)
            for group, found in live
            if any(needs_code(found.incident, events[place]) for place in group.places)
        ]
        codes = iter(await self._ledger.take_codes(opening)) if opening else iter(())
        changes: list[Change] = []
        answers: list[dict[int, Result]] = []
        for group, found in live:
            wanted = any(needs_code(found.incident, events[place]) for place in group.places)
            change, verdicts = self._decide_group(group, found, events, ctx, next(codes) if wanted else "")
            changes.append(change)
            answers.append(verdicts)
        for place, item in strays.items():
            partition = self._ledger.partition_of(f"source:{item.source}")
            verdict = ItemVerdict(id=item.id, verdict=Verdict.QUARANTINED, reason="unreadable")
            changes.append(quarantine_change(item, partition, ctx, ctx.now + self._lease))
            answers.append({place: verdict})
        if not changes:
            return
        outcomes = await self._ledger.commit(changes)
        for outcome, verdicts in zip(outcomes, answers, strict=True):
            self._take_outcome(outcome, verdicts, results)
        _raise_failure(outcomes)

    def _settle_known(
        self, group: _Group, found: Loaded, events: dict[int, Event], results: list[Result | None]
    ) -> None:
        """Answer what was taken before, and what stands twice in this batch, and leave the rest in the group."""
        rest: list[int] = []
        first: dict[str, str] = {}
        for place, recorded in zip(group.places, found.recorded, strict=True):
            event = events[place]
            if recorded is not None:
                results[place] = _repeat(event.id, recorded)
            elif first.setdefault(event.input_id, event.body_hash) != event.body_hash:
                results[place] = OtherBody(id=event.id)
            elif place not in rest and not any(events[other].input_id == event.input_id for other in rest):
                rest.append(place)
        group.places = rest

    def _decide_group(
        self, group: _Group, found: Loaded, events: dict[int, Event], ctx: Context, code: str
    ) -> tuple[Change, dict[int, Result]]:
        incident, tombstone = found.incident, found.tombstone
        version = incident.version if incident is not None else 0
        verdicts: dict[int, Result] = {}
        takes: list[Taken] = []
        merged = Decision(reason="")
        for place in group.places:
            event = events[place]
            decision = decide_event(incident, event, ctx, code=code, partition=group.partition, tombstone=tombstone)
            incident = decision.incident if decision.incident is not None else incident
            tombstone = decision.tombstone if decision.tombstone is not None else tombstone
            merged.entries += decision.entries
            merged.outbox += decision.outbox
            result = _Result(
                verdict=decision.verdict or Verdict.MERGED,
                code=incident.code if incident is not None else "",
                reason=decision.reason,
                flags=incident.flags if incident is not None and decision.reason == "opened" else event.flags,
            )
            takes.append(Taken(event.input_id, event.body_hash, msgspec.json.encode(result)))
            verdicts[place] = ItemVerdict(
                id=event.id, verdict=result.verdict, code=result.code, reason=result.reason, flags=result.flags
            )
        change = Change(
            partition=group.partition,
            now=ctx.now,
            takes=takes,
            incident=incident,
            expected_version=version,
            correlation=group.correlation,
            tombstone_was=found.tombstone,
            tombstone=tombstone if incident is None else None,
            entries=merged.entries,
            outbox=merged.outbox,
            claimed_until=ctx.now + self._lease,
        )
        return change, verdicts

    def _take_outcome(self, outcome: Outcome, verdicts: dict[int, Result], results: list[Result | None]) -> None:
        if isinstance(outcome, Committed):
            for place, verdict in verdicts.items():
                results[place] = verdict
            if outcome.claimed:
                self._handoff(outcome.claimed)
        elif isinstance(outcome, AlreadyTaken) and len(outcome.recorded) == len(verdicts) == 1:
            recorded, (place, verdict) = outcome.recorded[0], next(iter(verdicts.items()))
            if recorded is not None:
                results[place] = _repeat(verdict.id, recorded)

    async def reply(self, code: str, reply: Reply, now: int) -> str | None:
        """One answer about one incident: the sentence that goes back; the same again when it came before.

        None when there is no incident of this code.
        """
        input_id = f"{reply.input_id}\x1f{code}"
        partition = partition_of_code(code, self._ledger.partitions)
        for _ in range(MOST_TRIES):
            ctx = self._context(now)
            lookup = Lookup(partition=partition, inputs=((input_id, ""),), code=code)
            found = (await self._ledger.load([lookup]))[0]
            if found.recorded[0] is not None:
                return str(orjson.loads(found.recorded[0].result))
            if found.incident is None:
                return None
            version = found.incident.version
            decision = decide(found.incident, reply, ctx)
            taken = Taken(input_id, "", orjson.dumps(decision.answer))
            outcome = (await self._ledger.commit([self._change(decision, version, ctx, [taken])]))[0]
            if isinstance(outcome, Committed):
                self._handoff(outcome.claimed)
                return decision.answer
            _raise_failure([outcome])
        raise LostRaces(f"{code} kept changing while the answer was decided")

    async def lapses(self, claims: Sequence[DueClaim], now: int) -> list[DueClaim]:
        """Fire what is due of the claimed incidents; gives back the claims for which nothing was due, to be settled.

        A claim whose incident changed meanwhile needs nothing: that commit wrote the next due time itself. An incident
        that cannot be decided stops no other's clocks: its claim ends by itself and comes again.
        """
        ctx = self._context(now)
        idle: list[DueClaim] = []
        changes: list[Change] = []
        for claim in claims:
            version = claim.incident.version
            try:
                decision = decide(claim.incident, Lapse(at=now), ctx)
            except Exception:
                log.exception("the clocks of %s could not be decided", claim.incident.code)
                continue
            if decision.reason == "nothing_due":
                idle.append(claim)
            else:
                changes.append(self._change(decision, version, ctx, []))
        outcomes = await self._ledger.commit(changes) if changes else []
        for outcome in outcomes:
            if isinstance(outcome, Committed):
                self._handoff(outcome.claimed)
        _raise_failure(outcomes)
        return idle

    async def receipts(
        self, receipts: Sequence[tuple[str, Receipt]], now: int, states: dict[str, Incident] | None = None
    ) -> None:
        """Record what became of sends, by incident code, many in one round trip; on disk when this returns.

        ``states`` are incidents as they were loaded a moment ago, by code. Those needed are taken out of it and used
        up: where one was changed since, its version is refused, and it is loaded like the others. Receipts that cannot
        be decided are left out, loudly: they may not keep those of other incidents from being recorded.
        """
        states = {} if states is None else states
        waiting: dict[str, list[Receipt]] = defaultdict(list)
        for code, receipt in receipts:
            waiting[code].append(receipt)
        refused: dict[str, Incident] = {}
        for _ in range(MOST_TRIES):
            if not waiting:
                return
            ctx = self._context(now)
            changes: list[Change] = []
            missing = [code for code in waiting if code not in states]
            loaded = await self._ledger.get_many(missing) if missing else []
            known = {code: states.pop(code) for code in waiting if code in states}
            for code, incident in (*zip(missing, loaded, strict=True), *known.items()):
                if incident is None or incident == refused.get(code):
                    # There is no such incident; or the state that was refused is there: our own commit, whose answer
                    # was lost.
                    continue
                try:
                    changes.append(self._receive(incident, waiting[code], ctx))
                except Exception:
                    log.exception("receipts of %s could not be decided: %s", code, waiting[code])
            done = {change.incident.code for change in changes if change.incident is not None}
            waiting = defaultdict(list, {code: given for code, given in waiting.items() if code in done})
            outcomes = await self._ledger.commit(changes)
            for change, outcome in zip(changes, outcomes, strict=True):
                if change.incident is not None and isinstance(outcome, Committed):
                    self._handoff(outcome.claimed)
                    del waiting[change.incident.code]
                elif change.incident is not None:
                    refused[change.incident.code] = change.incident
            _raise_failure(outcomes, waiting)
        if waiting:
            raise LostRaces(f"{', '.join(waiting)} kept changing while receipts were recorded")

    def _receive(self, incident: Incident, receipts: list[Receipt], ctx: Context) -> Change:
        version = incident.version
        merged = Decision(reason="receipts", incident=incident)
        for receipt in receipts:
            decision = decide(incident, receipt, ctx)
            merged.entries += decision.entries
            merged.outbox += decision.outbox
        return self._change(merged, version, ctx, [])

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
            claimed_until=ctx.now + self._lease,
        )


def _raise_failure(outcomes: Iterable[Outcome], codes: Iterable[str] = ()) -> None:
    """Raise for what failed, once everything that did not was seen to."""
    failed = next((outcome for outcome in outcomes if isinstance(outcome, Failed)), None)
    if failed is not None:
        raise StoreFailed(failed.error, codes) from failed.error


def _repeat(identity: str, recorded: Recorded) -> Result:
    """The same id again: the recorded verdict when the body is the same, refused when it is another."""
    if recorded.other_body:
        return OtherBody(id=identity)
    before = _read_result(recorded.result)
    return ItemVerdict(
        id=identity,
        verdict=Verdict.DUPLICATE,
        code=before.code,
        reason=f"recorded_{before.verdict}",
        flags=before.flags,
    )
