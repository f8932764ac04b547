"""What vendors tell later about sends: to the incident, to the trial, and to the address' breaker."""

from __future__ import annotations

from collections.abc import Sequence

from bot.workers.breaker import Breaker
from bot.workers.decider import Decider
from bot.workers.strays import trial_end
from channels.channel import ReceiptKind, Report
from escalation.inputs import Receipt, SendResult
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import Mailbox, read_code
from escalation.ledger.trials import TRIAL, Trials

_RESULTS = {
    ReceiptKind.DELIVERED: SendResult.DELIVERED,
    ReceiptKind.READ: SendResult.READ,
    ReceiptKind.UNDELIVERED: SendResult.UNDELIVERED,
}


class Reports:
    """Delivery reports, each tied to its notice by the letter's id."""

    def __init__(self, ledger: Ledger, decider: Decider, trials: Trials, breaker: Breaker) -> None:
        self._ledger = ledger
        self._decider = decider
        self._trials = trials
        self._breaker = breaker

    async def take(self, reports: Sequence[Report], now: int) -> int:
        """Record them; how many belonged to this hub. On disk when this returns. Raises the store's error."""
        receipts: list[tuple[str, Receipt]] = []
        tests: list[Receipt] = []
        # Which address it was stands in the incident alone: it is looked up where it may matter.
        telling: list[tuple[str, Receipt]] = []
        for report in reports:
            result = _RESULTS.get(report.kind)
            if result is None:
                continue
            receipt = Receipt(
                notice=report.letter_id, result=result, at=report.at, vendor_id=report.vendor_id, detail=report.detail
            )
            code = read_code(report.letter_id.split(".", 1)[0])
            if report.letter_id.startswith(TRIAL):
                tests.append(receipt)
            elif code is not None:
                receipts.append((code, receipt))
                if result is SendResult.UNDELIVERED or self._breaker.watches(report.channel):
                    telling.append((code, receipt))
        await self._trials.hear([trial_end(receipt) for receipt in tests])
        await self._decider.receipts(receipts, now)
        if telling:
            await self._note(telling, now)
        return len(receipts) + len(tests)

    async def _note(self, telling: Sequence[tuple[str, Receipt]], now: int) -> None:
        codes = list(dict.fromkeys(code for code, _ in telling))
        incidents = dict(zip(codes, await self._ledger.get_many(codes), strict=True))
        came: list[tuple[Mailbox, list[Receipt]]] = []
        for code, receipt in telling:
            incident = incidents[code]
            notice = incident.notices.get(receipt.notice) if incident is not None else None
            if notice is not None:
                came.append((Mailbox(notice.contact.channel, notice.contact.address), [receipt]))
        await self._breaker.note(came, now)
