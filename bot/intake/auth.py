"""Who may post as a source: Standard Webhooks signatures, or a bearer token from a listed address.

A source signs if it can. For one that cannot, the token travels with every request, so it counts only from the
addresses on its list.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from channels.standard_webhooks import Verification, verify

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Signing:
    """The source signs every body as it is sent (compressed, if it is). One secret, or two while one replaces the
    other; ``addresses`` may narrow down where it posts from, and is empty where it does not. ``tolerance`` in
    seconds."""

    secrets: tuple[str, ...]
    addresses: tuple[Network, ...] = ()
    tolerance: int = 300


@dataclass(frozen=True, slots=True)
class Bearer:
    """The source shows a token: one, or two while one replaces the other. From outside ``addresses`` nothing counts; an
    empty list lets nobody in."""

    tokens: tuple[str, ...]
    addresses: tuple[Network, ...]


Entrance = Signing | Bearer


class Ground(StrEnum):
    """Why a request was let in or not. Only logs and the journal say it; the answer outside is always the same 401."""

    SIGNED = "signed"
    TOKEN = "token"  # noqa: S105
    MISSING_SIGNATURE = "missing_signature"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    BAD_SIGNATURE = "bad_signature"
    MISSING_TOKEN = "missing_token"  # noqa: S105
    BAD_TOKEN = "bad_token"  # noqa: S105
    FOREIGN_ADDRESS = "foreign_address"

    @property
    def admitted(self) -> bool:
        return self in (Ground.SIGNED, Ground.TOKEN)


_VERIFIED = {
    Verification.OK: Ground.SIGNED,
    Verification.MISSING_HEADER: Ground.MISSING_SIGNATURE,
    Verification.BAD_TIMESTAMP: Ground.BAD_TIMESTAMP,
    Verification.TOO_OLD: Ground.TOO_OLD,
    Verification.TOO_NEW: Ground.TOO_NEW,
    Verification.NO_MATCH: Ground.BAD_SIGNATURE,
}


def client_address(peer: str, forwarded: Sequence[str], proxies: tuple[Network, ...]) -> Address | None:
    """Whom a request comes from: the peer, or, where the peer is one of our ``proxies``, the last address in the
    ``X-Forwarded-For`` headers that is no proxy of ours. Anybody can write the rest of that header.

    None where that address cannot be read; nobody's list contains it.
    """
    address = _address(peer)
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    while address is not None and hops and listed(address, proxies):
        address = _address(_without_port(hops.pop()))
    return address


def _without_port(hop: str) -> str:
    """Some proxies write the port too: ``192.0.2.1:5511``, ``[2001:db8::1]:5511``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def admit_bearer(entrance: Bearer, headers: Mapping[str, str], address: Address | None) -> Ground:
    """Whether the ``Authorization`` header shows one of the tokens, from a listed address. Needs no body."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        return Ground.MISSING_TOKEN
    # Digests have one length, so that neither the time nor a length tells how much of a guess was right.
    given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
    matched = False
    for each in entrance.tokens:
        matched |= hmac.compare_digest(hashlib.sha256(each.encode()).digest(), given)
    if not matched:
        return Ground.BAD_TOKEN
    return Ground.TOKEN if listed(address, entrance.addresses) else Ground.FOREIGN_ADDRESS


def admit_signed(
    entrance: Signing, headers: Mapping[str, str], body: bytes, address: Address | None, now: int
) -> Ground:
    """Whether the body as received is signed by one of the secrets. ``now`` in milliseconds since the epoch."""
    if entrance.addresses and not listed(address, entrance.addresses):
        return Ground.FOREIGN_ADDRESS
    return _VERIFIED[verify(entrance.secrets, headers, body, now // 1000, entrance.tolerance)]


@lru_cache(maxsize=1024)
def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1024)
def listed(address: Address | None, networks: tuple[Network, ...]) -> bool:
    """Whether the address is in one of the networks; what is no address is in none."""
    return address is not None and any(address in network for network in networks)
