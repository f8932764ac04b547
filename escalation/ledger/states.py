"""Incident states as the store keeps them; one that cannot be read is told apart and keeps nobody else waiting."""

from __future__ import annotations

import re

import msgspec

from escalation.incident import Incident
from escalation.vocabulary import Mode

_decode = msgspec.json.Decoder(Incident).decode
_UNREAL = re.compile(rb'"(?:mode|correlation)":"(exercise|test)')


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the incident ``code`` is there and cannot be read: ``raw`` are its bytes, ``why`` what is wrong.

    It may have been written by a later hub, or a disk or a hand has spoilt it. ``code`` is empty where the index itself
    is spoilt.
    """

    code: str
    raw: bytes
    why: str

    @property
    def mode(self) -> Mode:
        """What the bytes still say of it; in doubt it is meant."""
        found = _UNREAL.search(self.raw)
        return Mode(found[1].decode()) if found else Mode.ACTUAL


def read_state(code: str, raw: bytes) -> Incident | Damaged:
    """The incident of stored bytes, or what is wrong with them."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Damaged(code=code, raw=raw, why=f"{type(error).__name__}: {error}"[:200])
