"""The loopback receiver: takes every webhook, says that it was taken, and remembers when each number came.

``python -m bench.receiver`` prints its port. It reads a body only to find the numbers in it (``S0000042Z``); the
answer is what a WeCom robot gives, which Alertmanager takes as well. ``GET /count`` says how many messages came since
the start; ``GET /times/N`` gives, for all but the first N of them, the number and the monotonic nanosecond at which the
last byte was read, as pairs of 64-bit integers.

A vendor whose address begins with ``/after/MS/`` answers only MS milliseconds after that, as a robot or as an SMS
gateway; of its messages the incidents' codes are kept, as many as stand in one, and ``/codes/count`` and
``/codes/times/N`` tell of them in the same way.
"""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from typing import cast

_MARK = re.compile(rb"S(\d{7})Z")
_CODE = re.compile(rb"A(\d{4,15})")
_AFTER = re.compile(rb"POST /after/(\d+)/\S*?(sendsms)?[ ?]")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def _answer(kind: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body)


_ANSWER = _answer(b"application/json", b'{"errcode":0,"errmsg":"ok"}')
_GATEWAY = _answer(b"text/plain", b"0: Accepted for delivery")


def mark(number: int) -> str:
    """How a number stands in an event."""
    return f"S{number:07d}Z"


class _Connection(asyncio.Protocol):
    def __init__(self, came: array[int], codes: array[int]) -> None:
        self._came = came
        self._codes = codes
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
            slow = _AFTER.match(head)
            if slow is not None:
                for code in set(_CODE.findall(body)):
                    self._codes.append(int(code))
                    self._codes.append(now)
                answer = _GATEWAY if slow[2] else _ANSWER
                asyncio.get_running_loop().call_later(int(slow[1]) / 1000, self._transport.write, answer)
                continue
            # Alertmanager repeats a label several times in one message.
            for number in set(_MARK.findall(body)):
                self._came.append(int(number))
                self._came.append(now)
            self._transport.write(_ANSWER)

    def _told(self, path: bytes) -> bytes:
        inner = path.removeprefix(b"/codes")
        came = self._came if inner == path else self._codes
        if inner == b"/count":
            return b"%d" % (len(came) // 2)
        return came[2 * int(inner.removeprefix(b"/times/")) :].tobytes()


async def main() -> None:
    """Serve until killed."""
    came, codes = array("q"), array("q")
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(came, codes), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
