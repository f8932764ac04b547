"""云MAS: the ``mac`` of a submission, MD5 over its fields one after the other, and the body that carries them.

Source of the order: several public implementations that agree; the platform's own page is not public.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

import orjson

PLAIN = ("ecName", "apId", "secretKey", "mobiles", "content", "sign", "addSerial")
"""The order for a text of one's own."""
BY_TEMPLATE = ("ecName", "apId", "secretKey", "templateId", "mobiles", "params", "sign", "addSerial")
"""The order for an approved template."""


def mac(fields: Mapping[str, str], order: Sequence[str]) -> str:
    """The seal of a submission whose fields, the secret among them, are ``fields``."""
    return hashlib.md5("".join(fields[name] for name in order).encode(), usedforsecurity=False).hexdigest()


def sealed(fields: Mapping[str, str], order: Sequence[str]) -> bytes:
    """The HTTP body: base64 of the JSON of the fields without the secret, with their seal."""
    said = {name: fields[name] for name in order if name != "secretKey"}
    return base64.b64encode(orjson.dumps({**said, "mac": mac(fields, order)}))
