"""Ends of telephone calls: which call it was, what the key that was pressed in it means, and what is recorded of it.

A key is an answer by whoever was called, for the notice that the call spoke: for their own unit and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from bot.chat import saying
from bot.chat.rows import Called, Order, Reading, Row, Sender
from channels.channel import Report
from channels.sms.text import plain_number
from channels.voice.reference import names, trial_of
from escalation.directory import ContactEntry, Directory
from escalation.incident import Incident
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import read_code
from escalation.ledger.trials import Trials
from escalation.ledger.vendor_ids import VendorIds
from escalation.notice import Contact, Notice
from escalation.replies import answers_as
from escalation.vocabulary import Verb

Record = Callable[[Sequence[Report], int], Awaitable[int]]
"""Records what vendors tell of sends (:meth:`bot.workers.reports.Reports.take`)."""


class Found(NamedTuple):
    """The call that a report is about: the notice's id, and the notice with its incident's code, where it is no
    test."""

    letter: str
    code: str = ""
    notice: Notice | None = None


class Calls:
    """Finds calls, and records their ends. Every method raises the store's error."""

    def __init__(self, ledger: Ledger, vendor_ids: VendorIds, trials: Trials, report: Record) -> None:
        self._ledger = ledger
        self._vendor_ids = vendor_ids
        self._trials = trials
        self._report = report

    async def read(self, row: Row, call: Called, directory: Directory) -> Reading:
        """What the end of a call is taken for. Only the key that signs does anything."""
        if not call.signs:
            return Reading(reason="call_ended")
        found = await self.find(row, call)
        if found is None:
            # Whoever pressed it believes to have signed.
            sender = answers_as(directory, row.channel, row.sender, row.at)
            known = Sender(*sender) if sender else Sender()
            return Reading(
                reason="reply_key_unknown",
                person=known.person,
                unit=known.unit,
                role=known.role,
                answer=saying.key_unknown() if sender else "",
            )
        if found.notice is None:
            return Reading(reason="reply_key_of_a_test")
        notice = found.notice
        sender = _pressed_by(notice, directory, row.at)
        order = Order(
            verb=Verb.SIGN,
            codes=(found.code,),
            text=f"电话按键{call.key}",
            only_unit=notice.to.unit,
            card=notice.id,
            card_at=notice.created_at,
        )
        return Reading(reason="reply_key", orders=(order,), person=sender.person, unit=sender.unit, role=sender.role)

    async def ended(self, row: Row, call: Called, now: int) -> None:
        """Record what became of the call; safe to do again."""
        found = await self.find(row, call)
        report = Report(
            channel=row.channel,
            letter_id=found.letter if found is not None else "",
            vendor_id=call.vendor_id,
            kind=call.kind,
            at=row.at,
            detail=call.detail,
        )
        await self._report([report], now)

    async def find(self, row: Row, call: Called) -> Found | None:
        """The call, by our own name of it and the number called, else by the vendor's id; None where there is none."""
        trial = trial_of(call.reference)
        if trial:
            story = await self._trials.find(trial)
            tests = [each for each in story.trial.notices if each.channel == row.channel] if story is not None else []
            return Found(tests[0].notice) if tests else None
        code = read_code(call.reference.partition(".")[0])
        if code is not None:
            for notice in await self._notices(code):
                if names(call.reference, notice.id) and _is_to(notice, row):
                    return Found(notice.id, code, notice)
        for known, letter in await self._vendor_ids.notices_of(row.channel, call.vendor_id):
            if not known:
                return Found(letter)
            for notice in await self._notices(known):
                if notice.id == letter and _is_to(notice, row):
                    return Found(letter, known, notice)
        return None

    async def _notices(self, code: str) -> list[Notice]:
        (incident,) = await self._ledger.find_many([code])
        return list(incident.notices.values()) if isinstance(incident, Incident) else []


def written_to(directory: Directory, sender: Sender) -> Contact | None:
    """Where somebody who pressed a key reads what came of it: their first address that is no telephone call."""
    entries: tuple[ContactEntry, ...] = ()
    if sender.person:
        person = directory.people.get(sender.person)
        entries = person.contacts if person else ()
    elif sender.role is not None:
        entries = tuple(each for post in directory.posts_at(sender.unit, sender.role) for each in post.contacts)
    addresses = (
        Contact(each.channel, each.address.strip()) for each in entries if each.channel not in directory.spoken
    )
    return next((each for each in addresses if each.address), None)


def _is_to(notice: Notice, row: Row) -> bool:
    try:
        return notice.contact.channel == row.channel and _digits(notice.contact.address) == _digits(row.sender)
    except ValueError:
        return False


def _digits(number: str) -> str:
    return plain_number(number).removeprefix("+86").removeprefix("+")


def _pressed_by(notice: Notice, directory: Directory, at: int) -> Sender:
    """Whoever was called; of several who share the telephone, or of a duty room, whoever answers from it now."""
    if notice.to.person and not notice.also:
        return Sender(notice.to.person)
    found = answers_as(directory, notice.contact.channel, notice.contact.address, at)
    return Sender(*found) if found else Sender(notice.to.person, notice.to.unit, notice.to.role)
