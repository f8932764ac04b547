"""The JSON schemas of what commands print with ``--json``, made from the structs they print.

``python -m bot.commands.schemas docs/schema`` writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from bot.backup import Backup
from bot.channel_states import ChannelList
from bot.chat.preview import ReadAs
from bot.deadletters import DeadDone, DeadLine, DeadList, DeadSwept
from bot.inquiry import Verification
from bot.quarantine import QuarantineList, QuarantineShown, QuarantineWorked
from bot.rehearsal.explain import Explanation
from bot.rehearsal.replay import Replayed
from bot.restore import Restored
from bot.story import Story
from bot.trials import TrialReport
from bot.web.incidents import IncidentPage

PRINTED: dict[str, type[msgspec.Struct]] = {
    "show": Story,
    "verify": Verification,
    "explain": Explanation,
    "replay": Replayed,
    "understand": ReadAs,
}
"""By command, what it prints of incidents and their journal."""

OPERATED: dict[str, type[msgspec.Struct]] = {
    "incidents": IncidentPage,
    "quarantine-list": QuarantineList,
    "quarantine-show": QuarantineShown,
    "quarantine-retry": QuarantineWorked,
    "backup": Backup,
    "restore": Restored,
    "channels": ChannelList,
    "send-test": TrialReport,
    "dead-list": DeadList,
    "dead-show": DeadLine,
    "dead-done": DeadDone,
    "dead-swept": DeadSwept,
}
"""By name, what the API and the commands of operation give."""


def schema(command: str) -> dict[str, Any]:
    """The schema of one command's output: closed, and every field that is always printed required."""
    (made,), parts = msgspec.json.schema_components([(PRINTED | OPERATED)[command]], ref_template="#/$defs/{name}")
    for part in parts.values():
        part["additionalProperties"] = False
        part.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{command}.schema.json",
        **made,
        "$defs": parts,
    }


def file_of(command: str) -> bytes:
    """The schema as it is committed."""
    return msgspec.json.format(msgspec.json.encode(schema(command)), indent=2) + b"\n"


if __name__ == "__main__":
    for each in PRINTED | OPERATED:
        (Path(sys.argv[1]) / f"{each}.schema.json").write_bytes(file_of(each))
