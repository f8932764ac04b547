"""Signed personal links: who may answer for which incident, until when; the whole truth is in the link and its MAC.

A link is a capability for one person and one incident. It opens a page; it never acts by being fetched. It can sign,
verify and dispose, and cannot clear or declare 误报.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from bot.settings.models import Settings
from escalation.incident import Incident
from escalation.notice import Notice

LINK_PATH = "/a/"
_MAC = 16
_LONGEST = 600


class LinkFacts(msgspec.Struct, array_like=True, frozen=True):
    """What a link says: the incident's code, the person (or unit and role of a duty room), and until when (ms)."""

    code: str
    person: str
    unit: str
    role: str
    until: int
    notice: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links. ``secret`` is the pages' secret, ``base`` the public address people reach the hub by."""

    secret: str
    base: str
    lifetime_minutes: int

    def link_for(self, incident: Incident, notice: Notice) -> str:
        """The personal link of one notice."""
        facts = LinkFacts(
            code=incident.code,
            person=notice.to.person,
            unit=notice.to.unit,
            role=notice.to.role,
            until=notice.created_at + self.lifetime_minutes * 60_000,
            notice=notice.id,
        )
        return f"{self.base}{LINK_PATH}{self.seal(facts)}"

    def seal(self, facts: LinkFacts) -> str:
        """The link's last part: the facts and their MAC, URL-safe."""
        body = msgspec.json.encode(facts)
        return base64.urlsafe_b64encode(self._mac(b"link", body) + body).rstrip(b"=").decode()

    def read(self, token: str) -> LinkFacts | None:
        """What a link says, or None when it was not made here or was altered; whether it is over is in ``until``."""
        if len(token) > _LONGEST:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            mac, body = raw[:_MAC], raw[_MAC:]
            if not hmac.compare_digest(mac, self._mac(b"link", body)):
                return None
            facts = msgspec.json.decode(body, type=LinkFacts)
        except (ValueError, msgspec.MsgspecError):
            return None
        # The last sign of base64 has spare bits: only one spelling of a link is the link.
        return facts if self.seal(facts) == token else None

    def form_token(self, token: str) -> str:
        """What a form of the link's page carries, so that only a page we gave out can act."""
        return self._mac(b"form", token.encode()).hex()

    def _mac(self, use: bytes, body: bytes) -> bytes:
        return hmac.new(self.secret.encode(), b"fenghuo-" + use + b"\x1f" + body, sha256).digest()[:_MAC]


def links_of(settings: Settings) -> Links:
    """The links of a configuration."""
    pages = settings.pages
    return Links(pages.secret.get_secret_value(), settings.hub.public_url, pages.lifetime_minutes)
