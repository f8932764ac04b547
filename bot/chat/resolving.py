"""From words to a reading: who says it, about which incidents, and what is to be said where nothing acts."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat import finding, reporting, saying
from bot.chat.finding import Found
from bot.chat.grammar import Understood, understand
from bot.chat.rows import Reading, Row, Sender
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import read_code
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.states import Damaged
from escalation.vocabulary import Verb

MOST_CODES = 20
"""How many codes one message may name."""
CLOSING = frozenset({Verb.CLEAR, Verb.FALSE_ALARM})
ONLY_SAYS = frozenset({Verb.QUERY, Verb.HELP})


class Resolver:
    """Makes readings. Reads the store and writes nothing. ``emergency`` are the numbers to call."""

    def __init__(self, ledger: Ledger, mailboxes: Mailboxes, emergency: str) -> None:
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._emergency = emergency

    async def read(self, row: Row, directory: Directory, now: int) -> Reading:
        """What the message is taken for at this moment; the caller keeps it."""
        said = understand(row.text)
        sender = finding.sender_of(row, directory)
        if said.automatic and not said.emergency:
            return Reading(reason="reply_automatic")
        if sender is None:
            answer = "" if said.emergency else saying.stranger(directory)
            return Reading(reason="reply_unknown_sender", accident=said.emergency, answer=answer)
        reading = Reading(
            reason="reply_taken",
            accident=said.emergency,
            person=sender.person,
            unit=sender.unit,
            role=sender.role,
            text=said.rest[:500],
            cause=said.cause,
        )
        verb = said.verb
        if verb is None and said.emergency:
            return replace(reading, reason="reply_accident")
        if verb is None and said.codes:
            shown = await self._with_codes(reading, Verb.QUERY, said, directory, row, now)
            return _with_hint(shown, said) if said.rest else shown
        if verb is None:
            return replace(reading, reason="reply_not_understood", answer=saying.not_understood(said.cause))
        if verb is Verb.HELP:
            return replace(reading, reason="reply_help", answer=saying.help_text(self._emergency))
        if said.codes:
            return await self._with_codes(reading, verb, said, directory, row, now)
        found = await finding.open_for(self._ledger, self._mailboxes, directory, sender, row)
        if verb is Verb.QUERY:
            return replace(reading, reason="reply_query", answer=_overview(directory, found, now))
        chosen = _chosen(directory, found, sender, verb)
        if len(chosen) == 1 and found.complete:
            return _acting(reading, verb, said, chosen, directory)
        if chosen:
            asking = saying.which(directory, chosen, verb, complete=found.complete)
            return replace(reading, reason="reply_asked_which", answer=asking)
        none = saying.none_open(verb, any_open=bool(found.incidents))
        return replace(reading, reason="reply_none_open", answer=none)

    async def _with_codes(
        self, reading: Reading, verb: Verb, said: Understood, directory: Directory, row: Row, now: int
    ) -> Reading:
        """Exactly the incidents that are named; a wrong code is said to be wrong, and the sender's own are listed."""
        named = said.codes[:MOST_CODES]
        asked = [code for code in named if read_code(code) == code]
        loaded = dict(zip(asked, await self._ledger.find_many(asked), strict=True))
        known = [incident for incident in loaded.values() if isinstance(incident, Incident)]
        damaged = tuple(code for code, incident in loaded.items() if isinstance(incident, Damaged))
        unknown = tuple(code for code in named if loaded.get(code) is None)
        trailer = ""
        if unknown:
            found = await finding.open_for(self._ledger, self._mailboxes, directory, reading.sender, row)
            own = saying.own_open(directory, found.incidents, complete=found.complete)
            trailer = f"{saying.no_such_code(unknown)}{own}"
        if verb is Verb.QUERY:
            said_of = [_state(directory, incident, reading.sender, now) for incident in known]
            answer = "\n".join([*said_of, *(saying.damaged(code) for code in damaged)])
            return replace(reading, reason="reply_query", answer=answer, trailer=trailer)
        if not known and not damaged:
            return replace(reading, reason="reply_no_such_code", answer=trailer)
        acting = _acting(reading, verb, said, known, directory)
        if damaged and acting.verb is not None:
            # Whoever decides about them keeps the answer, since it cannot take effect.
            acting = replace(acting, codes=(*acting.codes, *damaged))
        return replace(acting, trailer="\n".join(part for part in (trailer, acting.trailer) if part))


def _with_hint(shown: Reading, said: Understood) -> Reading:
    """Words about an incident that are no command: its state is told, and that nothing was recorded."""
    hint = saying.not_understood(said.cause)
    return replace(
        shown, reason="reply_not_understood", answer="\n".join(part for part in (hint, shown.answer) if part)
    )


def _acting(reading: Reading, verb: Verb, said: Understood, chosen: list[Incident], directory: Directory) -> Reading:
    """The reading that acts on the chosen. Accident words close nothing; but whoever answers for an accident report may
    speak of the accident without reporting it anew."""
    codes = tuple(incident.code for incident in chosen)
    own_report = all(
        reporting.is_report(incident.source, incident.point) and finding.may_answer(directory, incident, reading.sender)
        for incident in chosen
    )
    accident = () if own_report else reading.accident
    if accident and verb in CLOSING:
        return replace(reading, reason="reply_accident", answer=saying.not_with_accident(verb))
    return replace(reading, verb=verb, codes=codes, accident=accident, trailer=saying.also(said.more, codes))


def _chosen(directory: Directory, found: Found, sender: Sender, verb: Verb) -> list[Incident]:
    """What a message without a code may mean: what still owes this, else whatever is open."""
    if verb in CLOSING:
        return found.incidents
    owed = finding.fitting(directory, found.incidents, sender, verb)
    if owed or (verb is Verb.SIGN and len(found.incidents) > 1):
        return owed
    return found.incidents


def _overview(directory: Directory, found: Found, now: int) -> str:
    if not found.incidents:
        return saying.none_open(Verb.QUERY, any_open=False)
    if len(found.incidents) == 1 and found.complete:
        return saying.state(directory, found.incidents[0], now)
    return saying.overview(directory, found.incidents, complete=found.complete)


def _state(directory: Directory, incident: Incident, sender: Sender, now: int) -> str:
    if not finding.may_answer(directory, incident, sender):
        return saying.not_yours(incident.code)
    return saying.state(directory, incident, now)
