"""The buttons of cards: what comes back when one is pressed, made so that nobody else can make it.

A button is a capability for one verb, one notice and one address: a code that was altered, made up, or pressed from
another account than the card was sent to means nothing. It grants no right: what the sender may do is asked for as for
every answer.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from bot.settings.models import Settings
from channels.channel import Press
from escalation.ledger.keys import US, read_code
from escalation.notice import Notice
from escalation.vocabulary import Verb

VERBS = (Verb.SIGN, Verb.FALSE_ALARM, Verb.QUERY)
"""What a button may mean; the last only wants to be told."""
_MAC = 16
_APART = "@"
"""Between the parts of a card's id, which every vendor takes; a notice's own parts are set apart by a full stop."""


class Pressed(NamedTuple):
    """What a genuine button means: the verb, the notice and its incident's code, and when the card was made (ms)."""

    verb: Verb
    notice: str
    code: str
    at: int


@dataclass(frozen=True, slots=True)
class Buttons:
    """Makes and reads the codes of buttons. ``secret`` is the pages' secret."""

    secret: str = field(repr=False)

    def code(self, notice: Notice, verb: Verb) -> str:
        """What a button of the notice's card brings back."""
        mac = self._mac(notice.contact.channel, notice.contact.address, card_id(notice), verb)
        return f"{verb}.{mac}"

    def read(self, channel: str, sender: str, press: Press) -> Pressed | None:
        """What a press by ``sender`` means; None for a code that was not made here for this sender and this card."""
        verb, _, given = press.code.partition(".")
        if verb not in VERBS:
            return None
        right = self._mac(channel, sender, press.card, Verb(verb))
        if not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            return None
        *parts, at = press.card.split(_APART)
        code = read_code(parts[0])
        return Pressed(Verb(verb), ".".join(parts), code, int(at)) if code is not None else None

    def _mac(self, channel: str, address: str, card: str, verb: Verb) -> str:
        # Vendors write their members' names in one case or another.
        body = US.join((channel, address.strip().lower(), card, verb)).encode("utf-8", "replace")
        made = hmac.new(self.secret.encode(), b"fenghuo-button" + US.encode() + body, sha256).digest()[:_MAC]
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def card_id(notice: Notice) -> str:
    """The id of a notice's card: never that of another one, also where a new store counts its codes from the start."""
    return _APART.join((*notice.id.split("."), str(notice.created_at)))


def buttons_of(settings: Settings) -> Buttons:
    """The buttons of a configuration."""
    return Buttons(settings.pages.secret.get_secret_value())
