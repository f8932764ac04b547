"""A hub's desk on a real store: alarms go in, people are told and write back, mailboxes show what they get."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from bot.buttons import Buttons
from bot.chat.answering import Answering
from bot.chat.calls import Calls
from bot.chat.showing import Showing
from bot.workers.decider import Decider
from bot.workers.fanout import FanOut
from channels.channel import Report, Uplink
from escalation.calendar import ZONE, Calendar
from escalation.event import Event, EventType
from escalation.incident import Incident
from escalation.inputs import Context
from escalation.ledger.change import OutboxItem
from escalation.ledger.commit import Ledger
from escalation.ledger.door import Store
from escalation.ledger.evidence import Pictures
from escalation.ledger.inbox import Inbox
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.outbox import Outbox
from escalation.ledger.trials import Trials
from escalation.ledger.turning import Settlement
from escalation.ledger.vendor_ids import VendorIds
from escalation.ledger.windows import Limits
from escalation.notice import NoticeKind, OutboxRow
from escalation.vocabulary import Severity
from tests.chat.county import MILL, PROFILE, county

PARTITIONS, SHARDS = 4, 2
START = int(datetime(2026, 11, 21, 2, 0, tzinfo=ZONE).timestamp()) * 1000
EMERGENCY = "119、120"
BUTTONS = Buttons("fake-secret-of-buttons-0123456789")


class _NoVoice:
    def can(self, channel: str, ability: str) -> bool:
        return ability in ("personal", "replies")


async def _no_reports(reports: Sequence[Report], now: int) -> int:
    raise AssertionError("nobody telephones here")


class Desk:
    """One hub. ``again()`` is the next hub on the same store, which knows nothing but what is on disk."""

    def __init__(self, door: Store, now: int = START) -> None:
        self.door = door
        self.now = now
        self.directory = county()
        self.ledger = Ledger(door, PARTITIONS)
        self.mailboxes = Mailboxes(door, SHARDS)
        self.inbox = Inbox(door, PARTITIONS)
        self.fanout = FanOut(Outbox(door, PARTITIONS), self.mailboxes, PARTITIONS)
        self.decider = Decider(self.ledger, self._context, self._given)
        self.answering = Answering(
            ledger=self.ledger,
            mailboxes=self.mailboxes,
            inbox=self.inbox,
            decider=self.decider,
            directory=lambda: self.directory,
            emergency=EMERGENCY,
            buttons=lambda: BUTTONS,
            showing=Showing(self.ledger, self._context, self._given, Pictures(door, PARTITIONS)),
            calls=Calls(self.ledger, VendorIds(door), Trials(door), _no_reports),
        )
        self._ids = itertools.count(1)

    def again(self, door: Store | None = None) -> Desk:
        return Desk(door or self.door, self.now)

    def _context(self, now: int) -> Context:
        return Context(
            now=now, directory=self.directory, profile=PROFILE, channels=_NoVoice(), calendar=Calendar(), maintainers=""
        )

    def _given(self, items: list[OutboxItem]) -> None:
        self.fanout.give(items)

    def later(self, minutes: int) -> None:
        self.now += minutes * 60_000

    async def alarm(self, point: str = "T01", *, enterprise: str = MILL, cleared: bool = False) -> str:
        """An alarm of a point (or its end), told to everybody; its code."""
        self.now += 1000
        identity = f"e{self.now}"
        event = Event(
            source="plc",
            id=identity,
            type=EventType.ALARM_CLEARED if cleared else EventType.ALARM_RAISED,
            at=self.now,
            received_at=self.now,
            body_hash=sha256(identity.encode()).hexdigest(),
            enterprise=enterprise,
            enterprise_name="",
            point=point,
            severity=Severity.HIGH_HIGH,
        )
        (verdict,) = await self.decider.events([event], self.now)
        await self.fanout.step(self.now)
        self.now += 1000
        return str(getattr(verdict, "code", ""))

    def uplink(self, sender: str, text: str, message_id: str = "") -> Uplink:
        return Uplink("sms", message_id or f"m{self.now}.{next(self._ids)}", sender, text, self.now)

    async def says(self, sender: str, text: str, about: str = "") -> str:
        """What comes back on this phone for a message: the newest answer in its mailbox. ``about``: the vendor says
        that it answers this incident's."""
        await self.answering.take([replace(self.uplink(sender, text), about=about)], self.now)
        await self.answering.step(self.now)
        self.now += 1000
        answers = await self.answers(sender)
        return answers[-1] if answers else ""

    async def answers(self, address: str) -> list[str]:
        """The texts of the answers sent to a phone so far."""
        return [row.text for row in await self.rows(address) if row.kind is NoticeKind.ANSWER]

    async def rows(self, address: str) -> list[OutboxRow]:
        """Everything that waits for a phone, as the courier would take it, given back untouched."""
        mailbox = Mailbox("sms", address)
        claims = await self.mailboxes.claim([(mailbox, Limits(lease=60_000, at_once=200))], now=self.now)
        settled = [Settlement(claim, again_at=self.now, tried=False) for claim in claims]
        await self.mailboxes.settle(settled, now=self.now)
        return sorted((row for claim in claims for row in claim.rows), key=lambda row: row.created_at)

    async def taken(self, address: str) -> list[OutboxRow]:
        """What the courier would send to a phone now, sent."""
        claims = await self.mailboxes.claim(
            [(Mailbox("sms", address), Limits(lease=60_000, at_once=200))], now=self.now
        )
        await self.mailboxes.settle([Settlement(claim) for claim in claims], now=self.now)
        return [row for claim in claims for row in claim.rows]

    async def incident(self, code: str) -> Incident:
        (found,) = await self.ledger.get_many([code])
        assert found is not None, code
        return found

    async def work(self) -> int:
        """One step of answering and of the fan-out."""
        count = await self.answering.step(self.now)
        await self.fanout.step(self.now)
        return count


def signatures(incident: Incident) -> list[str]:
    """Who signed, one for each signature in the record."""
    return [deed.name for deed in incident.deeds if deed.verb == "sign"]
