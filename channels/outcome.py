"""What became of one send, as a typed fact with one documented consequence each.

A vendor's answer is read from its **body before the HTTP status**: the Chinese robots report a refusal inside a 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """The error classes; what the hub does with each is fixed here and nowhere else.

    ========================  ==================================================================================
    accepted                  the vendor took it (not: delivered, read or signed); wait for receipts
    partial                   some addresses were refused: those people are told another way at once
    throttled                 the vendor's limit: the mailbox rests for ``retry_after``; critical goes another way now
    transient                 nothing was accepted: repeat with back-off inside the duty's clock
    uncertain                 the answer was lost after the message left: repeat once, marked as a possible repeat
    refused_recipient         this address cannot be reached: next channel of the person, next person
    refused_content           the vendor refuses this text: one plainer, shorter rendering, then the next channel
    misconfigured             key, signature or template is wrong: maintainers are told, next channel
    ========================  ==================================================================================
    """

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    UNCERTAIN = "uncertain"
    REFUSED_RECIPIENT = "refused_recipient"
    REFUSED_CONTENT = "refused_content"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one send.

    ``detail`` is the vendor's own code and words, with secrets and phone numbers masked. ``vendor_id`` ties later
    delivery reports to this send. ``retry_after`` is in seconds from now (throttled, transient). ``whole_channel``: a
    throttle that is the account's or the gateway's, so that every address of the channel rests. ``refused`` lists the
    addresses a partial outcome left out. ``handle`` is by what the vendor lets this message be changed later.
    """

    kind: OutcomeKind
    detail: str = ""
    vendor_id: str | None = None
    retry_after: float | None = None
    refused: tuple[str, ...] = ()
    whole_channel: bool = False
    handle: str = ""

    @property
    def left_the_hub(self) -> bool:
        """True when the vendor has, or may have, the message."""
        return self.kind in (OutcomeKind.ACCEPTED, OutcomeKind.PARTIAL, OutcomeKind.UNCERTAIN)
