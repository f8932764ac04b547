"""The courier: claims what may leave, asks once more whether it is still needed, sends, and records what became of it.

Sends run side by side; their results are recorded in batches. A mailbox that hangs holds nobody else up: each channel
has slots of its own, and a claim is made only for a free one. What a crash leaves is claimed again when its lease ends,
so a message in flight is repeated at most once for each stop of the hub.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.workers.broken import broken_channel
from bot.workers.decider import Decider
from bot.workers.letters import Letters, Parcel
from bot.workers.outcomes import Consequence, consequence
from channels.channel import Abilities, Channel, Letter
from channels.outcome import Outcome, OutcomeKind
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.inputs import Receipt, SendResult
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Claim, ClaimKind, Mailboxes, Settlement
from escalation.ledger.windows import Limits, Window

log = logging.getLogger(__name__)

LEASE = 60_000
"""How long a claim holds, in milliseconds: longer than any channel's send may take, or the channel is not used."""
LOOK = 200
"""How often all shards are asked for what is ready while mailboxes are named otherwise, in milliseconds."""
SLOTS = 128
"""How many sends of one channel may be under way in this hub."""
DIGEST = {"sms": 4, "wecom": 20, "mail": 40, "webhook": 1}
"""How many notices share one digest, by form: what surely fits into one message of the vendor's size."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One claim after its sends: what to record of which notice, and how to settle."""

    claim: Claim
    receipts: tuple[tuple[str, Receipt], ...]
    again_at: int | None = None
    hold_until: int = 0
    tried: bool = True


class Courier:
    """Takes letters from mailboxes to channels."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        mailboxes: Mailboxes,
        decider: Decider,
        letters: Letters,
        channels: Callable[[], Mapping[str, Channel]],
        directory: Callable[[], Directory],
        maintainers: Callable[[], str],
        now: Callable[[], int],
    ) -> None:
        self._maintainers = maintainers
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._decider = decider
        self._letters = letters
        self._channels = channels
        self._directory = directory
        self._now = now
        self._busy: Counter[str] = Counter()
        self._sends: set[asyncio.Task[None]] = set()
        self._ended: list[Sent] = []
        self._expected: dict[Mailbox, None] = {}
        self._looked = 0
        self._states: dict[str, Incident] = {}
        self.news = asyncio.Event()

    @property
    def under_way(self) -> int:
        """How many sends run, or have ended and are not yet recorded."""
        return len(self._sends) + len(self._ended)

    def expect(self, mailboxes: Iterable[Mailbox]) -> None:
        """Something may leave these mailboxes at once: the next step need not look where anything is ready."""
        self._expected.update(dict.fromkeys(mailboxes))

    async def _likely(self, now: int) -> list[Mailbox]:
        """The mailboxes worth a claim: those expected, and every ``LOOK`` ms, or where none is, all that are ready."""
        expected, self._expected = self._expected, {}
        if expected and 0 <= now - self._looked < LOOK:
            return list(expected)
        self._looked = now
        return list(dict.fromkeys((*await self._mailboxes.ready(now=now), *expected)))

    async def step(self, now: int) -> int:
        """Claim what may leave now and start sending it; how many claims were made. Does not wait for the vendors."""
        wanted: list[tuple[Mailbox, Limits]] = []
        room = Counter({name: SLOTS - busy for name, busy in self._busy.items()})
        for mailbox in await self._likely(now):
            channel = self._channels().get(mailbox.channel)
            free = room.setdefault(mailbox.channel, SLOTS)
            if free <= 0:
                self._expected[mailbox] = None
                continue
            limits = limits_of(channel.abilities if channel else None, min(free, SLOTS))
            room[mailbox.channel] -= limits.at_once
            wanted.append((mailbox, limits))
        if not wanted:
            return 0
        claims = await self._mailboxes.claim(wanted, now=now)
        codes = list(dict.fromkeys(row.incident for claim in claims for row in claim.rows if row.incident))
        found = await self._ledger.get_many(codes) if codes else []
        incidents = {code: state for code, state in zip(codes, found, strict=True) if state is not None}
        if all(claim.kind is ClaimKind.SINGLE for claim in claims):
            # Recording uses states up. Making a digest awaits, and may not find one half used; single letters do not.
            self._states.update(incidents)
        for claim in claims:
            self._start(claim, await self._parcel(claim, incidents, now), now)
        return len(claims)

    async def _parcel(self, claim: Claim, incidents: dict[str, Incident], now: int) -> Parcel | None:
        """The claim's letters; None when its channel does not exist (any more)."""
        channel = self._channels().get(claim.mailbox.channel)
        if channel is None:
            return None
        abilities = channel.abilities
        if claim.kind is ClaimKind.OVERFLOW:
            return self._letters.overflow(claim, incidents, abilities, now)
        if claim.kind is ClaimKind.SINGLE:
            row = claim.rows[0]
            return self._letters.single(row, incidents.get(row.incident), abilities, self._directory(), now)
        parcel, content = Parcel(), claim.frozen
        if content is None:
            parcel, made = self._letters.digest(claim, incidents, abilities, self._directory(), now)
            content = await self._mailboxes.freeze(claim, made, now=now)
        if content is not None:
            parcel.letters = self._letters.thaw(content, claim, incidents, now)
        return parcel

    def _start(self, claim: Claim, parcel: Parcel | None, now: int) -> None:
        channel = self._channels().get(claim.mailbox.channel)
        if parcel is None or channel is None:
            detail = f"channel {claim.mailbox.channel} is not configured"
            self._end(_all(claim, SendResult.MISCONFIGURED, now, detail))
            return
        for trouble in parcel.troubles:
            log.error("a message was rendered plainly because its template failed: %s", trouble)
        if not parcel.letters:
            self._end(Sent(claim, _dropped(parcel, now), tried=False))
            return
        self._busy[claim.mailbox.channel] += 1
        task = asyncio.create_task(self._send(claim, parcel, channel), name=f"send {claim.member}")
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, claim: Claim, parcel: Parcel, channel: Channel) -> None:
        try:
            self._end(await self._deliver(claim, parcel, channel))
        finally:
            self._busy[claim.mailbox.channel] -= 1

    async def _deliver(self, claim: Claim, parcel: Parcel, channel: Channel) -> Sent:
        receipts = list(_dropped(parcel, self._now()))
        worst: Consequence | None = None
        for letter, carried in parcel.letters:
            now = self._now()
            if now + int(channel.abilities.timeout * 1000) >= claim.until:
                worst = worst or Consequence(SendResult.TRANSIENT, again_at=now)
                break
            outcome = await self._hand_over(channel, letter, parcel.plainer)
            after = consequence(outcome, tries=claim.tries, created_at=claim.rows[0].created_at, now=self._now())
            receipts += _receipts(carried, after.result, claim, outcome, self._now())
            if after.again_at is not None:
                worst = after
                break
        return Sent(
            claim,
            tuple(receipts),
            again_at=worst.again_at if worst else None,
            hold_until=worst.hold_until if worst else 0,
        )

    async def _hand_over(self, channel: Channel, letter: Letter, plainer: Callable[[], Letter] | None) -> Outcome:
        """Send; a text the vendor refuses is tried once more in its plainest form."""
        try:
            outcome = await channel.send(letter)
            if outcome.kind is OutcomeKind.REFUSED_CONTENT and plainer is not None:
                outcome = await channel.send(plainer())
        except Exception as error:
            log.exception("the channel %s raised", channel.name)
            return Outcome(OutcomeKind.UNCERTAIN, detail=type(error).__name__)
        return outcome

    def _end(self, sent: Sent) -> None:
        self._ended.append(sent)
        self.news.set()

    async def record(self, now: int) -> int:
        """Write down the ended sends: receipts into their incidents, then the mailbox rows; how many claims ended."""
        ended, self._ended = self._ended, []
        self.news.clear()
        if not ended:
            return 0
        try:
            await self._decider.receipts([receipt for sent in ended for receipt in sent.receipts if receipt[0]], now)
            await self._tell_broken(ended, now)
            for sent in ended:
                if sent.hold_until:
                    await self._mailboxes.hold(sent.claim.mailbox, sent.hold_until, now=now)
            await self._mailboxes.settle([Settlement(sent.claim, sent.again_at, sent.tried) for sent in ended], now=now)
        except BaseException:
            self._ended = ended + self._ended
            raise
        for sent in ended:
            for row in sent.claim.rows:
                self._states.pop(row.incident, None)
        self.expect(sent.claim.mailbox for sent in ended)
        return len(ended)

    async def _tell_broken(self, ended: list[Sent], now: int) -> None:
        """Channels that refuse the hub itself are told to the maintainers, before what failed is let go."""
        broken = {
            sent.claim.mailbox.channel: receipt.detail
            for sent in ended
            for _, receipt in sent.receipts
            if receipt.result is SendResult.MISCONFIGURED
        }
        for channel, detail in broken.items():
            rows = broken_channel(channel, detail, self._directory(), self._maintainers(), now)
            if rows:
                await self._mailboxes.put(rows, now=now)

    async def idle(self) -> None:
        """Until no send is under way; results may still wait to be recorded."""
        while self._sends:
            await asyncio.wait(self._sends)

    async def stop(self, grace: float) -> None:
        """Let what is under way end for at most ``grace`` seconds; what does not is left to its lease."""
        if self._sends:
            await asyncio.wait(self._sends, timeout=grace)
        for task in self._sends:
            task.cancel()


def limits_of(abilities: Abilities | None, free: int) -> Limits:
    """A channel's abilities as a mailbox's limits; what belongs to no channel is claimed too, so that it is told."""
    if abilities is None:
        return Limits(lease=LEASE)
    return Limits(
        windows=tuple(Window(each.count, each.per * 1000) for each in abilities.windows),
        reserve=abilities.reserve,
        digest=DIGEST.get(abilities.form, 1) if abilities.digest else 0,
        at_once=max(1, min(abilities.at_once, free)),
        lease=LEASE,
    )


def _receipts(
    carried: list[tuple[str, str]], result: SendResult, claim: Claim, outcome: Outcome, now: int
) -> list[tuple[str, Receipt]]:
    return [
        (
            code,
            Receipt(
                notice=notice,
                result=result,
                at=now,
                vendor_id=outcome.vendor_id or "",
                detail=outcome.detail[:200],
                tries=claim.tries + 1,
                repeat=claim.lapses > 0,
            ),
        )
        for code, notice in carried
    ]


def _dropped(parcel: Parcel, now: int) -> tuple[tuple[str, Receipt], ...]:
    return tuple(
        (code, Receipt(notice=notice, result=SendResult.DROPPED, at=now, detail=reason))
        for code, notice, reason in parcel.dropped
        if reason not in ("already_sent", "incident_unknown", "superseded", "no_longer_queued")
    )


def _all(claim: Claim, result: SendResult, now: int, detail: str) -> Sent:
    rows = claim.rows if claim.kind is not ClaimKind.OVERFLOW else []
    receipts = tuple((row.incident, Receipt(notice=row.notice, result=result, at=now, detail=detail)) for row in rows)
    return Sent(claim, receipts, tried=False)
