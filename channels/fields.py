"""Kinds of setting that several channels share."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field
from yarl import URL


def _http_url(value: str) -> str:
    if value:
        url = URL(value)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("应为 https://主机/路径 或 http://主机:端口/路径")
    return value.rstrip("/") if URL(value).path == "/" else value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An address that begins with http:// or https://, or nothing; a lone slash at the end is taken off."""


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        try:
            ipaddress.ip_network(each, strict=False)
        except ValueError:
            raise ValueError(f"{each!r} 不是地址或网段（例如 10.1.2.3 或 10.1.2.0/24）") from None
    return value


Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]
"""Addresses and networks, as numbers."""


Readers = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1, description="群里有哪些单位的人：单位的 id 或企业的统一社会信用代码，照实写全"),
]
"""Whose people read a group. The hub sends a group nothing of an enterprise whose line does not hold all of them."""


def bare_signature(value: str) -> str:
    """An SMS signature without its brackets. Raises ValueError for one with them, or for more than 20 characters."""
    if any(mark in value for mark in "【】[]") or len(value) > 20:
        raise ValueError("只写签名本身，不带【】，最多 20 字")
    return value
