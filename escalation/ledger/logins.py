"""Failed log-ins: how long somebody has to wait before the next try, for each account and each address.

A try is counted before the password is looked at. Waits grow from 30 seconds and end: whoever hammers an account can
hold others up for minutes only, and never an address from which the account was opened lately.
"""

from __future__ import annotations

from typing import NamedTuple

from escalation.ledger.door import Command, Store
from escalation.ledger.keys import LOGINS, US
from escalation.ledger.scripts import register

MINUTE = 60_000
DECAY = 12 * 60 * MINUTE
"""After so long without a try, earlier failures count no more (ms)."""
KNOWN = 90 * 24 * 60 * MINUTE
"""How long an address stays one from which the account was opened (ms)."""
OF_PAIR = (5, 15 * MINUTE)
OF_ADDRESS = (20, 15 * MINUTE)
OF_ACCOUNT = (10, 5 * MINUTE)
"""At which failure waiting begins, and the longest wait (ms): of an account at one address, of an address whatever the
account, of an account wherever it is tried from."""


class Door(NamedTuple):
    """What a try is counted under: the account as it was written (digested where there is none), and the address."""

    account: str
    address: str


class Logins:
    """Log-ins tried on one store. Every method raises the store's error."""

    def __init__(self, store: Store) -> None:
        register(store, "login_try")
        self._store = store

    async def begin(self, door: Door, now: int) -> int:
        """A try is about to be looked at: 0, and it is counted as failed until :meth:`succeed`; or how many
        milliseconds to wait first, and nothing is counted."""
        args: list[str | int] = [now, DECAY]
        for field, (free, longest) in zip(_fields(door), (OF_ADDRESS, OF_PAIR, OF_ACCOUNT), strict=True):
            args += (field, free, longest)
        args.append(_known(door))
        (reply,) = await self._store.run_scripts([("login_try", [LOGINS], args)])
        if isinstance(reply, Exception):
            raise reply
        return int(reply)

    async def succeed(self, door: Door, now: int) -> None:
        """It was the right password: earlier failures are forgotten, and the address is known to the account."""
        commands: list[Command] = [("HDEL", LOGINS, *_fields(door)), ("HSET", LOGINS, _known(door), now + KNOWN)]
        for reply in await self._store.pipeline(commands):
            if isinstance(reply, Exception):
                raise reply

    async def forget(self, now: int) -> int:
        """Drop what no longer counts; how many rows."""
        flat = await self._store.execute("HGETALL", LOGINS)
        old = [flat[at] for at in range(0, len(flat), 2) if _over(flat[at], flat[at + 1], now)]
        return int(await self._store.execute("HDEL", LOGINS, *old)) if old else 0


def _fields(door: Door) -> tuple[str, str, str]:
    return f"i{US}{door.address}", f"p{US}{door.account}{US}{door.address}", f"a{US}{door.account}"


def _known(door: Door) -> str:
    return f"k{US}{door.account}{US}{door.address}"


def _over(field: bytes, row: bytes, now: int) -> bool:
    if field.startswith(b"k"):
        return int(row) <= now
    _, last, until = map(int, row.split())
    return last + DECAY < now and until < now
