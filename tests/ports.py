"""Ports for servers of the tests, below those that the system gives to outgoing connections: nobody takes one between
the look and the use."""

from __future__ import annotations

import random
import socket


def free_port(*, beside: int = 0) -> int:
    """A loopback port that is free now; with ``beside``, the port that much above it is free too."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(10_000, 20_000)
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                if beside:
                    other.bind(("127.0.0.1", port + beside))
            except OSError:
                continue
            return port
