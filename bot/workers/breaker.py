"""Breakers: an address that is refused again and again rests, and a broken channel is not waited for.

What cannot leave this way goes by the next one at once. Critical notices ask the vendor all the same: a refusal costs
them a round trip, and a number that works again must not stay silent for a rest's length. So do tests, which is how
somebody finds out. Docs: docs/decisions/0053.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from redis.exceptions import RedisError

from bot.store.errors import StoreError
from bot.workers.broken import Broken
from bot.workers.outcomes import GIVE_UP
from bot.workers.sent import Sent, unsent
from channels.channel import Channel, ReceiptKind
from channels.masking import mask_phones
from escalation.calendar import local
from escalation.inputs import Receipt, SendResult
from escalation.ledger.breakers import Breakers, Refusals, Resting
from escalation.ledger.keys import Mailbox
from escalation.ledger.trials import TRIAL
from escalation.ledger.turning import Claim, ClaimKind
from escalation.vocabulary import Urgency

log = logging.getLogger(__name__)

PROBE = 30_000
"""How often a broken channel is tried with a message that is not critical (ms)."""
LOOK = 5_000
"""How often it is looked what other hubs found (ms)."""
_MOST_PASSED = 10_000


class Breaker:
    """Says of each claim whether its vendor is asked. ``broken`` knows the channels."""

    def __init__(self, breakers: Breakers, broken: Broken, channels: Callable[[], Mapping[str, Channel]]) -> None:
        self._breakers = breakers
        self._broken = broken
        self._channels = channels
        self._refused: dict[Mailbox, Resting] = {}
        self._passed: dict[tuple[Mailbox, str], None] = {}
        self._probe_at: dict[str, int] = {}
        self._looked = 0

    async def look(self, now: int) -> None:
        """Hear, every few seconds, which addresses rest. Where the store does not say, what was heard before holds."""
        if 0 <= now - self._looked < LOOK:
            return
        self._looked = now
        try:
            self._refused = await self._breakers.read(now=now)
        except (StoreError, RedisError, OSError) as error:
            log.warning("the store does not say which addresses rest: %s", error)

    def bars(self, claim: Claim, now: int) -> Sent | None:
        """How the claim ends without a send; None where its vendor is to be asked. Costs a look at two dicts."""
        box = claim.mailbox
        fare = self._broken.fares.get(box.channel)
        resting = self._refused.get(box)
        if (fare is None or not fare.silent) and resting is None:
            return None
        if claim.kind is ClaimKind.OVERFLOW or any(row.notice.startswith(TRIAL) for row in claim.rows):
            return None
        critical = claim.rows[0].urgency is Urgency.CRITICAL
        if resting is not None and resting.until > now and not critical:
            return unsent(claim, SendResult.REFUSED_RECIPIENT, now, _resting_words(resting))
        if fare is None or not fare.silent:
            return None
        since = max(max(row.created_at, row.not_before) for row in claim.rows)
        if now - since >= GIVE_UP:
            return None
        return self._passed_on(claim, fare.said, now) or self._probes(claim, critical, now)

    def _passed_on(self, claim: Claim, said: str, now: int) -> Sent | None:
        """Once for each row: its incident hears that this way is closed, and it is claimed again at once."""
        key = (claim.mailbox, claim.member)
        if key in self._passed:
            return None
        if len(self._passed) >= _MOST_PASSED:
            self._passed.clear()
        self._passed[key] = None
        detail = f"渠道 {claim.mailbox.channel} 无法使用，先走其他渠道：{said}"[:200]
        receipts = tuple(
            (row.incident, Receipt(notice=row.notice, result=SendResult.BARRED, at=now, detail=detail, until=now))
            for row in claim.rows
        )
        return Sent(claim, receipts, again_at=now, tried=False)

    def _probes(self, claim: Claim, critical: bool, now: int) -> Sent | None:
        channel = claim.mailbox.channel
        probe_at = self._probe_at.get(channel, 0)
        if critical or not now < probe_at <= now + PROBE:
            self._probe_at[channel] = now + PROBE
            return None
        return Sent(claim, (), again_at=probe_at, tried=False)

    async def record(
        self, ended: Iterable[Sent], now: int, reported: Iterable[tuple[Mailbox, list[Receipt]]] = ()
    ) -> None:
        """Take ended sends into account, and what was ``reported`` of them before that. Costs the store nothing while
        no address is refused. Raises its error."""
        came: defaultdict[Mailbox, list[Receipt]] = defaultdict(list)
        for sent in ended:
            if sent.tried:
                came[sent.claim.mailbox] += [receipt for _, receipt in sent.receipts]
        for box, receipts in reported:
            came[box] += receipts
        await self.note(((box, receipts) for box, receipts in came.items()), now)

    async def note(self, came: Iterable[tuple[Mailbox, list[Receipt]]], now: int) -> None:
        """What sends to these addresses came to, or what was reported of them later. Raises the store's error."""
        news = [(box, told) for box, receipts in came if (told := self._tally(box, receipts)) is not None]
        if not news:
            return
        for box, until in (await self._breakers.note(news, now=now)).items():
            told = dict(news)[box]
            before = self._refused.pop(box, None)
            if told.refusals:
                refusals = told.refusals + (before.refusals if before is not None and not told.well else 0)
                self._refused[box] = Resting(refusals, until, told.said)
            if until > now and (before is None or before.until < until):
                log.warning(
                    "%s on %s was refused again and again and rests until %s",
                    mask_phones(box.address),
                    box.channel,
                    f"{local(until):%m-%d %H:%M}",
                )

    def _tally(self, box: Mailbox, receipts: list[Receipt]) -> Refusals | None:
        """None where it says nothing new of the address: that it is well is news only of one that was refused."""
        channel = self._channels().get(box.channel)
        if channel is None or not box.address:
            return None
        # Where a vendor tells later whether a message was delivered, that it took the message says nothing yet.
        tells = ReceiptKind.DELIVERED in channel.abilities.receipts
        good = (SendResult.DELIVERED, SendResult.READ, SendResult.ANSWERED) if tells else (SendResult.SUBMITTED,)
        well, refusals, said = False, 0, ""
        for receipt in receipts:
            if receipt.result in good:
                well, refusals = True, 0
            elif receipt.result in (SendResult.REFUSED_RECIPIENT, SendResult.UNDELIVERED):
                refusals, said = refusals + 1, receipt.detail
        if refusals or (well and box in self._refused):
            return Refusals(well, refusals, mask_phones(said)[:120])
        return None

    def watches(self, channel: str) -> bool:
        """Whether any address of the channel was refused and not taken since: a delivery there may be news."""
        return any(box.channel == channel for box in self._refused)


def _resting_words(resting: Resting) -> str:
    until = f"{local(resting.until):%m-%d %H:%M}"
    return f"此地址连续 {resting.refusals} 次被拒，{until} 前不再发：{resting.said}"[:200]
