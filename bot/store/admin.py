"""What the supervisor asks of its server: are you there, are you the one of this folder, be safe, stop."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

from redis.exceptions import ResponseError

from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from bot.store.server import SAFETY


class Answer(Enum):
    """What a server says when it is looked at."""

    NONE = "none"
    LOADING = "loading"
    YES = "yes"
    BUSY = "busy"
    """Alive and held up, by a long script for example."""


class Admin:
    """A client of one server, for its supervisor alone: short patience, one attempt."""

    def __init__(self, socket: Path, seconds: float) -> None:
        self._socket = socket
        self._store = Store.on_socket(socket, answer_seconds=seconds, connections=2, attempts=1)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._store.aclose()

    async def answer(self) -> Answer:
        """Look once."""
        try:
            await self._store.execute("PING", again=True)
        except StoreUnavailableError:
            return Answer.LOADING if await self._loading() else Answer.NONE
        except ResponseError:
            return Answer.BUSY
        return Answer.YES

    async def _loading(self) -> bool:
        with suppress(StoreUnavailableError, ResponseError):
            return (await self._about("persistence")).get("loading") == "1"
        return False

    async def prove(self, folder: Path, pid: int) -> str:
        """The run id of the server on this socket, when it is process `pid` on `folder`.

        Raises StoreUnavailableError when it does not answer, or is another one.
        """
        about = await self._about("server")
        listing = await self._store.execute("CONFIG", "GET", "dir", again=True)
        place = listing[1] if isinstance(listing, list) and len(listing) > 1 else None
        said = Path(os.fsdecode(place)) if isinstance(place, bytes) else None
        if about.get("process_id") != str(pid) or said is None or not said.samefile(folder):
            raise StoreUnavailableError(
                f"套接字 {self._socket} 上应答的是另一个存储（进程 {about.get('process_id')}，目录 {said}）",
                f"socket {self._socket} is answered by another store (process {about.get('process_id')}, folder "
                f"{said})",
                sent=False,
            )
        return about.get("run_id", "")

    async def _about(self, section: str) -> dict[str, str]:
        reply = await self._store.execute("INFO", section, again=True)
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    async def keep_safe(self) -> None:
        """Set what the bargain needs, also on a server that an older hub started.

        Raises StoreUnavailableError, ResponseError.
        """
        for name, value in SAFETY.items():
            await self._store.execute("CONFIG", "SET", name, value, again=True)

    async def shut_down(self) -> None:
        """Ask it to end in order: its file is written and fsynced first. Its answer is the end of the connection."""
        with suppress(StoreUnavailableError, ResponseError):
            await self._store.execute("SHUTDOWN", "NOSAVE")
