"""Sending what was claimed: side by side, each claim by itself, never beyond its lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot.workers.letters import Parcel
from bot.workers.limits import in_time, may_mention
from bot.workers.outcomes import Consequence, consequence
from bot.workers.sent import Sent, dropped, given_back, known_as, receipts_of
from bot.workers.slots import Slots
from channels.channel import Channel, Letter
from channels.outcome import Outcome, OutcomeKind
from escalation.inputs import SendResult
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import Claim

log = logging.getLogger(__name__)


class Sender:
    """Hands letters to channels; ``end`` gets what became of each claim."""

    def __init__(self, mailboxes: Mailboxes, slots: Slots, end: Callable[[Sent], None], now: Callable[[], int]) -> None:
        self._mailboxes = mailboxes
        self._slots = slots
        self._end = end
        self._now = now
        self._sends: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many sends are under way."""
        return len(self._sends)

    def start(self, claim: Claim, parcel: Parcel, channel: Channel) -> None:
        """Send the parcel of a claim by its channel, while others are being sent."""
        self._slots.begun(claim)
        task = asyncio.create_task(self._send(claim, parcel, channel), name=f"send {claim.member}")
        self._sends.add(task)
        task.add_done_callback(partial(self._done, claim))

    def watch(self, task: asyncio.Task[None]) -> None:
        """Count a task that will start sends among them."""
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    def _done(self, claim: Claim, task: asyncio.Task[None]) -> None:
        """Also of a task that was cancelled before its first step."""
        self._sends.discard(task)
        self._slots.ended(claim)

    async def _send(self, claim: Claim, parcel: Parcel, channel: Channel) -> None:
        try:
            self._end(await self._deliver(claim, parcel, channel))
        except Exception:
            log.exception("the send %s ended strangely", claim.member)
            self._end(given_back(claim, self._now(), tried=True))

    async def _deliver(self, claim: Claim, parcel: Parcel, channel: Channel) -> Sent:
        receipts = list(dropped(parcel, self._now()))
        since = max(max(row.created_at, row.not_before) for row in claim.rows)
        worst: Consequence | None = None
        tried = False
        for letter, carried in parcel.letters:
            if letter.mentions and not await may_mention(self._mailboxes, claim, channel.abilities, self._now()):
                letter = replace(letter, mentions=())
            # Nothing is awaited between this look and the send: a hub may have stood still for longer than its lease.
            if not in_time(channel.abilities, claim, now := self._now()):
                worst = Consequence(SendResult.TRANSIENT, again_at=now)
                break
            tried = True
            if claim.lapses:
                letter = replace(letter, repeat=True)
            outcome = await self._hand_over(channel, letter, parcel.plainer.get(letter.id), claim)
            after = consequence(outcome, tries=claim.tries, lost=claim.lapses, since=since, now=self._now())
            known = known_as(claim, letter, channel.abilities)
            receipts += receipts_of(carried, after, claim, outcome, self._now(), known=known)
            if after.again_at is not None:
                worst = after
                break
        return Sent(
            claim,
            tuple(receipts),
            again_at=worst.again_at if worst else None,
            hold_until=worst.hold_until if worst else 0,
            whole_channel=worst is not None and worst.whole_channel,
            tried=tried,
            lost=worst is not None and worst.result is SendResult.UNCERTAIN,
        )

    async def _hand_over(
        self, channel: Channel, letter: Letter, plainer: Callable[[], Letter] | None, claim: Claim
    ) -> Outcome:
        """Send, never beyond the claim's end; a text the vendor refuses is tried once more in its plainest form."""
        try:
            async with asyncio.timeout((claim.until - self._now()) / 1000):
                outcome = await channel.send(letter)
                refused = outcome.kind is OutcomeKind.REFUSED_CONTENT
                if refused and plainer is not None and in_time(channel.abilities, claim, self._now()):
                    outcome = await channel.send(plainer())
        except Exception as error:
            log.exception("the channel %s raised", channel.name)
            return Outcome(OutcomeKind.UNCERTAIN, detail=type(error).__name__)
        return outcome

    async def idle(self) -> None:
        """Until no send is under way; results may still wait to be recorded."""
        while self._sends:
            await asyncio.wait(self._sends)

    async def stop(self, grace: float) -> None:
        """Let what is under way end for at most ``grace`` seconds; what does not is left to its lease."""
        if self._sends:
            await asyncio.wait(self._sends, timeout=grace)
        left = list(self._sends)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
