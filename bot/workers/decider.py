"""Load, decide, commit: the one way by which anything changes an incident.

Many inputs share one round trip for loading and one for committing (and so one fsync). Losing a race means loading and
deciding again; a lost reply of the store is met by committing again, which finds its own inputs recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec
import orjson

from bot.intake.gate import ItemVerdict, Result
from bot.intake.known import flagged
from bot.intake.reading import Unreadable
from bot.workers.committing import MOST_TRIES, Companion, LostRaces, StoreFailed, raise_failure
from bot.workers.grouping import Group, Met, Noted, fresh, repeat, settle_known, unheard_of
from bot.workers.quarantine import quarantine_change
from bot.workers.receipts import Receipts
from bot.workers.undecidable import Careful, kept_words, undecidable_event, undecided_reply, why_of
from escalation.decide import decide, decide_event
from escalation.event import Event
from escalation.inputs import Context, Decision, Lapse, Reply
from escalation.ledger.change import AlreadyTaken, Change, Committed, Failed, Loaded, Lookup, OutboxItem, Outcome, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.due import DueClaim
from escalation.ledger.keys import partition_of_code
from escalation.ledger.states import Damaged
from escalation.vocabulary import Mode, Verdict

__all__ = ["Decider", "LostRaces", "StoreFailed"]

log = logging.getLogger(__name__)

STUCK = 60_000
"""After how many milliseconds the clocks of an incident that cannot be decided are tried again: soon enough for a hub
that can, seldom enough not to spin."""


class Decider(Receipts):
    """Decisions on the ledger: events, answers and the clock here, receipts in :class:`Receipts`."""

    def __init__(
        self,
        ledger: Ledger,
        context: Callable[[int], Context],
        handoff: Callable[[list[OutboxItem]], None],
        *,
        lease: int = 15_000,
    ) -> None:
        super().__init__(ledger, context, handoff, lease=lease)
        self._met = Met()
        self.companion: Callable[[int], Companion | None] = lambda _now: None
        """What goes along with the commits of events decided at a time, if anything may."""

    async def events(self, items: Sequence[Event | Unreadable], now: int) -> list[Result]:
        """Take events and unreadable items; returns when every one is on disk, with a verdict for each, in order.

        Raises the first error of :meth:`each_event`."""
        results: list[Result] = []
        for result in await self.each_event(items, now):
            if isinstance(result, Exception):
                raise result
            results.append(result)
        return results

    async def each_event(self, items: Sequence[Event | Unreadable], now: int) -> list[Result | Exception]:
        """The same, with an error of its own for each item that is not known to be on disk: one that cannot be written
        now takes no other with it. An event that cannot be decided is quarantined. Raises the store's error when
        something could not be loaded."""
        ctx = self._context(now)
        results: list[Result | Exception | None] = [None] * len(items)
        strays = {i: item for i, item in enumerate(items) if isinstance(item, Unreadable)}
        events: dict[int, Event] = {}
        for place, item in enumerate(items):
            if isinstance(item, Event):
                try:
                    events[place] = flagged(item, ctx.directory)
                except Exception as error:
                    log.exception("the event %s of %s could not be looked at", item.id, item.source)
                    strays[place] = undecidable_event(item, why_of(error))
        careful = False
        for attempt in range(MOST_TRIES):
            pending = self._groups({i: event for i, event in events.items() if results[i] is None})
            strays = {i: item for i, item in strays.items() if results[i] is None}
            if not pending and not strays:
                break
            careful = await self._try_events(pending, events, strays, ctx, results, careful=careful, guess=attempt == 0)
        lost = LostRaces("the incident kept changing while this was decided")
        return [lost if result is None else result for result in results]

    def _groups(self, events: dict[int, Event]) -> list[Group]:
        groups: dict[tuple[int, str], Group] = {}
        for place, event in events.items():
            partition = self._ledger.partition_of(event.partition_key)
            key = (partition, event.correlation)
            groups.setdefault(key, Group(partition, event.correlation)).places.append(place)
        return list(groups.values())

    async def _try_events(
        self,
        groups: list[Group],
        events: dict[int, Event],
        strays: dict[int, Unreadable],
        ctx: Context,
        results: list[Result | Exception | None],
        *,
        careful: bool,
        guess: bool,
    ) -> bool:
        """One round; whether the next must be careful, because of a decision that could not be written."""
        loaded = await self._found(groups, events, guess=guess)
        for group, found in zip(groups, loaded, strict=True):
            settle_known(group, found, events, results)
        live = [(group, found) for group, found in zip(groups, loaded, strict=True) if group.places]
        opening = [
            (group.partition, events[group.places[0]].type.kind.letter)
            for group, found in live
            if group.needs_code(found, events)
        ]
        codes = iter(await self._ledger.take_codes(opening)) if opening else iter(())
        changes: list[Change] = []
        answers: list[dict[int, Result]] = []
        odd = {place: (self._ledger.partition_of(f"source:{item.source}"), item) for place, item in strays.items()}
        for group, found in live:
            code = next(codes) if group.needs_code(found, events) else ""
            change, verdicts, bad = self._decide_group(group, found, events, ctx, code, careful=careful)
            odd.update({place: (group.partition, item) for place, item in bad.items()})
            if verdicts:
                changes.append(change)
                answers.append(verdicts)
            if found.damaged is not None and found.damaged.code:
                changes.append(self._stuck(found.damaged.code, found.damaged.why, found.damaged.mode, ctx))
                answers.append({})
        for place, (partition, item) in odd.items():
            verdict = ItemVerdict(id=item.id, verdict=Verdict.QUARANTINED, reason=item.reason)
            changes.append(quarantine_change(item, partition, ctx, ctx.now + self._lease))
            answers.append({place: verdict})
        companion = self.companion(ctx.now)
        outcomes = await self._ledger.commit(changes, companion) if changes else []
        for outcome, verdicts in zip(outcomes, answers, strict=True):
            self._take_outcome(outcome, verdicts, results, companion)
        if companion is not None:
            made = (each.incident for each, end in zip(changes, outcomes, strict=True) if isinstance(end, Committed))
            companion.go({incident.code: incident for incident in made if incident is not None})
        return careful or any(isinstance(outcome, Failed) and outcome.unwritable for outcome in outcomes)

    async def _found(self, groups: list[Group], events: dict[int, Event], *, guess: bool) -> list[Loaded]:
        """What the store has of each group. With ``guess``, those that are most likely new are not asked for: where the
        guess is wrong the commit is refused (the correlation is taken, or the input is), and the next round asks."""
        guessed = [guess and group.correlation not in self._met and group.opens(events) for group in groups]
        lookups = [
            Lookup(
                partition=group.partition,
                inputs=tuple((events[place].input_id, events[place].body_hash) for place in group.places),
                correlation=group.correlation,
            )
            for group, new in zip(groups, guessed, strict=True)
            if not new
        ]
        loaded = iter(await self._ledger.load(lookups) if lookups else ())
        for group in groups:
            self._met.add(group.correlation)
        return [unheard_of(group) if new else next(loaded) for group, new in zip(groups, guessed, strict=True)]

    def _decide_group(
        self, group: Group, found: Loaded, events: dict[int, Event], ctx: Context, code: str, *, careful: bool
    ) -> tuple[Change, dict[int, Result], dict[int, Unreadable]]:
        """The group's change with a verdict for each of its events, and those that cannot be decided."""
        incident, tombstone = found.incident, found.tombstone
        version = incident.version if incident is not None else 0
        verdicts: dict[int, Result] = {}
        bad: dict[int, Unreadable] = {}
        takes: list[Taken] = []
        merged = Decision(reason="")
        keeper = Careful(incident) if careful else None
        for place in group.places:
            event = events[place]
            if found.damaged is not None:
                bad[place] = undecidable_event(event, f"{found.damaged.code} {found.damaged.why}")
                continue
            try:
                decision = decide_event(incident, event, ctx, code=code, partition=group.partition, tombstone=tombstone)
                after = decision.incident if decision.incident is not None else incident
                if keeper is not None:
                    keeper.keep(decision, after)
            except Exception as error:
                if keeper is None:
                    # The state may be half changed: begin again, one event after the other.
                    return self._decide_group(group, fresh(found), events, ctx, code, careful=True)
                log.exception("the event %s of %s could not be decided", event.id, event.source)
                bad[place] = undecidable_event(event, why_of(error))
                incident = keeper.back()
                continue
            incident = after
            tombstone = decision.tombstone if decision.tombstone is not None else tombstone
            merged.entries += decision.entries
            merged.outbox += decision.outbox
            result = Noted(
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
        return change, verdicts, bad

    def _take_outcome(
        self,
        outcome: Outcome,
        verdicts: dict[int, Result],
        results: list[Result | Exception | None],
        companion: Companion | None,
    ) -> None:
        if isinstance(outcome, Committed):
            for place, verdict in verdicts.items():
                results[place] = verdict
            claimed = outcome.claimed if companion is None else companion.left(outcome.claimed)
            if claimed:
                self._handoff(claimed)
        elif isinstance(outcome, AlreadyTaken) and len(outcome.recorded) == len(verdicts) == 1:
            recorded, (place, verdict) = outcome.recorded[0], next(iter(verdicts.items()))
            if recorded is not None:
                results[place] = repeat(verdict.id, recorded)
        elif isinstance(outcome, Failed) and not outcome.unwritable:
            for place in verdicts:
                results[place] = StoreFailed(outcome.error)

    async def reply(self, code: str, reply: Reply, now: int) -> str | None:
        """One answer about one incident: the sentence that goes back; the same again when it came before.

        None when there is no incident of this code.
        """
        input_id = f"{reply.input_id}\x1f{code}"
        partition = partition_of_code(code, self._ledger.partitions)
        why = ""
        for _ in range(MOST_TRIES):
            ctx = self._context(now)
            lookup = Lookup(partition=partition, inputs=((input_id, ""),), code=code)
            found = (await self._ledger.load([lookup]))[0]
            if found.recorded[0] is not None:
                return str(orjson.loads(found.recorded[0].result))
            decision = Decision(reason="")
            if found.damaged is not None:
                why = found.damaged.why
            elif found.incident is None:
                return None
            version, mode = _version_and_mode(found)
            if not why and found.incident is not None:
                try:
                    decision = decide(found.incident, reply, ctx)
                except Exception as error:
                    log.exception("the answer %s about %s could not be decided", reply.id, code)
                    why = why_of(error)
            taken = Taken(input_id, "", orjson.dumps(decision.answer if not why else kept_words(code)))
            if why:
                kept = undecided_reply(code, reply, why, mode, taken, partition, ctx, ctx.now + self._lease)
                outcomes = await self._ledger.commit([kept, self._stuck(code, why, mode, ctx)])
            else:
                outcomes = await self._ledger.commit([self._change(decision, version, ctx, [taken])])
            for outcome in outcomes:
                if isinstance(outcome, Committed):
                    self._handoff(outcome.claimed)
            if isinstance(outcomes[0], Committed):
                return str(orjson.loads(taken.result))
            if isinstance(outcomes[0], Failed) and outcomes[0].unwritable and not why:
                why = why_of(outcomes[0].error)
                continue
            raise_failure(outcomes)
        raise LostRaces(f"{code} kept changing while the answer was decided")

    async def lapses(self, claims: Sequence[DueClaim], now: int) -> list[tuple[DueClaim, int | None]]:
        """Fire what is due of the claimed incidents; gives back the claims that are to be settled, each with the time
        it is due next: nothing was due of it, or it is stuck.

        A claim whose incident changed meanwhile needs nothing: that commit wrote the next due time itself. An incident
        that cannot be decided stops no other's clocks: it is told, and tried again after ``STUCK``.
        """
        ctx = self._context(now)
        settled: list[tuple[DueClaim, int | None]] = []
        fired: list[tuple[DueClaim, Mode, Change]] = []
        stuck: list[tuple[DueClaim, Mode, str]] = []
        for claim in claims:
            incident = claim.incident
            if isinstance(incident, Damaged):
                stuck.append((claim, incident.mode, incident.why))
                continue
            version = incident.version
            try:
                decision = decide(incident, Lapse(at=now), ctx)
            except Exception as error:
                log.exception("the clocks of %s could not be decided", incident.code)
                stuck.append((claim, incident.mode, why_of(error)))
                continue
            if decision.reason == "nothing_due":
                settled.append((claim, incident.due_at()))
            else:
                fired.append((claim, incident.mode, self._change(decision, version, ctx, [])))
        outcomes = await self._ledger.commit([change for _, _, change in fired]) if fired else []
        for (claim, mode, _), outcome in zip(fired, outcomes, strict=True):
            if isinstance(outcome, Committed):
                self._handoff(outcome.claimed)
            elif isinstance(outcome, Failed) and outcome.unwritable:
                stuck.append((claim, mode, why_of(outcome.error)))
        if stuck:
            await self._tell_stuck([(claim.code, why, mode) for claim, mode, why in stuck], ctx)
            settled += [(claim, now + STUCK) for claim, _, _ in stuck]
        raise_failure(outcomes)
        return settled


def _version_and_mode(found: Loaded) -> tuple[int, Mode]:
    if found.damaged is not None:
        return 0, found.damaged.mode
    return (found.incident.version, found.incident.mode) if found.incident is not None else (0, Mode.ACTUAL)
