"""People outside the corporation who write to the robot in a group: they have no userid, and can be answered only by
the conversation's temporary address, for about an hour and a half.

That address is a key to the conversation, and the answer may be sent by another process, after a crash too. So it
travels, sealed under the app's secret, inside what the hub takes for the sender's address; it means nothing anywhere
else, and names nobody of the directory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from yarl import URL

PREFIX = "outside."
_PATH = "/robot/sendBySession"
_NONCE = 12
_LONGEST = 400


class Session(NamedTuple):
    """A conversation's temporary address, and until when it holds (ms)."""

    url: URL
    until: int


class Outsiders:
    """Makes and reads the addresses of people outside. ``origin`` is the one host a temporary address may have: any
    other would let whoever wrote it have the hub call where they like."""

    def __init__(self, secret: str, origin: str) -> None:
        self._key = hashlib.blake2s(secret.encode(), person=b"fhoutsid").digest()
        self._origin = URL(origin).origin()

    def address(self, sender: str, webhook: str, until: int) -> str:
        """The address of somebody by the vendor's name for them; without a conversation where ``webhook`` is none of
        the vendor's. Two calls with the same give the same."""
        token = self._token(webhook)
        if not token:
            return ""
        plain = f"{until} {token}".encode()
        nonce = hmac.digest(self._key, sender.encode("utf-8", "replace") + plain, "sha256")[:_NONCE]
        sealed = nonce + AESGCM(self._key).encrypt(nonce, plain, PREFIX.encode())
        return PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def session(self, address: str) -> Session | None:
        """Where an answer to such an address goes; None for one that was not made here."""
        text = address.removeprefix(PREFIX)
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            plain = AESGCM(self._key).decrypt(sealed[:_NONCE], sealed[_NONCE:], PREFIX.encode()).decode()
        except (ValueError, InvalidTag):
            return None
        until, _, token = plain.partition(" ")
        return Session(self._origin.with_path(_PATH).with_query({"session": token}), int(until))

    def _token(self, webhook: str) -> str:
        if not 0 < len(webhook) <= _LONGEST:
            return ""
        try:
            url = URL(webhook)
            ours = url.is_absolute() and url.origin() == self._origin and url.path == _PATH
        except ValueError:
            return ""
        return url.query.get("session", "") if ours and list(url.query) == ["session"] else ""
