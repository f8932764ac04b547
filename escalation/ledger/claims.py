"""What every claim shares: a reply for each part of the store, and parts that do not answer."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from escalation.ledger.door import Call, Store
from escalation.ledger.keys import US, claim_token

Part = TypeVar("Part")
Place = TypeVar("Place", bound=Hashable)
_log = logging.getLogger("fenghuo.ledger")


class Asked(NamedTuple):
    """One claim of one part: its token, its lease's end (milliseconds), and an id that no other claim has, which begins
    with whoever claims."""

    token: str
    until: int
    id: str


class Asking(Generic[Place]):
    """Claims whose answers may be lost. The next claim of the same place then asks for the same once more: what the
    lost one took would else be in nobody's hand until its lease ends."""

    def __init__(self, owner: str = "") -> None:
        """``owner``: who claims, for those who come after it."""
        self._owner = owner
        self.unanswered: dict[Place, Asked] = {}

    def of(self, place: Place, *, now: int, lease: int) -> Asked:
        """The claim to make: a new one, or the one without an answer, while most of its lease is left."""
        before = self.unanswered.pop(place, None)
        if before is not None and before.until - now > lease // 2:
            return before
        return Asked(claim_token(now + lease), now + lease, f"{self._owner}{US}{secrets.token_hex(8)}")

    async def ask(self, store: Store, asked: Sequence[tuple[Place, Asked]], calls: list[Call]) -> list[Any]:
        """Run the calls, one for each place; their replies, in order. Raises the store's error."""
        lost = asked
        try:
            replies = await store.run_scripts(calls)
            lost = [one for one, reply in zip(asked, replies, strict=True) if isinstance(reply, Exception)]
        finally:
            self.lost(lost)
        return replies

    def lost(self, asked: Iterable[tuple[Place, Asked]]) -> None:
        """These had no answer."""
        self.unanswered.update(asked)


def answered(parts: Iterable[Part], replies: list[Any]) -> Iterator[tuple[Part, Any]]:
    """Each part with its reply, without the parts that failed: what was claimed must be worked on though another server
    is away; the others are claimed again later. Raises the first error when no part answered."""
    errors = [reply for reply in replies if isinstance(reply, Exception)]
    if errors:
        if len(errors) == len(replies):
            raise errors[0]
        _log.warning("%d of %d parts of the store did not answer: %s", len(errors), len(replies), errors[0])
    return ((part, reply) for part, reply in zip(parts, replies, strict=True) if not isinstance(reply, Exception))
