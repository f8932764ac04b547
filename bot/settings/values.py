"""Single values of the configuration that have a form of their own: addresses, ports, time zones."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from yarl import URL

# What yarl makes of a host in other letters than these is no name; what has colons it has read as an address.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


def _http(value: str) -> str:
    try:
        url = URL(value)
    except ValueError:
        url = URL()
    # A name and password here would stand in every message.
    plain = url.user is None and url.password is None and _HOST.fullmatch(url.raw_host or "")
    if url.scheme not in ("http", "https") or not plain or url.query_string or url.fragment:
        raise PydanticCustomError("not_http", "an address such as https://alarm.example.cn")
    return value.rstrip("/")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("unknown_zone", "no such time zone") from None
    return value


def _address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise PydanticCustomError("not_address", "an IP address") from None
    return value


Port = Annotated[int, Field(ge=1, le=65535)]
Http = Annotated[str, AfterValidator(_http)]
Zone = Annotated[str, AfterValidator(_zone)]
Ip = Annotated[str, AfterValidator(_address)]
