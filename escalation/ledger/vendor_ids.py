"""Reports that name a send by its vendor's id: which notices that was, whichever of the two comes first.

A vendor may report before its answer to the send is recorded, and another hub may take the report. So each side writes
what it knows and then looks for the other's: whoever is second finds both. A report found twice is a repeat, which the
incident knows already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from escalation.inputs import Receipt
from escalation.ledger.asks import Asks
from escalation.ledger.door import Command, Store
from escalation.ledger.keys import early_key, sent_key
from escalation.ledger.trials import TRIAL

SENT_FOR = 7 * 86_400_000
"""How long a vendor's id is remembered, in milliseconds: no carrier reports later than after three days."""
EARLY_FOR = 600_000
"""How long a report waits for its send to be recorded, in milliseconds."""

_notices = msgspec.json.Decoder(list[tuple[str, str]])
_receipt = msgspec.json.Decoder(Receipt)


class VendorIds:
    """What vendors' ids of sends stand for, by channel. Memory alone: what is forgotten costs a delivery report.
    ``asks`` are those whose vendors tell only when they are asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asks = Asks(store)

    async def early(self, sent: Mapping[str, Iterable[tuple[str, Receipt]]]) -> list[tuple[str, Receipt]]:
        """Keep, by channel, which (incident, notice) pairs left under which vendor's id; the reports of them that came
        before, as receipts of their incidents. Safe to do again, also with less: the first word stands. Raises the
        store's error."""
        sends: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for channel, receipts in sent.items():
            for code, receipt in receipts:
                if receipt.vendor_id:
                    sends.setdefault((channel, receipt.vendor_id), []).append((code, receipt.notice))
        if not sends:
            return []
        await self._done(
            [
                ("SET", sent_key(*sending), msgspec.json.encode(notices), "PX", SENT_FOR, "NX")
                for sending, notices in sends.items()
            ]
        )
        reports = await self._done([("GET", early_key(*sending)) for sending in sends])
        return [
            pair
            for notices, report in zip(sends.values(), reports, strict=True)
            if report is not None
            for pair in _of_each(notices, _receipt.decode(report))
        ]

    async def reported(self, channel: str, receipts: Sequence[Receipt]) -> list[tuple[str, Receipt]]:
        """Reports that name no notice, as receipts of the incidents their vendor's ids stand for; one of an id that
        is not known yet waits for it. Raises the store's error."""
        if not receipts:
            return []
        await self._done(
            [
                ("SET", early_key(channel, each.vendor_id), msgspec.json.encode(each), "PX", EARLY_FOR)
                for each in receipts
            ]
        )
        known = await self._done([("GET", sent_key(channel, each.vendor_id)) for each in receipts])
        return [
            pair
            for receipt, notices in zip(receipts, known, strict=True)
            if notices is not None
            for pair in _of_each(_notices.decode(notices), receipt)
        ]

    async def notices_of(self, channel: str, vendor_id: str) -> list[tuple[str, str]]:
        """The (incident, notice) pairs that left under this vendor's id; none where it is not known (yet). Raises the
        store's error."""
        known = (await self._done([("GET", sent_key(channel, vendor_id))]))[0]
        return _notices.decode(known) if known is not None else []

    async def _done(self, commands: list[Command]) -> list[Any]:
        replies = await self._store.pipeline(commands)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies


def _of_each(notices: Iterable[tuple[str, str]], receipt: Receipt) -> list[tuple[str, Receipt]]:
    # Of rows without an incident only trials wait for a report.
    return [
        (code, msgspec.structs.replace(receipt, notice=notice))
        for code, notice in notices
        if code or notice.startswith(TRIAL)
    ]
