"""What vendors tell later about sends: to the incident, to the trial, and to the address' breaker.

A report names its send by the letter's id, or by the vendor's own where the vendor knows no other. A letter of many
notices has an id that is none of theirs: it is looked up like a vendor's.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.workers.breaker import Breaker
from bot.workers.decider import Decider
from bot.workers.strays import trial_end
from channels.channel import ReceiptKind, Report
from escalation.inputs import Receipt, SendResult
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import Mailbox, read_code
from escalation.ledger.trials import TRIAL, Trials
from escalation.ledger.vendor_ids import VendorIds

_RESULTS = {
    ReceiptKind.DELIVERED: SendResult.DELIVERED,
    ReceiptKind.READ: SendResult.READ,
    ReceiptKind.UNDELIVERED: SendResult.UNDELIVERED,
    ReceiptKind.ANSWERED: SendResult.ANSWERED,
}


class Reports:
    """Delivery reports, each tied to its notices."""

    def __init__(
        self, ledger: Ledger, decider: Decider, trials: Trials, breaker: Breaker, vendor_ids: VendorIds
    ) -> None:
        self._ledger = ledger
        self._decider = decider
        self._trials = trials
        self._breaker = breaker
        self._vendor_ids = vendor_ids

    async def take(self, reports: Sequence[Report], now: int) -> int:
        """Record them; how many belonged to this hub. On disk when this returns. Raises the store's error."""
        named: list[tuple[str, str, Receipt]] = []
        nameless: dict[str, list[Receipt]] = {}
        for report in reports:
            result = _RESULTS.get(report.kind)
            if result is None:
                continue
            receipt = Receipt(
                notice=report.letter_id, result=result, at=report.at, vendor_id=report.vendor_id, detail=report.detail
            )
            code = read_code(report.letter_id.split(".", 1)[0]) or ""
            if code or report.letter_id.startswith(TRIAL):
                named.append((report.channel, code, receipt))
            elif report.letter_id:
                many = replace(receipt, notice="", vendor_id=report.letter_id)
                nameless.setdefault(report.channel, []).append(many)
            elif report.vendor_id:
                nameless.setdefault(report.channel, []).append(receipt)
        for channel, some in nameless.items():
            named += [(channel, *pair) for pair in await self._vendor_ids.reported(channel, some)]
        tests = [receipt for _, _, receipt in named if receipt.notice.startswith(TRIAL)]
        receipts = [(code, receipt) for _, code, receipt in named if code]
        # Which address it was stands in the incident alone: it is looked up where it may matter.
        telling = [
            (code, receipt)
            for channel, code, receipt in named
            if code and (receipt.result is SendResult.UNDELIVERED or self._breaker.watches(channel))
        ]
        await self._trials.hear([trial_end(receipt) for receipt in tests])
        await self._decider.receipts(receipts, now)
        if telling:
            await self._note(telling, now)
        return len(receipts) + len(tests)

    async def _note(self, telling: Sequence[tuple[str, Receipt]], now: int) -> None:
        codes = list(dict.fromkeys(code for code, _ in telling))
        incidents = dict(zip(codes, await self._ledger.get_many(codes), strict=True))
        came: dict[tuple[Mailbox, str], Receipt] = {}
        for code, receipt in telling:
            incident = incidents[code]
            notice = incident.notices.get(receipt.notice) if incident is not None else None
            if notice is not None:
                # What one message of many notices came to is told of its address once.
                box = Mailbox(notice.contact.channel, notice.contact.address)
                came[box, receipt.vendor_id or receipt.notice] = receipt
        await self._breaker.note([(box, [receipt]) for (box, _), receipt in came.items()], now)
