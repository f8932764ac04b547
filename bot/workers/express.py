"""The express: what a new incident has to say goes on with the commit that makes it.

Where one server holds the whole store, the round trip and the wait for the disk that commit a new incident also move
its rows from the outbox into their mailboxes, let go of what was recorded there, and claim what may leave. The scripts
are those of the slower way, with its leases and marks: whatever is cut off in between is found by fan-out and courier.
While the store is at work the letters are written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.workers.courier import Courier
from bot.workers.letters import Parcel
from bot.workers.slots import Share
from escalation.incident import Incident
from escalation.ledger.change import OutboxItem
from escalation.ledger.commit import Opening
from escalation.ledger.door import Call
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import PlannedTurn, Settlement, Turn, mailbox_of

log = logging.getLogger(__name__)

MOST = 16
"""How many rows at most go along with one commit: the store does nothing else meanwhile, and in a flood most of them
would wait for a digest all the same."""


class Express:
    """What goes along with one commit (:class:`bot.workers.committing.Companion`)."""

    def __init__(self, mailboxes: Mailboxes, courier: Courier, stir: Callable[[], None], now: int) -> None:
        """``stir`` wakes whoever takes the courier's turns."""
        self._mailboxes = mailboxes
        self._courier = courier
        self._stir = stir
        self._now = now
        self._rows: list[OutboxItem] = []
        self._shares: list[Share] = []
        self._settled: list[Settlement] = []
        self._written: dict[str, Parcel] = {}
        self._planned: PlannedTurn | None = None
        self._turn: Turn | None = None

    def calls(self, opening: Sequence[Opening]) -> Sequence[Call]:
        """See :class:`escalation.ledger.commit.Along`."""
        if not 0 < len(opening) <= MOST:
            return []
        self._rows = [each.item for each in opening]
        self._shares = self._courier.reserve(self._rows, self._now)
        wanted = {share.mailbox: share.limits for share in self._shares}
        self._settled = self._courier.hand_settled(wanted)
        self._planned = self._mailboxes.plan(
            settlements=self._settled, items=self._rows, wanted=list(wanted.items()), now=self._now, moving=True
        )
        ahead = [each for each in opening if mailbox_of(each.item) in wanted]
        asyncio.get_running_loop().call_soon(self._write, ahead)
        return self._planned.calls

    def _write(self, ahead: Sequence[Opening]) -> None:
        """Make letters, while the store works on what they are about."""
        for item, incident in ahead:
            parcel = self._courier.write(item.row, incident, self._now)
            if parcel is not None:
                self._written[item.row.notice] = parcel

    def told(self, replies: list[Any]) -> None:
        """See :class:`escalation.ledger.commit.Along`."""
        self._courier.free(self._shares)
        if self._planned is None:
            return
        unsettled = self._settled
        try:
            self._turn = self._planned.read(replies)
            unsettled = self._turn.unsettled
        except Exception:
            log.warning("new rows did not go with their commits", exc_info=True)
            self._ask_again()
        self._courier.let_go(self._settled, unsettled, self._now)

    def lost(self) -> None:
        """See :class:`escalation.ledger.commit.Along`."""
        self._courier.free(self._shares)
        if self._planned is not None:
            self._planned.lost()
            self._courier.let_go(self._settled, self._settled, self._now)
            self._ask_again()

    def _ask_again(self) -> None:
        """What a claim without an answer took, the courier's next turn takes once more."""
        self._courier.expect(share.mailbox for share in self._shares)
        self._stir()

    def left(self, rows: list[OutboxItem]) -> list[OutboxItem]:
        """See :class:`bot.workers.committing.Companion`."""
        if self._turn is None:
            return rows
        there = {item.member for item, put in zip(self._rows, self._turn.there, strict=True) if put}
        return [item for item in rows if item.member not in there]

    def go(self, states: Mapping[str, Incident]) -> None:
        """See :class:`bot.workers.committing.Companion`."""
        if self._turn is None:
            return
        self._courier.begin(self._turn.claims, states, self._written, self._now)
        others = {mailbox_of(item) for item in self._rows} - {share.mailbox for share in self._shares}
        if others:
            self._courier.expect(others)
            self._stir()
