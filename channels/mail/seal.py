"""Sealed words: what a mail carries so that its answer proves for whom the mail was. Pure.

A sealed word is ``key.mac``: the key says which mail it was (a letter's id, ``thread.A0231`` or a code), the mac binds
it to the one address the mail went to. A sender's name is written by whoever likes; only who got the mail has the word.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

_MAC = 10
"""Bytes of the mac: 80 bits, sixteen signs."""
_SEALED = re.compile(r"(?P<key>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.(?P<mac>[a-z2-7]{16})", re.IGNORECASE)
_CODE = re.compile(r"[AW][0-9]{4,}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_.-]{18,200}")
MOST_WORDS = 200
"""How many words of one mail are tried."""
PLAIN_KEY = "mail"
"""The key of a mail that belongs to no incident."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A sealed word that is right: ``key`` as it was sealed, ``code`` the incident it names, '' for none."""

    key: str
    code: str


class Seal:
    """Seals and proves. ``secret`` stays on this hub and the others of the same configuration."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode("utf-8", "surrogatepass")

    def sealed(self, key: str, address: str) -> str:
        """``key.mac`` for a mail to ``address``, whose case does not count."""
        return f"{key}.{self._mac(key, address)}"

    def proofs(self, words: Iterable[str], address: str) -> list[Proof]:
        """Those of ``words`` that are sealed for ``address``, in their order."""
        found: list[Proof] = []
        for word in islice(dict.fromkeys(words), MOST_WORDS):
            match = _SEALED.fullmatch(word)
            if match is None:
                continue
            # Servers and people change the case of addresses, and with it that of a code.
            for key in dict.fromkeys((match["key"], match["key"].upper())):
                if hmac.compare_digest(self._mac(key, address), match["mac"].lower()):
                    found.append(Proof(key, code_of(key)))
                    break
        return found

    def _mac(self, key: str, address: str) -> str:
        body = f"fenghuo-mail\x1f{key}\x1f{address.strip().lower()}".encode("utf-8", "surrogatepass")
        return base64.b32encode(hmac.new(self._secret, body, sha256).digest()[:_MAC]).decode("ascii").lower()


def words_in(text: str) -> list[str]:
    """What in a text has the form of a sealed word."""
    return [word for each in _WORD.finditer(text) if _SEALED.fullmatch(word := each[0].strip("."))]


def code_of(key: str) -> str:
    """The incident's code in a key: ``A0231.1.s3-remind`` and ``thread.A0231`` name A0231; '' where there is none."""
    first, _, rest = key.partition(".")
    candidate = rest if first == "thread" else first
    return candidate.upper() if _CODE.fullmatch(candidate) else ""
