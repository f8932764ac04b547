"""`server.json`: what the hub remembers of the server it started, to find it again after a crash.

Only a hint: whether a server runs is said by server.lock, who it is by the server itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.store.disk import write_atomically

NAME = "server.json"


@dataclass(frozen=True, slots=True)
class Record:
    """Socket, process and run of the server. pid 0 and an empty run id: started, not heard from yet."""

    socket: str
    pid: int = 0
    run_id: str = ""

    def save(self, folder: Path) -> None:
        """Write it into `folder`. Raises OSError."""
        write_atomically(folder / NAME, json.dumps(asdict(self)).encode() + b"\n")


def load(folder: Path) -> Record | None:
    """The record in `folder`, or None when there is none that can be read."""
    try:
        fields = json.loads((folder / NAME).read_bytes())
        return Record(socket=str(fields["socket"]), pid=int(fields["pid"]), run_id=str(fields["run_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(folder: Path) -> None:
    """Remove it: the server was stopped in order."""
    (folder / NAME).unlink(missing_ok=True)
