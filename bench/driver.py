"""The load: whole HTTP requests, made beforehand, over kept connections; when each left, and whether it was taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Request = tuple[Sequence[int], bytes]
"""The numbers of the events inside, and the bytes of the whole request."""


@dataclass(slots=True)
class Posted:
    """What was posted: for each number the monotonic nanosecond at which its request left; the numbers of each request
    with the nanosecond and the body of its answer; the span of all requests in seconds; and the answers that were not
    the expected one."""

    left: dict[int, int] = field(default_factory=dict)
    answers: list[tuple[Sequence[int], int, bytes]] = field(default_factory=list)
    seconds: float = 0.0
    refused: list[bytes] = field(default_factory=list)


async def post_all(port: int, requests: Sequence[Request], accepted: bytes, connections: int) -> Posted:
    """Post as fast as the answers come: each connection sends its next request when the last one is answered."""
    posted = Posted()
    waiting = iter(requests)
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_work(port, waiting, accepted, posted))
    posted.seconds = time.monotonic() - begun
    return posted


async def post_paced(
    port: int, requests: Sequence[Request], accepted: bytes, connections: int, per_second: float
) -> Posted:
    """Post at a steady rate whatever the answers do, over as many connections as may be needed; these are open before
    the first leaves."""
    posted = Posted()
    queue: asyncio.Queue[Request | None] = asyncio.Queue()
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for reader, writer in opened:
            group.create_task(_work_off(reader, writer, queue, accepted, posted))
        for place, request in enumerate(requests):
            delay = begun + place / per_second - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            queue.put_nowait(request)
        for _ in range(connections):
            queue.put_nowait(None)
    posted.seconds = time.monotonic() - begun
    return posted


async def _work(port: int, waiting: Iterator[Request], accepted: bytes, posted: Posted) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        await _exchange(reader, writer, request, accepted, posted)
    writer.close()


async def _work_off(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    queue: asyncio.Queue[Request | None],
    accepted: bytes,
    posted: Posted,
) -> None:
    while (request := await queue.get()) is not None:
        await _exchange(reader, writer, request, accepted, posted)
    writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, accepted: bytes, posted: Posted
) -> None:
    numbers, data = request
    posted.left.update(dict.fromkeys(numbers, time.monotonic_ns()))
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(_length(head))
    posted.answers.append((numbers, time.monotonic_ns(), body))
    if not head.startswith(accepted):
        posted.refused.append(head + body)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 else 0


def http(path: str, port: int, body: bytes, *headers: str) -> bytes:
    """The bytes of a POST of JSON."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of one GET. Raises OSError where nobody listens."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1]), await reader.readexactly(_length(head))
    finally:
        writer.close()
