"""The loopback receiver: takes every webhook, says that it was taken, and remembers when each number came.

``python -m bench.receiver`` prints its port. It reads a body only to find the numbers in it (``S0000042Z``); the
answer is what a WeCom robot gives, which Alertmanager takes as well. ``GET /count`` says how many messages came since
the start; ``GET /times/N`` gives, for all but the first N of them, the number and the monotonic nanosecond at which the
last byte was read, as pairs of 64-bit integers.
"""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from typing import cast

_MARK = re.compile(rb"S(\d{7})Z")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BODY = b'{"errcode":0,"errmsg":"ok"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


def mark(number: int) -> str:
    """How a number stands in an event."""
    return f"S{number:07d}Z"


class _Connection(asyncio.Protocol):
    def __init__(self, came: array[int]) -> None:
        self._came = came
        self._waiting = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end]
            found = _LENGTH.search(head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._waiting) < whole:
                return
            body, self._waiting = self._waiting[end + 4 : whole], self._waiting[whole:]
            if head.startswith(b"GET"):
                told = self._told(head.split()[1])
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told))
                continue
            now = time.monotonic_ns()
            # Alertmanager repeats a label several times in one message.
            for number in set(_MARK.findall(body)):
                self._came.append(int(number))
                self._came.append(now)
            self._transport.write(_ANSWER)

    def _told(self, path: bytes) -> bytes:
        if path == b"/count":
            return b"%d" % (len(self._came) // 2)
        return self._came[2 * int(path.removeprefix(b"/times/")) :].tobytes()


async def main() -> None:
    """Serve until killed."""
    came: array[int] = array("q")
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(came), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
