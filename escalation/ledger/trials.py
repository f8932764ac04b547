"""Trials: messages that test a channel, and what came of each send, whichever process made it.

A trial's notices belong to no incident. Their ids begin with :data:`TRIAL`, so that whoever records a send knows where
its end is to be written: here, and not among dead letters.
"""

from __future__ import annotations

import msgspec

from escalation.ledger.door import Store
from escalation.ledger.keys import TRIALS, US

TRIAL = "trial."
"""How the ids of trials and of their notices begin; a notice's id is its trial's, a dot and more."""
KEPT = 7 * 86_400_000
"""How long trials are remembered, in milliseconds."""


class TrialNotice(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a trial: by which channel, to whom. ``address`` is shortened: it is only shown."""

    notice: str
    channel: str
    name: str
    address: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A test that somebody (``by``) asked for ``at`` a time (ms). ``judged`` is when it was told that some of it came
    to nothing, or that all is well (0: not yet); only a daily test is judged."""

    id: str
    at: int
    by: str
    notices: list[TrialNotice]
    judged: int = 0


class TrialEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a send of a trial's notice came to, or what its vendor told later (ms)."""

    notice: str
    result: str
    at: int
    detail: str
    tries: int


class Story(msgspec.Struct, frozen=True):
    """A trial and all that came of it, oldest first."""

    trial: Trial
    ends: list[TrialEnd]


class Trials:
    """The trials on one store. Every method raises the store's error."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, trial: Trial, *, now: int) -> None:
        """Remember a trial before its notices leave, and forget the old ones."""
        for known in await self._all():
            if known.trial.at < now - KEPT:
                await self._forget(known)
        await self._store.execute("HSET", TRIALS, trial.id, msgspec.json.encode(trial))

    async def judge(self, trial: Trial, now: int) -> None:
        """It was told what came of this trial."""
        judged = msgspec.structs.replace(trial, judged=now)
        await self._store.execute("HSET", TRIALS, trial.id, msgspec.json.encode(judged))

    async def hear(self, ends: list[TrialEnd]) -> None:
        """Remember what sends came to; the same end once."""
        for end in ends:
            field = US.join((end.notice, end.result, str(end.tries), str(end.at)))
            await self._store.execute("HSET", TRIALS, field, msgspec.json.encode(end))

    async def find(self, identity: str) -> Story | None:
        """A trial by its id; None where there is none (any more)."""
        return next((story for story in await self._all() if story.trial.id == identity), None)

    async def _all(self) -> list[Story]:
        flat = await self._store.execute("HGETALL", TRIALS)
        trials: dict[str, Trial] = {}
        ends: list[TrialEnd] = []
        for at in range(0, len(flat), 2):
            if US.encode() in flat[at]:
                ends.append(_read_end(flat[at + 1]))
            else:
                trials[flat[at].decode()] = _read_trial(flat[at + 1])
        ends.sort(key=lambda end: (end.at, end.tries))
        return [
            Story(trial, [end for end in ends if end.notice.startswith(f"{trial.id}.")]) for trial in trials.values()
        ]

    async def _forget(self, story: Story) -> None:
        fields = [US.join((end.notice, end.result, str(end.tries), str(end.at))) for end in story.ends]
        await self._store.execute("HDEL", TRIALS, story.trial.id, *fields)


_read_trial = msgspec.json.Decoder(Trial).decode
_read_end = msgspec.json.Decoder(TrialEnd).decode
