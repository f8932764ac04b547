"""The courier: claims what may leave, asks once more whether it is still needed, sends, and records what became of it.

Sends run side by side; their results are recorded in batches. A mailbox that hangs holds nobody else up: each channel
has slots of its own, and a claim is made only for a free one. What a crash leaves is claimed again when its lease ends,
so a message in flight is repeated at most once for each stop of the hub.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice

from bot.tally import Tally
from bot.workers import sent as ends
from bot.workers.breaker import Breaker
from bot.workers.broken import Broken
from bot.workers.decider import Decider, StoreFailed
from bot.workers.letters import Letters, Parcel
from bot.workers.sending import Sender
from bot.workers.sent import Sent, dropped, given_back, meet_reports, strays_of, unsent, without_receipts
from bot.workers.slots import Share, Slots
from bot.workers.strays import Strays
from bot.workers.undecidable import say_bare
from channels.channel import Channel
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.inputs import SendResult
from escalation.ledger.breakers import Breakers
from escalation.ledger.change import OutboxItem
from escalation.ledger.commit import Ledger
from escalation.ledger.health import Health
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.rests import Rests
from escalation.ledger.states import Damaged
from escalation.ledger.trials import Trials
from escalation.ledger.turning import Claim, ClaimKind, Settlement, mailbox_of
from escalation.ledger.vendor_ids import VendorIds
from escalation.ledger.windows import Limits
from escalation.notice import OutboxRow

log = logging.getLogger(__name__)

LOOK = 200
"""How often all shards are asked for what is ready while mailboxes are named otherwise, in milliseconds."""
OTHERS = 8
"""How many claims more than the rows that come are asked for beside a commit: others may be waiting before them."""
GATHER = 0.01
"""For how long ended sends are gathered, in seconds: each record is a commit, which new alarms wait behind."""
FREEZES = 16
"""How many digests are made and frozen at a time: each waits for the disk, and what else there is to do waits for none
of them longer than for these."""


class Courier:
    """Takes letters from mailboxes to channels."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        mailboxes: Mailboxes,
        rests: Rests,
        health: Health,
        breakers: Breakers,
        trials: Trials,
        vendor_ids: VendorIds,
        decider: Decider,
        letters: Letters,
        channels: Callable[[], Mapping[str, Channel]],
        directory: Callable[[], Directory],
        maintainers: Callable[[], str],
        now: Callable[[], int],
        tally: Tally,
    ) -> None:
        self._tally = tally
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._rests = rests
        self._vendor_ids = vendor_ids
        self._resting: dict[str, int] = {}
        self._decider = decider
        self._letters = letters
        self._channels = channels
        self._directory = directory
        self._strays = Strays(ledger, mailboxes, trials, directory, maintainers)
        self._broken = Broken(ledger, mailboxes, health, directory, maintainers)
        self.breaker = Breaker(breakers, self._broken, channels)
        self._slots = Slots(channels)
        self.sender = Sender(mailboxes, self._slots, self._end, now)
        self._ended: list[Sent] = []
        self._settled: list[Settlement] = []
        self._expected: dict[Mailbox, None] = {}
        self._looked = 0
        self._pressed = False
        self._states: dict[str, Incident] = {}
        self.news = asyncio.Event()

    @property
    def under_way(self) -> int:
        """How many sends run, or have ended and are not yet recorded and let go."""
        return self.sender.running + len(self._ended) + len(self._settled)

    @property
    def pressed(self) -> bool:
        """Whether mailboxes wait for a free slot."""
        return self._pressed

    @property
    def owes(self) -> bool:
        """Whether anything that is recorded was not let go yet."""
        return bool(self._settled)

    async def settle(self, now: int) -> None:
        """Let go of what was recorded, and claim nothing more."""
        settled, self._settled = self._settled, []
        try:
            await self._mailboxes.settle(settled, now=now)
        except BaseException:
            self._settled = settled + self._settled
            raise
        self._slots.settled(each.claim for each in settled)

    def expect(self, mailboxes: Iterable[Mailbox]) -> None:
        """Something may leave these mailboxes at once: the next step need not look where anything is ready."""
        self._expected.update(dict.fromkeys(mailboxes))

    async def _likely(self, now: int, everywhere: bool) -> list[Mailbox]:
        """The mailboxes worth a claim: those expected, and every ``LOOK`` ms, or where none is, all that are ready."""
        expected, self._expected = self._expected, {}
        if expected and not everywhere and 0 <= now - self._looked < LOOK:
            return list(expected)
        self._looked = now
        ready, self._resting, *_ = await asyncio.gather(
            self._mailboxes.ready(now=now), self._rests.read(), self._broken.look(), self.breaker.look(now)
        )
        return list(dict.fromkeys((*ready, *expected)))

    async def _awake(self, likely: list[Mailbox], now: int) -> list[Mailbox]:
        """Without those whose channel rests as a whole: they are held until it does no more."""
        held = {box: until for box in likely if (until := self._resting.get(box.channel, 0)) > now}
        if held:
            await self._mailboxes.hold_longer(held, now=now)
        return [box for box in likely if box not in held]

    async def step(self, now: int, *, everywhere: bool = False) -> int:
        """One turn without new rows; how many claims ended or were made. Does not wait for the vendors.

        ``everywhere``: look at all mailboxes, for whoever must know that nothing is left (the clock may stand still).
        """
        settled = len(self._settled)
        _, claims = await self.turn([], now, everywhere=everywhere)
        return settled + claims

    async def turn(self, items: list[OutboxItem], now: int, *, everywhere: bool = False) -> tuple[list[bool], int]:
        """Let go of what was recorded, put new rows into their mailboxes, claim what may leave and start sending it.

        Whether each of ``items`` is in its mailbox, and how many claims were made. When this raises, the rows may be
        there or not.
        """
        self.expect(mailbox_of(item) for item in items)
        wanted = self._wanted(await self._awake(await self._likely(now, everywhere), now))
        settled, self._settled = self._settled, []
        if not (settled or items or wanted):
            return [], 0
        codes = list(dict.fromkeys(item.row.incident for item in items if item.row.incident)) if wanted else []
        try:
            made, states = await asyncio.gather(
                self._mailboxes.turn(settlements=settled, items=items, wanted=wanted, now=now),
                self._ledger.find_many(codes),
                return_exceptions=True,
            )
            if isinstance(made, BaseException):
                raise made
        except BaseException:
            self._settled = settled + self._settled
            self.expect(mailbox for mailbox, _ in wanted)
            raise
        self.let_go(settled, made.unsettled, now)
        self.expect(self._mailboxes.unanswered)
        # States that did not come are asked for once more, since what is claimed now has to leave or be given back.
        known = {} if isinstance(states, BaseException) else dict(zip(codes, states, strict=True))
        await self._begin(made.claims, known, now)
        return made.there, len(made.claims)

    async def _begin(
        self,
        claims: list[Claim],
        states: Mapping[str, Incident | Damaged | None],
        now: int,
    ) -> None:
        """Start sending what was claimed. ``states`` are the incidents that were loaded beside the claim."""
        if not claims:
            return
        self._slots.claimed(claims)
        waiting = deque(sorted(claims, key=lambda claim: claim.kind is ClaimKind.DIGEST))
        try:
            codes = dict.fromkeys(row.incident for claim in claims for row in claim.rows if row.incident)
            missing = [code for code in codes if code not in states]
            if missing:
                states = {**states, **dict(zip(missing, await self._ledger.find_many(missing), strict=True))}
            incidents = {code: state for code in codes if isinstance(state := states[code], Incident)}
            damaged = {code: state for code in codes if isinstance(state := states[code], Damaged)}
            if damaged:
                say_bare(claims, damaged)
            if all(claim.kind is ClaimKind.SINGLE for claim in claims):
                # Recording uses states up. Making a digest awaits, and may not find one half used; single letters do
                # not.
                self._states.update(incidents)
            while waiting:
                digests = waiting[0].kind is ClaimKind.DIGEST
                some = list(islice(waiting, FREEZES if digests else 1))
                made = [self._made(claim, incidents, now) for claim in some]
                for parcel in await asyncio.gather(*made) if digests else [await made[0]]:
                    if isinstance(parcel, Exception):
                        self._end(given_back(waiting[0], now))
                    else:
                        self._start(waiting[0], parcel, now)
                    waiting.popleft()
        except BaseException:
            for claim in waiting:
                self._end(given_back(claim, now))
            raise

    def reserve(self, rows: Iterable[OutboxItem], now: int) -> list[Share]:
        """What to claim from the mailboxes that these rows are about to come into. The slots are kept for it until
        :meth:`free`; mailboxes without any, and those whose channel rests, are left to the next turn."""
        came = Counter(mailbox_of(item) for item in rows if self._resting.get(item.row.channel, 0) <= now)
        shares, _ = self._slots.shares(came, {mailbox: count + OTHERS for mailbox, count in came.items()})
        self._slots.keep(shares)
        for share in shares:
            self._expected.pop(share.mailbox, None)
        return shares

    def free(self, shares: Iterable[Share]) -> None:
        """The slots of :meth:`reserve` are kept no more."""
        self._slots.let_go(shares)

    def hand_settled(self, mailboxes: Collection[Mailbox]) -> list[Settlement]:
        """What is recorded of these mailboxes and not let go, for whoever does that now: :meth:`let_go` must follow."""
        handed = [each for each in self._settled if each.claim.mailbox in mailboxes]
        if handed:
            self._settled = [each for each in self._settled if each.claim.mailbox not in mailboxes]
        return handed

    def let_go(self, settled: Collection[Settlement], unsettled: Collection[Settlement], now: int) -> None:
        """These were let go, but for those that are to be said again."""
        again = [each for each in unsettled if each.claim.until > now]
        self._settled = again + self._settled
        self._slots.settled(each.claim for each in settled if each not in again)

    def write(self, row: OutboxRow, incident: Incident, now: int) -> Parcel | None:
        """The letter of a row that is about to be claimed, from its incident as it is being committed; None where it
        has to be made, or to fail, at the claim."""
        channel = self._channels().get(row.channel)
        if channel is None:
            return None
        try:
            return self._letters.single(row, incident, channel.abilities, self._directory(), now)
        except Exception:
            log.exception("the letter of %s could not be made ahead", row.notice)
            return None

    def begin(
        self, claims: Sequence[Claim], states: Mapping[str, Incident], written: Mapping[str, Parcel], now: int
    ) -> None:
        """Send what was claimed beside a commit. ``states`` are incidents as they are on disk now, by code, ``written``
        parcels of theirs, by notice."""
        rest: list[Claim] = []
        begun: set[str] = set()
        # As in `_begin`: a digest may not find a state half used.
        singles = all(claim.kind is ClaimKind.SINGLE for claim in claims)
        for claim in claims:
            row = claim.rows[0]
            if singles and row.notice in written and row.incident in states:
                begun.add(row.incident)
                self._slots.claimed([claim])
                self._states[row.incident] = states[row.incident]
                try:
                    self._start(claim, written[row.notice], now)
                except Exception:
                    # What goes wrong here is no trouble of the commit, whose sender waits for its verdict.
                    log.exception("the send %s could not begin", claim.member)
                    self._end(given_back(claim, now))
            else:
                rest.append(claim)
        if rest:
            unused = {code: state for code, state in states.items() if code not in begun}
            self.sender.watch(asyncio.create_task(self._begin(rest, unused, now), name="begin"))

    def _wanted(self, likely: Iterable[Mailbox]) -> list[tuple[Mailbox, Limits]]:
        """What to claim from each mailbox; where a channel has no free slot, its mailboxes stay expected."""
        wanted, later = self._slots.shares(likely)
        self._pressed = bool(later)
        self.expect(later)
        return [(mailbox, limits) for mailbox, limits, _ in wanted]

    async def _made(self, claim: Claim, incidents: dict[str, Incident], now: int) -> Parcel | Exception | None:
        """The parcel, or what went wrong with it, which holds no other claim up."""
        try:
            return await self._parcel(claim, incidents, now)
        except Exception as error:
            log.exception("the letters of %s could not be made", claim.member)
            return error

    async def _parcel(self, claim: Claim, incidents: dict[str, Incident], now: int) -> Parcel | None:
        """The claim's letters; None when its channel does not exist (any more)."""
        channel = self._channels().get(claim.mailbox.channel)
        if channel is None:
            return None
        abilities = channel.abilities
        if claim.kind is ClaimKind.OVERFLOW:
            return self._letters.overflow(claim, incidents, abilities, self._directory(), now)
        if claim.kind is ClaimKind.SINGLE:
            row = claim.rows[0]
            return self._letters.single(row, incidents.get(row.incident), abilities, self._directory(), now)
        content, troubles = claim.frozen, list[str]()
        if content is None:
            troubles, made, left = self._letters.digest(claim, incidents, abilities, self._directory(), now)
            content = await self._mailboxes.freeze(claim, made, now=now, left=left)
        if content is None:
            return Parcel()
        parcel = self._letters.thaw(content, claim, incidents, abilities, self._directory(), now)
        parcel.troubles = troubles
        return parcel

    def _start(self, claim: Claim, parcel: Parcel | None, now: int) -> None:
        channel = self._channels().get(claim.mailbox.channel)
        if parcel is None or channel is None:
            detail = f"channel {claim.mailbox.channel} is not configured"
            self._end(unsent(claim, SendResult.MISCONFIGURED, now, detail))
            return
        for trouble in parcel.troubles:
            log.error("a message was rendered plainly because its template failed: %s", trouble)
        if not parcel.letters:
            self._end(Sent(claim, dropped(parcel, now), tried=False))
            return
        if barred := self.breaker.bars(claim, now):
            self._end(barred)
            return
        self.sender.start(claim, parcel, channel)

    def _end(self, sent: Sent) -> None:
        self._ended.append(sent)
        self._tally.sent(sent.claim.mailbox.channel, sent.receipts)
        self.news.set()

    async def gather(self) -> None:
        """Where sends have ended, wait a moment for others, to be recorded by the same commit; not while mailboxes wait
        for a free slot."""
        if self._ended and not self._pressed:
            await asyncio.sleep(GATHER)

    async def record(self, now: int) -> int:
        """Write down the ended sends in their incidents; how many claims ended.

        The next turn lets their mailboxes know: until then, and after a crash in between, the rows are still claimed,
        and whoever claims them again finds them sent."""
        ended, self._ended = self._ended, []
        self.news.clear()
        if not ended:
            return 0
        try:
            await self._broken.record(ended, now)
            await self._strays.record(strays_of(ended), now)
            receipts = [receipt for sent in ended for receipt in sent.receipts if receipt[0]]
            early = await meet_reports(self._vendor_ids, ended, self._channels())
            news = ends.came_early(ended, early)
            await self._strays.hear([receipt for code, receipt in early if not code])
            receipts += [each for each in early if each[0]]
            try:
                await self._decider.receipts(receipts, now, self._states)
            except StoreFailed as error:
                ended = without_receipts(ended, but=error.codes)
                raise
            # From here on only the settling is owed: what is recorded must not be recorded again if that fails.
            told, ended = ended, without_receipts(ended)
            await self.breaker.record(told, now, news)
            for sent in ended:
                if sent.whole_channel:
                    await self._rests.rest(sent.claim.mailbox.channel, sent.hold_until)
                    self._resting[sent.claim.mailbox.channel] = sent.hold_until
                if sent.hold_until:
                    await self._mailboxes.hold(sent.claim.mailbox, sent.hold_until, now=now)
        except BaseException:
            self._ended = ended + self._ended
            raise
        self._settled += [Settlement(sent.claim, sent.again_at, sent.tried, sent.lost) for sent in ended]
        for sent in ended:
            for row in sent.claim.rows:
                self._states.pop(row.incident, None)
        self.expect(sent.claim.mailbox for sent in ended)
        return len(ended)
