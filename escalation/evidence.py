"""A picture that somebody sent from the spot: whose, about which incident, and what became of its file."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from escalation.vocabulary import Role, Tier

FOLDER = "evidence"
"""Where the files lie below a data folder: by month, and named by their content."""


class EvidenceState(StrEnum):
    """``waiting`` for its file, which the vendor keeps for a few days; ``kept``; ``lost`` where there will be none."""

    WAITING = "waiting"
    KEPT = "kept"
    LOST = "lost"

    @property
    def word(self) -> str:
        return {"waiting": "正在取回", "kept": "已保存", "lost": "未能保存"}[self.value]


class EvidenceFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a picture's file. ``path`` is below the data folder of the hub that kept it (``hub``), ``size`` in
    bytes, ``kind`` its media type by its content; ``why`` says why there is none."""

    path: str = ""
    sha256: str = ""
    size: int = 0
    kind: str = ""
    hub: str = ""
    why: str = ""


class Evidence(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One picture as its incident knows it. ``at`` is when it came, in ms."""

    id: str
    person: str
    name: str
    unit: str
    tier: Tier
    role: Role
    channel: str
    at: int
    state: EvidenceState = EvidenceState.WAITING
    file: EvidenceFile | None = None
