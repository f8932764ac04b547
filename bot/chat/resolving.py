"""From words to a reading: who says it, about which incidents, and what is to be said where nothing acts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from bot.buttons import Buttons
from bot.chat import explaining, finding, reporting, saying
from bot.chat.accidents import accident_words
from bot.chat.calls import Calls
from bot.chat.finding import Found
from bot.chat.folding import folded
from bot.chat.grammar import Understood, quoted_codes
from bot.chat.orders import lettered, orders_in
from bot.chat.rows import CardPress, Order, Reading, Row, Sender
from channels.channel import Press
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.ledger.commit import Ledger
from escalation.ledger.evidence import Pictures
from escalation.ledger.keys import read_code
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.states import Damaged
from escalation.vocabulary import Verb

TIE = 24 * 3_600_000
"""For how long a picture can be tied to an incident by naming its code (ms)."""
MOST_CODES = 20
"""How many codes one message may name."""
CLOSING = frozenset({Verb.CLEAR, Verb.FALSE_ALARM})
NOT_BESIDE_ACCIDENT = CLOSING | {Verb.APPROVE, Verb.UNDO}
"""What is not done by a message that speaks of an accident."""
_ONLY_OWED = frozenset({Verb.APPROVE, Verb.REFUSE, Verb.URGE})
"""What makes sense only where something waits for it."""


class Resolver:
    """Makes readings. Reads the store and writes nothing. ``emergency`` are the numbers to call, ``buttons`` those of
    cards, ``pictures`` what people sent that is not done with, ``calls`` knows the telephone calls."""

    def __init__(
        self,
        ledger: Ledger,
        mailboxes: Mailboxes,
        emergency: str,
        buttons: Callable[[], Buttons],
        pictures: Pictures,
        calls: Calls,
    ) -> None:
        self._buttons = buttons
        self._pictures = pictures
        self._calls = calls
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._emergency = emergency

    async def read(self, row: Row, directory: Directory, now: int) -> Reading:
        """What the message is taken for at this moment; the caller keeps it."""
        if row.pressed is not None:
            return await self._pressed(row, row.pressed)
        if row.press is not None:
            return await self._card(row, row.press, directory, now)
        if row.call is not None:
            return await self._calls.read(row, row.call, directory)
        if row.entered:
            return await self._entered(row, directory, now)
        sender = finding.sender_of(row, directory)
        orders = orders_in(row.text, row.at, finding.name_of(directory, sender))
        said = orders[0]
        if said.automatic and not said.emergency:
            return Reading(reason="reply_automatic")
        if row.unproven:
            # Accident words are heard from anybody; nothing else is done, and whose name it was hears of it.
            known = sender is not None and not said.emergency
            answer = saying.unproven(row.at) if known else ""
            return Reading(reason="reply_unproven", accident=said.emergency, answer=answer)
        if sender is None:
            answer = "" if said.emergency else saying.stranger(directory)
            return Reading(reason="reply_unknown_sender", accident=said.emergency, answer=answer)
        if row.media:
            return await self._picture(row, sender, directory)
        if row.other:
            answer = saying.not_text(row.other)
            return Reading(
                reason="reply_not_text", answer=answer, person=sender.person, unit=sender.unit, role=sender.role
            )
        reading = Reading(
            reason="reply_taken",
            accident=said.emergency,
            person=sender.person,
            unit=sender.unit,
            role=sender.role,
        )
        return await self._ordered(reading, sender, await self._about(orders, row), directory, row, now)

    async def _about(self, orders: Sequence[Understood], row: Row) -> Sequence[Understood]:
        """What names no code means what the message answers, where its channel tells that. Digits behind a number may
        be the carrier's own: of what is no incident's code nothing is said."""
        code = read_code(row.about) if row.about else None
        if code is None or any(order.codes for order in orders) or (await self._ledger.find_many([code]))[0] is None:
            return orders
        return [
            dataclasses.replace(order, codes=(code,)) if order.verb not in (None, Verb.TODO, Verb.HELP) else order
            for order in orders
        ]

    async def _ordered(
        self,
        reading: Reading,
        sender: Sender,
        orders: Sequence[Understood],
        directory: Directory,
        row: Row,
        now: int,
    ) -> Reading:
        """What somebody known wants done."""
        said = orders[0]
        verb = said.verb
        if verb is None:
            return await self._without_verb(reading, orders, directory, row, now)
        if said.slip:
            return replace(reading, reason="reply_asked_word", answer=saying.meant(verb, said.slip, said.codes))
        if verb.later:
            return replace(reading, reason="reply_not_yet", answer=saying.not_yet(verb))
        if verb is Verb.HELP:
            officer = finding.is_officer(directory, sender)
            return replace(reading, reason="reply_help", answer=saying.help_text(self._emergency, officer=officer))
        if said.codes:
            orders = await self._lettered(orders, sender, directory, row)
            return await self._with_codes(reading, verb, orders, directory, row, now)
        if verb is Verb.UNDO:
            return await self._undo(reading, orders, directory, row)
        meant = await self._quoted(sender, directory, row) if verb is not Verb.TODO else []
        if len(meant) == 1:
            pointed = [dataclasses.replace(order, codes=(meant[0].code,)) for order in orders]
            return await self._with_codes(reading, verb, pointed, directory, row, now)
        found = await finding.open_for(self._ledger, self._mailboxes, directory, sender, row)
        if verb.asks:
            told = _told(directory, found, sender, verb, now)
            return replace(reading, reason="reply_query", answer=_lines(told, *_unreadable(found)))
        chosen = _chosen(directory, found, sender, verb)
        quoted = {incident.code for incident in meant}
        chosen = [incident for incident in chosen if incident.code in quoted] or chosen
        if len(chosen) == 1 and found.complete and not found.damaged:
            return _acting(reading, orders, chosen, directory)
        asked = (saying.damaged_meant(code, verb) for code in found.damaged)
        if chosen:
            asking = saying.which(directory, chosen, verb, complete=found.complete)
            return replace(reading, reason="reply_asked_which", answer=_lines(asking, *asked))
        if found.damaged:
            return replace(reading, reason="reply_asked_which", answer=_lines(*asked))
        none = saying.none_open(verb, any_open=bool(found.incidents))
        return replace(reading, reason="reply_none_open", answer=none)

    async def _lettered(
        self, orders: Sequence[Understood], sender: Sender, directory: Directory, row: Row
    ) -> Sequence[Understood]:
        """签收0231 means the only open one of that number, where it is certain that there is no other."""
        if not any(order.verb is Verb.SIGN and code.isdecimal() for order in orders for code in order.codes):
            return orders
        found = await finding.open_for(self._ledger, self._mailboxes, directory, sender, row)
        if found.damaged or not found.complete:
            return orders
        return lettered(orders, [incident.code for incident in found.incidents])

    async def _without_verb(
        self, reading: Reading, orders: Sequence[Understood], directory: Directory, row: Row, now: int
    ) -> Reading:
        said = orders[0]
        if said.emergency:
            return replace(reading, reason="reply_accident")
        if len(said.codes) == 1 and not said.rest and (waiting := await self._waiting(row)):
            # The answer to being asked which incident a picture is of.
            return replace(reading, reason="reply_evidence", pictures=waiting, about=said.codes[0])
        if said.codes:
            shown = await self._with_codes(reading, Verb.QUERY, orders, directory, row, now)
            return _with_hint(shown, said) if said.rest else shown
        return replace(reading, reason="reply_not_understood", answer=saying.not_understood(said.cause))

    async def _quoted(self, sender: Sender, directory: Directory, row: Row) -> list[Incident]:
        """The sender's own incidents that stand in the original they answer: whoever quotes one message of several
        means that one. What else is quoted says nothing, a closed one of theirs is meant nevertheless."""
        codes = [code for code in quoted_codes(row.text) if read_code(code) == code][:MOST_CODES]
        loaded = await self._ledger.find_many(codes) if codes else []
        known = [incident for incident in loaded if isinstance(incident, Incident)]
        return [incident for incident in known if finding.may_answer(directory, incident, sender)]

    async def _undo(self, reading: Reading, orders: Sequence[Understood], directory: Directory, row: Row) -> Reading:
        """撤回 without a code: whatever the sender did last, wherever that was."""
        last = await finding.last_acted(self._ledger, self._mailboxes, directory, reading.sender, row)
        if not last:
            return replace(reading, reason="reply_none_open", answer=saying.nothing_done())
        return _acting(reading, orders, last, directory)

    async def _pressed(self, row: Row, order: Order) -> Reading:
        """A button says what is meant; accident words in what was written beside it are reported all the same, unless
        they are about a report of that very accident."""
        pressed = await self._ledger.get_many(list(order.codes))
        reports = all(each is not None and reporting.is_report(each.source, each.point) for each in pressed)
        return Reading(
            reason="reply_pressed",
            orders=(order,),
            accident=() if reports else tuple(accident_words(folded(row.text))),
            person=row.person,
            unit=row.unit,
            role=row.role,
        )

    async def _card(self, row: Row, press: CardPress, directory: Directory, now: int) -> Reading:
        """A button of a card: what it means is in it, once it is found to be this sender's own; what they may do is
        decided as for every answer."""
        sender = finding.sender_of(row, directory)
        if sender is None:
            return Reading(reason="reply_unknown_sender", answer=saying.stranger(directory))
        known = Reading(reason="reply_button", person=sender.person, unit=sender.unit, role=sender.role)
        meant = self._buttons().read(row.channel, row.sender, Press(press.card, press.code))
        if meant is None:
            return replace(known, reason="reply_forged_button", answer=saying.not_your_button())
        order = Order(verb=meant.verb, codes=(meant.code,), card=meant.notice, card_at=meant.at, handle=press.handle)
        if meant.verb.acts:
            return replace(known, orders=(order,))
        (incident,) = await self._ledger.get_many([meant.code])
        answer = _state(directory, incident, sender, meant.verb, now) if incident else ""
        return replace(known, orders=(order,), answer=answer)

    async def _picture(self, row: Row, sender: Sender, directory: Directory) -> Reading:
        """A picture: for the one incident that the sender has open, else they are asked for which, and it is kept."""
        reading = Reading(
            reason="reply_evidence",
            pictures=(row.digest,),
            person=sender.person,
            unit=sender.unit,
            role=sender.role,
        )
        found = await finding.open_for(self._ledger, self._mailboxes, directory, sender, row)
        if len(found.incidents) == 1 and found.complete:
            return replace(reading, about=found.incidents[0].code)
        asking = saying.picture_of_which(directory, found.incidents, complete=found.complete)
        return replace(reading, reason="reply_evidence_asked", answer=asking)

    async def _waiting(self, row: Row) -> tuple[str, ...]:
        """The sender's pictures of which nobody has said what they are of, sent not long before."""
        found = await self._pictures.of(row.channel, row.sender) if row.sender else []
        return tuple(each.sent.id for each in found if not each.code and 0 <= row.at - each.sent.at <= TIE)

    async def _entered(self, row: Row, directory: Directory, now: int) -> Reading:
        """Somebody only came in: what they still have to sign for is shown; without any, nothing is said."""
        sender = finding.sender_of(row, directory)
        if sender is None:
            return Reading(reason="reply_entered")
        known = Reading(reason="reply_entered", person=sender.person, unit=sender.unit, role=sender.role)
        found = await finding.open_for(self._ledger, self._mailboxes, directory, sender, row)
        owed = finding.fitting(directory, found.incidents, sender, Verb.SIGN)
        if not owed:
            return known
        return replace(known, answer=explaining.todo(directory, owed, sender, now, complete=found.complete))

    async def _with_codes(
        self,
        reading: Reading,
        verb: Verb,
        orders: Sequence[Understood],
        directory: Directory,
        row: Row,
        now: int,
    ) -> Reading:
        """Exactly the incidents that are named; a wrong code is said to be wrong, and the sender's own are listed."""
        named = list(dict.fromkeys(code for order in orders for code in order.codes))[:MOST_CODES]
        asked = [code for code in named if read_code(code) == code]
        loaded = dict(zip(asked, await self._ledger.find_many(asked), strict=True))
        known = [incident for incident in loaded.values() if isinstance(incident, Incident)]
        damaged = tuple(code for code, incident in loaded.items() if isinstance(incident, Damaged))
        unknown = tuple(code for code in named if loaded.get(code) is None)
        trailer = ""
        if unknown:
            found = await finding.open_for(self._ledger, self._mailboxes, directory, reading.sender, row)
            own = saying.own_open(directory, found.incidents, complete=found.complete)
            own = _lines("" if found.damaged and not found.incidents else own, *_unreadable(found))
            trailer = f"{saying.no_such_code(unknown)}{own}"
        if not verb.acts:
            said_of = [_state(directory, incident, reading.sender, verb, now) for incident in known]
            answer = "\n".join([*said_of, *(saying.damaged(code) for code in damaged)])
            return replace(reading, reason="reply_query", answer=answer, trailer=trailer)
        if not known and not damaged:
            return replace(reading, reason="reply_no_such_code", answer=trailer)
        # Whoever decides about damaged ones keeps the answer, since it cannot take effect.
        acting = _acting(reading, orders, known, directory, damaged)
        return replace(acting, trailer="\n".join(part for part in (trailer, acting.trailer) if part))


def _with_hint(shown: Reading, said: Understood) -> Reading:
    """Words about an incident that are no command: its state is told, and that nothing was recorded."""
    hint = saying.not_understood(said.cause)
    return replace(
        shown, reason="reply_not_understood", answer="\n".join(part for part in (hint, shown.answer) if part)
    )


def _acting(
    reading: Reading,
    orders: Sequence[Understood],
    chosen: list[Incident],
    directory: Directory,
    damaged: tuple[str, ...] = (),
) -> Reading:
    """The reading that acts on the chosen: each order on those it names, or on all where none is named. Accident words
    close nothing; but whoever answers for an accident report may speak of the accident without reporting it anew."""
    codes = (*(incident.code for incident in chosen), *damaged)
    own_report = bool(chosen) and all(
        reporting.is_report(incident.source, incident.point) and finding.may_answer(directory, incident, reading.sender)
        for incident in chosen
    )
    accident = () if own_report else reading.accident
    taken = [_order(said, codes) for said in orders]
    refused = [order.verb for order in taken if accident and order.verb in NOT_BESIDE_ACCIDENT]
    kept = tuple(order for order in taken if order.codes and order.verb not in refused)
    trailer = "".join(saying.not_with_accident(verb) for verb in dict.fromkeys(refused))
    if not kept:
        return replace(reading, reason="reply_accident", answer=trailer)
    trailer += saying.also(orders[0].more, codes)
    return replace(reading, orders=kept, accident=accident, trailer=trailer)


def _order(said: Understood, codes: tuple[str, ...]) -> Order:
    if said.verb is None:
        raise ValueError("an order without a verb does nothing")
    return Order(
        verb=said.verb,
        codes=tuple(code for code in said.codes if code in codes) if said.codes else codes,
        text=said.rest[:500],
        cause=said.cause,
        to=said.details.to,
        minutes=said.details.minutes,
        until=said.details.until,
        clock=said.details.clock,
        of=said.details.of,
    )


def _chosen(directory: Directory, found: Found, sender: Sender, verb: Verb) -> list[Incident]:
    """What a message without a code may mean: what still owes this, else whatever is open."""
    if verb in CLOSING:
        return found.incidents
    owed = finding.fitting(directory, found.incidents, sender, verb)
    if owed or verb in _ONLY_OWED or (verb is Verb.SIGN and len(found.incidents) > 1):
        return owed
    return found.incidents


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _unreadable(found: Found) -> Iterator[str]:
    return (saying.damaged(code) for code in found.damaged)


def _told(directory: Directory, found: Found, sender: Sender, verb: Verb, now: int) -> str:
    if not found.incidents and found.damaged:
        return ""
    if verb is Verb.TODO:
        return explaining.todo(directory, found.incidents, sender, now, complete=found.complete)
    if not found.incidents:
        return saying.none_open(Verb.QUERY, any_open=False)
    if verb is Verb.WHY and (len(found.incidents) > 1 or not found.complete):
        return saying.why_which(directory, found.incidents, complete=found.complete)
    if len(found.incidents) == 1 and found.complete:
        return _state(directory, found.incidents[0], sender, verb, now)
    return saying.overview(directory, found.incidents, complete=found.complete)


def _state(directory: Directory, incident: Incident, sender: Sender, verb: Verb, now: int) -> str:
    if not finding.may_answer(directory, incident, sender):
        return saying.not_yours(incident.code)
    if verb is Verb.WHY:
        return explaining.why(directory, incident, sender)
    owed = finding.feedback_owed(directory, incident, sender)
    return saying.state(directory, incident, now) + saying.to_paste(directory, incident, owed)
