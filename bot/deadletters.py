"""Dead letters: notices that ended undeliverable, and what a person decides about each: send it again, or let it go."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bot.addresses import shown_address
from bot.rehearsal.told import KIND_WORDS
from bot.unreadable import line_of_unreadable
from bot.workers.committing import LostRaces
from bot.workers.strays import again
from channels.masking import mask_phones
from escalation.calendar import local
from escalation.decide import decide
from escalation.inputs import Context, Decision, Entry, Replay
from escalation.ledger.change import AlreadyTaken, Change, Committed, Failed, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import US
from escalation.ledger.states import Damaged
from escalation.notice import DeadLetter

MOST_LISTED = 500
_TRIES = 12
_OVER = {
    "closed_meanwhile": "警情已关闭",
    "duty_closed_meanwhile": "这项责任已解除",
    "clock_met_meanwhile": "要求的事已经办了",
    "signed_meanwhile": "已有人签收",
}


class DeadLine(msgspec.Struct, kw_only=True):
    """One dead letter as it is shown: the address is shortened, ``why`` is what the vendor said."""

    notice: str
    incident: str
    kind: str
    kind_word: str
    urgency: str
    channel: str
    address: str
    names: list[str]
    at: str
    result: str
    why: str
    text: str


class DeadList(msgspec.Struct, kw_only=True):
    """The oldest dead letters, and how many there are in all."""

    total: int
    letters: list[DeadLine]


class DeadDone(msgspec.Struct, kw_only=True):
    """What was done with one dead letter. ``sent`` are the ids of the notices that were made of it."""

    notice: str
    done: str
    by: str
    why: str
    sent: list[str]


class DeadSwept(msgspec.Struct, kw_only=True):
    """What was done with all dead letters of a channel: the ids of those sent again, and of those that nobody needs
    any more, which are left for :meth:`DeadLetters.drop`."""

    channel: str
    by: str
    why: str
    replayed: list[str]
    over: list[str]


class NotDone(Exception):
    """Nothing was changed; says why, in Chinese and English."""


class DeadLetters:
    """The dead letters of one ledger. What is written here leaves by outbox and mailbox like every other notice."""

    def __init__(self, ledger: Ledger, context: Callable[[int], Context]) -> None:
        self._ledger = ledger
        self._context = context

    async def list(self) -> DeadList:
        letters = await self._ledger.dead_letters()
        return DeadList(total=len(letters), letters=[_line(letter) for letter in letters[:MOST_LISTED]])

    async def show(self, notice: str) -> DeadLine | None:
        """The letter of this notice id; None where there is none."""
        found = await self._find(notice)
        return None if found is None else _line(found)

    async def replay(self, notice: str, *, by: str, why: str, now: int) -> DeadDone | None:
        """Send it again: to the same people by the contacts they have now, or the same words to the same address where
        it belonged to no incident. None where there is no such letter. Raises NotDone where nobody needs it any more,
        LostRaces, the store's error."""
        letter = await self._find(notice)
        if letter is None:
            return None
        for _ in range(_TRIES):
            change = await self._again(letter, by, why, now)
            if await self._commit(change):
                return DeadDone(
                    notice=notice, done="replayed", by=by, why=why, sent=[row.notice for row in change.outbox]
                )
        raise LostRaces(f"{letter.row.incident} kept changing while a dead letter of it was sent again")

    async def replay_all(self, channel: str, *, by: str, why: str, now: int) -> DeadSwept:
        """Send all of a channel again, the oldest first, after it was down for longer than the hub tries. Raises
        LostRaces, the store's error; what was sent again until then stays so."""
        swept = DeadSwept(channel=channel, by=by, why=why, replayed=[], over=[])
        for letter in await self._ledger.dead_letters():
            if letter.row.channel != channel:
                continue
            try:
                done = await self.replay(letter.notice, by=by, why=why, now=now)
            except NotDone:
                swept.over.append(letter.notice)
            else:
                swept.replayed += [letter.notice] if done is not None else []
        return swept

    async def drop(self, notice: str, *, by: str, why: str, now: int) -> DeadDone | None:
        """Let it go; the journal keeps who did and why. None where there is no such letter. Raises NotDone, the store's
        error."""
        letter = await self._find(notice)
        if letter is None:
            return None
        await self._commit(
            _change(letter, "dead_dropped", by, why, now, [_entry(letter, "dead_dropped", by, why, now)])
        )
        return DeadDone(notice=notice, done="dropped", by=by, why=why, sent=[])

    async def _find(self, notice: str) -> DeadLetter | None:
        return next((letter for letter in await self._ledger.dead_letters() if letter.notice == notice), None)

    async def _again(self, letter: DeadLetter, by: str, why: str, now: int) -> Change:
        if letter.told is None:
            row = again(letter.row, now)
            entry = _entry(letter, "dead_replayed", by, why, now)
            return msgspec.structs.replace(_change(letter, "dead_replayed", by, why, now, [entry]), outbox=[row])
        (incident,) = await self._ledger.find_many([letter.row.incident])
        if isinstance(incident, Damaged):
            line = line_of_unreadable(incident)
            raise NotDone(f"{line.todo} / {line.todo_en}")
        if incident is None:
            raise NotDone(f"没有警情 {letter.row.incident} / there is no incident {letter.row.incident}")
        version = incident.version
        decision = decide(incident, Replay(letter=letter, by=by, why=why), self._context(now))
        if decision.answer:
            word = _OVER.get(decision.answer, decision.answer)
            raise NotDone(
                f"{letter.row.incident} {word}，不必再发；可用 drop 了结。 / "
                f"nobody needs it any more ({decision.answer}); drop it."
            )
        return _with(_change(letter, "dead_replayed", by, why, now, decision.entries), decision, version)

    async def _commit(self, change: Change) -> bool:
        """Whether it is on disk; False where the incident changed meanwhile. Raises NotDone where somebody else was
        quicker, the store's error."""
        (outcome,) = await self._ledger.commit([change])
        if isinstance(outcome, Failed):
            raise outcome.error
        if isinstance(outcome, AlreadyTaken):
            before = outcome.recorded[0]
            # Our own commit, whose answer was lost, is no news.
            if before is None or before.result != change.takes[0].result:
                raise NotDone("这封死信刚刚已被处理。 / Somebody else has just dealt with it.")
            return True
        return isinstance(outcome, Committed)


def _change(letter: DeadLetter, done: str, by: str, why: str, now: int, entries: list[Entry]) -> Change:
    """One letter ends once: replay and drop take the same input."""
    result = msgspec.json.encode([done, by, why, now])
    return Change(
        partition=letter.row.partition,
        now=now,
        takes=[Taken(f"x{US}{letter.notice}", "", result)],
        entries=entries,
        buried=[letter.notice],
    )


def _with(change: Change, decision: Decision, version: int) -> Change:
    incident = decision.incident
    return msgspec.structs.replace(
        change,
        incident=incident,
        expected_version=version,
        correlation=incident.correlation if incident is not None else "",
        outbox=decision.outbox,
    )


def _entry(letter: DeadLetter, reason: str, by: str, why: str, now: int) -> Entry:
    return Entry(
        at=now,
        reason=reason,
        incident=letter.row.incident,
        actor=by,
        notice=letter.notice,
        detail={"why": why, "channel": letter.row.channel},
    )


def _line(letter: DeadLetter) -> DeadLine:
    row, told = letter.row, letter.told
    return DeadLine(
        notice=letter.notice,
        incident=row.incident,
        kind=row.kind.value,
        kind_word=KIND_WORDS.get(row.kind.value, row.kind.value),
        urgency=row.urgency.value,
        channel=row.channel,
        address=shown_address(row.address),
        names=[who.name for who in told.everybody] if told is not None else [],
        at=local(letter.at).isoformat(timespec="seconds"),
        result=letter.result,
        why=mask_phones(letter.why),
        text=mask_phones(row.text),
    )
