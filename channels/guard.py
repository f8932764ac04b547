"""Which hosts an outgoing webhook may reach: public ones by TLS, others only when an administrator listed them.

Names are resolved here, once, and the connection goes to exactly the address that was checked, so that a name which
changes its answer between check and use (DNS rebinding) gains nothing. Closed government networks are private ones;
that is why a list exists.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenHostError(ValueError):
    """The host may not be reached; says which setting would allow it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked destination: ``url`` holds the address as a number, ``host`` is what the Host header says, and
    ``server_hostname`` the name a certificate must bear (None without TLS)."""

    url: URL
    host: str
    server_hostname: str | None


class Guard:
    """Checks destinations against ``allowed`` (host names, addresses, networks) and remembers them for a while.

    ``lifetime`` is in seconds of the event loop's clock: afterwards a name is resolved and checked again.
    """

    __slots__ = ("_known", "_lifetime", "_names", "_networks", "_turns")

    def __init__(self, allowed: Sequence[str], lifetime: float = 60.0) -> None:
        self._names: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for each in allowed:
            try:
                self._networks.append(ipaddress.ip_network(each.strip("[]"), strict=False))
            except ValueError:
                self._names.add(each.lower().rstrip("."))
        self._lifetime = lifetime
        self._known: dict[str, tuple[float, Target]] = {}
        self._turns: Counter[str] = Counter()

    async def target(self, address: str) -> Target:
        """The checked destination of a URL.

        Raises :class:`ForbiddenHostError` for one that may not be reached, OSError when the name cannot be resolved.
        """
        now = asyncio.get_running_loop().time()
        known = self._known.get(address)
        if known is not None and now < known[0]:
            return known[1]
        target = await self._check(address)
        if len(self._known) >= 1024:
            self._known.clear()
            self._turns.clear()
        self._known[address] = (now + self._lifetime, target)
        return target

    def forget(self, address: str) -> None:
        """The destination did not answer: resolve it again next time, and take the next of its addresses."""
        self._known.pop(address, None)
        self._turns[address] += 1

    async def _check(self, address: str) -> Target:
        try:
            url = URL(address)
            host, port = url.raw_host, url.port
        except ValueError:
            raise ForbiddenHostError("不是合法的网址") from None
        if url.scheme not in ("http", "https") or not host or not port:
            raise ForbiddenHostError("网址应以 https:// 或 http:// 开头并带主机名")
        if url.user or url.password:
            raise ForbiddenHostError("网址中不能带用户名或密码")
        listed = host.lower().rstrip(".") in self._names
        found = await _resolve(host, port)
        # All must pass: which of them a connection would take is not ours to choose later.
        for each in found:
            if not (listed or self._allows(each)):
                self._refuse(each, host)
        if url.scheme == "http" and not (listed or all(self._listed(each) for each in found)):
            raise ForbiddenHostError(f"{host} 不在 allow_hosts 中，只能用 https")
        number = found[self._turns[address] % len(found)]
        return Target(
            url=url.with_host(str(number)),
            host=url.host_port_subcomponent or host,
            server_hostname=host if url.scheme == "https" else None,
        )

    def _allows(self, number: Address) -> bool:
        return self._listed(number) or (number.is_global and not number.is_multicast)

    def _listed(self, number: Address) -> bool:
        return any(number in network for network in self._networks)

    @staticmethod
    def _refuse(number: Address, host: str) -> None:
        raise ForbiddenHostError(f"{host} 指向内网或保留地址 {number}；确属可信时请写入 allow_hosts")


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise ForbiddenHostError(f"主机名不合法：{error}") from None
    found: dict[Address, None] = {}
    for *_, place in answers:
        number = ipaddress.ip_address(str(place[0]).partition("%")[0])
        mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
        found[mapped or number] = None
    if not found:
        raise OSError(f"{host} has no address")
    return list(found)
