"""Rows without an incident: answers, quarantine notices, words about the hub itself. No state remembers them, so what a
refusal means is decided here: the addressee's next contact, else a dead letter in the journal that maintainers hear of.

Everything is made of the row and has ids of its own, so that a send recorded twice, or claimed again after a crash,
tells nobody twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2s

import msgspec

from bot.rendering import shorten
from escalation.directory import Directory
from escalation.inputs import Entry, Receipt, SendResult
from escalation.ledger.change import Change, Failed, OutboxItem, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import US
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.trials import TRIAL, TrialEnd, Trials
from escalation.notice import Addressee, Contact, DeadLetter, NoticeKind, OutboxRow
from escalation.reach import acting, maintainers
from escalation.roster import distinct, standing
from escalation.vocabulary import Role, Urgency

log = logging.getLogger(__name__)

PATIENCE = 3
"""After this many sends that the vendor could not take, the addressee's next contact is used as well."""
_DEAD = "dead."
BROKEN = "broken."
"""How the ids of words about a broken channel begin (:mod:`bot.workers.broken`)."""
_FAILED = (
    SendResult.REFUSED_RECIPIENT,
    SendResult.REFUSED_CONTENT,
    SendResult.MISCONFIGURED,
    SendResult.UNDELIVERED,
)


class RowNotTaken(Exception):
    """The part of the store with a mailbox or the journal did not answer; it may all be done again."""


def fallback_room(directory: Directory, now: int) -> tuple[Addressee, ...]:
    """The fallback unit's duty room as it stands now, or whoever stands in for it where nobody does."""
    unit = directory.fallback_unit
    here = standing(directory, unit, Role.DUTY_ROOM, now)
    if here:
        return here
    return acting(directory, directory.tier_of(unit), unit, (Role.DUTY_ROOM,), now, directory.line("")).addressees


def contact_id(stem: str, contact: Contact, attempt: int) -> str:
    """The id of the row that carries ``stem`` to a contact; the digest keeps phone numbers out of ids and logs. One
    address may be one person's first and another's second contact: those are two rows, else a refusal could end
    nowhere."""
    digest = blake2s(f"{contact.channel}\x1f{contact.address}".encode(), digest_size=6).hexdigest()
    return f"{stem}.{digest}" + (f".{attempt}" if attempt else "")


def as_item(row: OutboxRow) -> OutboxItem:
    """A row that goes to its mailbox without an outbox."""
    return OutboxItem(row.partition, "", "", row.notice, msgspec.json.encode(row), row)


class Strays:
    """What follows from sends of rows without an incident. ``maintainers`` is the unit that maintains the hub."""

    def __init__(
        self,
        ledger: Ledger,
        mailboxes: Mailboxes,
        trials: Trials,
        directory: Callable[[], Directory],
        unit: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._trials = trials
        self._directory = directory
        self._unit = unit

    async def record(self, sent: Sequence[tuple[OutboxRow, Receipt]], now: int) -> None:
        """Answer refusals; on disk when this returns. Raises :class:`RowNotTaken` and the store's error."""
        rows: list[OutboxRow] = []
        dead: list[tuple[OutboxRow, Receipt]] = []
        tests = [receipt for row, receipt in sent if row.notice.startswith(TRIAL)]
        if tests:
            await self._trials.hear([trial_end(receipt) for receipt in tests])
        for row, receipt in sent:
            if row.notice.startswith(TRIAL):
                continue
            following = self._next_ways(row, now)
            if receipt.result in _FAILED:
                rows += following
                if not following:
                    dead.append((row, receipt))
            elif receipt.result is SendResult.BARRED or (
                receipt.result is SendResult.TRANSIENT and receipt.tries >= PATIENCE
            ):
                rows += following
        for row, receipt in dead:
            log.error("dead letter %s on channel %s: %s", row.notice, row.channel, receipt.detail)
            rows += self._words_to_maintainers(row, receipt, now)
        if dead:
            await self._write(dead, now)
        if rows and not all(await self._mailboxes.put([as_item(row) for row in rows], now=now)):
            raise RowNotTaken("a mailbox did not take a row that follows from a refusal")

    def _next_ways(self, row: OutboxRow, now: int) -> list[OutboxRow]:
        """The same words to the next contact of whoever this row was for, where it was for a post's people."""
        if row.kind is not NoticeKind.QUARANTINE:
            return []
        directory, used = self._directory(), row.attempt
        here = Contact(row.channel, row.address)
        stem = _stem(row)
        found: dict[str, OutboxRow] = {}
        for who in distinct((*maintainers(directory, self._unit(), now), *fallback_room(directory, now))):
            if who.contacts[used : used + 1] != (here,) or len(who.contacts) <= used + 1:
                continue
            contact = who.contacts[used + 1]
            following = msgspec.structs.replace(
                row,
                notice=contact_id(stem, contact, used + 1),
                channel=contact.channel,
                address=contact.address,
                attempt=used + 1,
                created_at=now,
            )
            found.setdefault(following.notice, following)
        return list(found.values())

    def _words_to_maintainers(self, row: OutboxRow, receipt: Receipt, now: int) -> Iterable[OutboxRow]:
        """Not about words that were for themselves, nor about a channel of which they hear already."""
        if row.notice.startswith((_DEAD, BROKEN)) or receipt.result is SendResult.MISCONFIGURED:
            return
        for who in maintainers(self._directory(), self._unit(), now):
            for contact in who.contacts[:1]:
                yield OutboxRow(
                    notice=contact_id(f"{_DEAD}{row.notice}", contact, 0),
                    partition=row.partition,
                    incident="",
                    channel=contact.channel,
                    address=contact.address,
                    urgency=Urgency.NORMAL,
                    kind=NoticeKind.QUARANTINE,
                    created_at=now,
                    text=f"一条消息无法送达（{row.channel}：{receipt.detail[:80]}）：{shorten.within(row.text, 120)}",
                    subject="一条消息无法送达",
                )

    async def _write(self, dead: Iterable[tuple[OutboxRow, Receipt]], now: int) -> None:
        changes = [
            Change(
                partition=row.partition,
                now=now,
                takes=[Taken(f"d{US}{row.notice}", "", b"")],
                dead=[DeadLetter(row=row, at=now, result=receipt.result, why=receipt.detail)],
                entries=[
                    Entry(
                        at=now,
                        reason="dead_letter",
                        notice=row.notice,
                        detail={
                            "kind": row.kind,
                            "channel": row.channel,
                            "result": receipt.result,
                            "why": receipt.detail,
                        },
                    )
                ],
            )
            for row, receipt in dead
        ]
        for outcome in await self._ledger.commit(changes):
            if isinstance(outcome, Failed):
                raise RowNotTaken(str(outcome.error)) from outcome.error


def trial_end(receipt: Receipt) -> TrialEnd:
    """What a trial remembers of a send, or of a vendor's report."""
    return TrialEnd(
        notice=receipt.notice, result=receipt.result, at=receipt.at, detail=receipt.detail, tries=receipt.tries
    )


def again(row: OutboxRow, now: int) -> OutboxRow:
    """The row under a new id of its own, made of the old one: a person wants it sent again."""
    contact = Contact(row.channel, row.address)
    return msgspec.structs.replace(
        row, notice=contact_id(f"{row.notice}.again", contact, row.attempt), created_at=now, not_before=0
    )


def _stem(row: OutboxRow) -> str:
    """What the row's id says besides its contact."""
    stem = row.notice.removesuffix(f".{row.attempt}") if row.attempt else row.notice
    return stem.rpartition(".")[0]
