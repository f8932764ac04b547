"""What the hub tells the service manager that started it: ready, alive, stopping, and why it takes nothing.

The protocol is systemd's: a datagram of ``NAME=value`` lines to the socket named in ``NOTIFY_SOCKET``, where a leading
``@`` means the abstract name space. Without that variable nothing is sent.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

LOOK = 1.0
"""How often the state is looked at, in seconds; the manager hears of it only when it changed."""


class Manager:
    """The service manager, where there is one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Reads ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` (microseconds within which it wants to hear that we live)."""
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        microseconds = environment.get("WATCHDOG_USEC", "")
        self._patience = int(microseconds) / 1_000_000 if microseconds.isdecimal() else 0.0

    def tell(self, *lines: str) -> None:
        """Send these lines; a manager that cannot be reached is no reason to stop."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
                sending.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("the service manager could not be told %s: %s", lines[0], error)

    async def keep_told(self, not_ready: Callable[[], str]) -> None:
        """Until cancelled: say that the event loop turns, often enough, and why nothing is accepted, when it changes.

        A loop that hangs says nothing, and the manager starts the hub anew.
        """
        if not self._address:
            return
        pause = min(LOOK, self._patience / 3) if self._patience else LOOK
        said: str | None = None
        while True:
            zh, _, en = not_ready().partition("\n")
            status = f"STATUS={en or zh or 'ready'}"
            lines = [] if status == said else [status]
            said = status
            if self._patience:
                lines.append("WATCHDOG=1")
            if lines:
                self.tell(*lines)
            await asyncio.sleep(pause)
