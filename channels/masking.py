"""What may be said about a send: no secret, no whole phone number, no control character."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_PHONE = re.compile(r"(?<!\d)((?:\+|00)?(?:86)?1[3-9]\d)\d{4}(\d{4})(?!\d)")
_LONGEST = 300
_STARS = "***"


def mask_phones(text: str) -> str:
    """``13800138000`` becomes ``138****8000``, with or without a country code."""
    return _PHONE.sub(r"\1****\2", text)


class Masker:
    """Makes a vendor's words fit for journals and logs.

    ``secrets`` are taken out wherever they stand, plain, percent-encoded or in base64; phone numbers are shortened;
    control characters and line ends become spaces; the result has at most 300 characters.
    """

    __slots__ = ("_forms",)

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if secret:
                plain = secret.encode("utf-8", "surrogatepass")
                forms |= {secret, quote(plain, safe=""), quote_plus(plain), base64.b64encode(plain).decode("ascii")}
        # The longest first: a short secret must not leave the rest of a longer one standing.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, words: object) -> str:
        text = str(words)
        for form in self._forms:
            text = text.replace(form, _STARS)
        text = "".join(" " if unicodedata.category(mark) in ("Cc", "Cf", "Cs", "Zl", "Zp") else mark for mark in text)
        text = mask_phones(" ".join(text.split()))
        # Removing marks can bring the halves of a secret together.
        for form in self._forms:
            text = text.replace(form, _STARS)
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
