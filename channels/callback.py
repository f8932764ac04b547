"""Where a vendor's call-backs knock, and who may: a secret path for each channel and a list of addresses.

The door itself is the hub's web server; what a call-back says is read by the channel's driver (:class:`Inbound`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable
from urllib.parse import quote

from pydantic import SecretStr

from channels.channel import Report, Uplink


class Errand(StrEnum):
    """What a call-back brings."""

    UPLINK = "uplink"
    REPORT = "report"


@runtime_checkable
class Inbound(Protocol):
    """A driver whose vendor calls back; the web server finds such drivers by ``isinstance``.

    An empty ``callback_token`` means that the door stays shut. The readers are pure and raise ValueError, with words
    fit for a log, for anything that is not what the vendor sends.
    """

    name: str
    callback_token: SecretStr
    callback_addresses: tuple[str, ...]

    def read_query(self, raw: str) -> dict[str, str]: ...

    def read_uplink(self, params: Mapping[str, str], at: int) -> Uplink: ...

    def read_report(self, params: Mapping[str, str], at: int) -> Report: ...


def callback_path(channel: str, token: str, errand: Errand) -> str:
    """The path of a channel's call-back, percent-encoded: ``/callback/<channel>/<token>/<errand>``."""
    return f"/callback/{quote(channel, safe='')}/{quote(token, safe='')}/{errand}"


def address_allowed(address: str, allowed: Sequence[str]) -> bool:
    """Whether ``address`` (a number, as the socket says) lies in one of the networks ``allowed``; none: nobody."""
    try:
        caller = _plain(ipaddress.ip_address(address))
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(each, strict=False) for each in allowed)


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
