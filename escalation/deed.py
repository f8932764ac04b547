"""What a person did, as the incident and the notices that tell of it keep it."""

from __future__ import annotations

import msgspec

from escalation.vocabulary import Role, Tier, Verb


class Deed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person did: who, from which post, when, by which channel, in which words. ``before`` is what it replaced,
    for whoever takes it back: of a transfer, who was named until then."""

    verb: Verb
    person: str
    name: str
    unit: str
    tier: Tier
    role: Role
    at: int
    channel: str
    text: str = ""
    cause: str = ""
    before: str = ""

    @property
    def who(self) -> str:
        return f"{self.unit}/{self.role}/{self.person}"
