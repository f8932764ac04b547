"""What this process has done since it started: counted as it happens, read by the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.intake.gate import ItemVerdict, Result
from escalation.inputs import Receipt, SendResult

_GOOD = (SendResult.SUBMITTED, SendResult.DELIVERED, SendResult.READ, SendResult.ANSWERED)


class Tally:
    """Counters of one process; ``good_at`` is the hub's time of each channel's last send that was taken (ms),
    ``under_way`` how many sends another process has in hand for this one, ``apart`` whether one that is meant to send
    for this one does (None: none is meant to)."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.sends: Counter[tuple[str, str]] = Counter()
        self.good_at: dict[str, int] = {}
        self.under_way = 0
        self.apart: bool | None = None

    def took(self, results: Sequence[Result]) -> None:
        """These items were answered so."""
        for result in results:
            self.verdicts[result.verdict.value if isinstance(result, ItemVerdict) else result.reason] += 1

    def sent(self, channel: str, receipts: Iterable[tuple[str, Receipt]]) -> None:
        """A claim of this channel ended with these receipts, each with its incident."""
        for _, receipt in receipts:
            self.sends[channel, receipt.result.value] += 1
            if receipt.result in _GOOD:
                self.good_at[channel] = max(receipt.at, self.good_at.get(channel, 0))

    def taken(self) -> tuple[list[tuple[str, str, int]], dict[str, int]]:
        """The sends counted so far, which begin anew, for another process to :meth:`hear` of."""
        sends = [(channel, result, count) for (channel, result), count in self.sends.items()]
        self.sends.clear()
        return sends, dict(self.good_at)

    def hear(self, sends: Iterable[tuple[str, str, int]], good_at: dict[str, int], under_way: int) -> None:
        """What another process sent for this one."""
        for channel, result, count in sends:
            self.sends[channel, result] += count
        for channel, at in good_at.items():
            self.good_at[channel] = max(at, self.good_at.get(channel, 0))
        self.under_way = under_way
