"""Claims after their sends: what there is to record of them, and how they are settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.workers.letters import Parcel
from bot.workers.outcomes import Consequence
from channels.channel import Abilities, Channel, Letter
from channels.outcome import Outcome
from escalation.inputs import Receipt, SendResult
from escalation.ledger.asks import Ask
from escalation.ledger.keys import Mailbox
from escalation.ledger.trials import TRIAL
from escalation.ledger.turning import Claim, ClaimKind
from escalation.ledger.vendor_ids import VendorIds
from escalation.notice import OutboxRow

BACK = 2_000
"""After how many milliseconds a claim that could not be worked on is tried again."""

_KNOWN = ("already_sent", "incident_unknown", "no_longer_queued")
"""Why a row was dropped that is no news for its incident."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One claim after its sends: what to record of which incident's notice (nothing, once it is recorded), and how to
    settle it. Times in milliseconds."""

    claim: Claim
    receipts: tuple[tuple[str, Receipt], ...]
    again_at: int | None = None
    hold_until: int = 0
    whole_channel: bool = False
    tried: bool = True
    lost: bool = False


def given_back(claim: Claim, now: int, *, tried: bool = False) -> Sent:
    """A claim that could not be worked on, to be tried again soon."""
    return Sent(claim, (), again_at=now + BACK, tried=tried, lost=tried)


def receipts_of(
    carried: list[tuple[str, str]], after: Consequence, claim: Claim, outcome: Outcome, now: int, *, known: str = ""
) -> list[tuple[str, Receipt]]:
    """One receipt for each (incident, notice) pair that a letter carried. ``known`` is the id its vendor will report
    it by where it gives none of its own."""
    # Refused sends before it make a lost answer no likelier a repeat: of those only the lost ones count.
    result = after.result
    lost = result is SendResult.UNCERTAIN
    return [
        (
            code,
            Receipt(
                notice=notice,
                result=result,
                at=now,
                vendor_id=outcome.vendor_id or known,
                detail=outcome.detail[:200],
                tries=(claim.lapses if lost else claim.tries) + 1,
                repeat=claim.lapses > 0,
                until=after.again_at or 0,
                handle=outcome.handle,
            ),
        )
        for code, notice in carried
    ]


def dropped(parcel: Parcel, now: int) -> tuple[tuple[str, Receipt], ...]:
    """The receipts of what need not be sent any more."""
    return tuple(
        (code, Receipt(notice=notice, result=SendResult.DROPPED, at=now, detail=reason))
        for code, notice, reason in parcel.dropped
        if reason not in _KNOWN
    )


def unsent(claim: Claim, result: SendResult, now: int, detail: str) -> Sent:
    """A claim that ends without a send."""
    rows = claim.rows if claim.kind is not ClaimKind.OVERFLOW else []
    receipts = tuple((row.incident, Receipt(notice=row.notice, result=result, at=now, detail=detail)) for row in rows)
    return Sent(claim, receipts, tried=False)


def without_receipts(ended: Iterable[Sent], but: frozenset[str] = frozenset()) -> list[Sent]:
    """The same with nothing to record any more, but of these incidents."""
    return [replace(sent, receipts=tuple(each for each in sent.receipts if each[0] in but)) for sent in ended]


def known_as(claim: Claim, letter: Letter, abilities: Abilities) -> str:
    """By which id reports will name a letter of many notices, whose own id is none of them; '' for any other."""
    tells = bool(abilities.receipts) and not abilities.reports_by_id
    return letter.id if tells and claim.kind is ClaimKind.DIGEST else ""


async def meet_reports(
    vendor_ids: VendorIds, ended: Sequence[Sent], channels: Mapping[str, Channel]
) -> list[tuple[str, Receipt]]:
    """Let the sends of vendors that report by their own ids be known, to be asked about where they do so only then; the
    receipts of reports that came before. Safe to do again. Raises the store's error."""
    told = told_by_id(ended, channels)
    asks = [
        (name, Ask(receipt.vendor_id, receipt.at), receipt.at + channels[name].abilities.asked_after[0] * 1000)
        for name, receipts in told.items()
        if channels[name].abilities.asked_after
        for code, receipt in receipts
        if receipt.vendor_id and (code or receipt.notice.startswith(TRIAL))
    ]
    early = await vendor_ids.early(told)
    await vendor_ids.asks.later(asks)
    return early


def told_by_id(ended: Iterable[Sent], channels: Mapping[str, Channel]) -> dict[str, list[tuple[str, Receipt]]]:
    """By channel, the receipts of sends that will be reported by an id that is no notice's."""
    found: dict[str, list[tuple[str, Receipt]]] = {}
    for sent in ended:
        channel = channels.get(sent.claim.mailbox.channel)
        if channel is None or not sent.receipts:
            continue
        many = sent.claim.kind is ClaimKind.DIGEST and bool(channel.abilities.receipts)
        if channel.abilities.reports_by_id or many:
            found.setdefault(channel.name, []).extend(sent.receipts)
    return found


def came_early(ended: Iterable[Sent], early: Iterable[tuple[str, Receipt]]) -> list[tuple[Mailbox, list[Receipt]]]:
    """What was reported of these sends before they were recorded, by their addresses: of each message once."""
    boxes = {receipt.notice: sent.claim.mailbox for sent in ended for _, receipt in sent.receipts}
    found = {(boxes[receipt.notice], receipt.vendor_id): receipt for _, receipt in early if receipt.notice in boxes}
    return [(box, [receipt]) for (box, _), receipt in found.items()]


def strays_of(ended: Iterable[Sent]) -> list[tuple[OutboxRow, Receipt]]:
    """What became of rows without an incident."""
    found: list[tuple[OutboxRow, Receipt]] = []
    for sent in ended:
        rows = {row.notice: row for row in sent.claim.rows}
        found += [(rows[receipt.notice], receipt) for code, receipt in sent.receipts if not code]
    return found
