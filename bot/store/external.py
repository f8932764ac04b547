"""The door to stores that the hub does not supervise: one server, Sentinel, a cluster.

Addresses: `redis://`, `rediss://`, `unix://` as redis-py reads them; `redis+sentinel://host:port,host:port/name` and
`redis+cluster://host:port,host:port`, with `user:password@` before the hosts where needed (for Sentinel these are the
data servers'; its own go as `?sentinel_username=…&sentinel_password=…`), `rediss+…` for TLS. Other options follow
redis-py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

from bot.store.client import ANSWER_SECONDS, CONNECTIONS, Store
from bot.store.cluster_route import ClusterRoute
from bot.store.errors import BadStoreUrlError
from bot.store.routes import SingleRoute
from bot.store.wire import WaitAof

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")


@dataclass(frozen=True, slots=True)
class Address:
    """A store's address, taken apart. `shown` is fit for logs: it holds no password."""

    kind: str
    """single, sentinel or cluster"""
    shown: str
    hosts: tuple[tuple[str, int], ...]
    service: str
    """Sentinel's name of the master."""
    options: dict[str, Any] = field(repr=False)


def parse(url: str) -> Address:
    """Take an address apart. Raises BadStoreUrlError, which never shows a password."""
    scheme, _, rest = url.partition("://")
    credentials, _, place = rest.rpartition("@")
    shown = f"{scheme}://{place.partition('?')[0]}"
    if "://" not in url:
        raise BadStoreUrlError("store 地址不可用：缺少类型。", "the store address is of no use: its kind is missing.")
    if scheme not in SCHEMES:
        raise _bad(
            shown,
            f"未知类型 {scheme!r}，可用：{'、'.join(SCHEMES)}",
            f"unknown kind {scheme!r}, use one of {', '.join(SCHEMES)}",
        )
    try:
        if "+" not in scheme:
            return Address("single", shown, (), "", dict(parse_url(url)))
        parts = urlsplit(url)
        options = _common(parts.netloc.rpartition("@")[0], parts.query, tls=scheme.startswith("rediss"))
        hosts = tuple(_host(text) for text in parts.netloc.rpartition("@")[2].split(","))
    except ValueError as error:
        text = str(error)
        # A `/` or `#` in a password moves it to where a port is looked for, and the error quotes it.
        for piece in re.split(r"[:/?#]", credentials):
            text = text.replace(f"'{piece}'", "…")
        zh = f"写法有误（密码中的特殊字符须用百分号编码）：{text}"
        raise _bad(shown, zh, f"it cannot be read (percent-encode special characters of a password): {text}") from None
    service = unquote(parts.path.strip("/"))
    if scheme.endswith("sentinel") and not service:
        raise _bad(
            shown,
            "缺少主节点名，例如 redis+sentinel://host:26379/mymaster",
            "the master's name is missing, as in redis+sentinel://host:26379/mymaster",
        )
    if scheme.endswith("cluster") and service not in ("", "0"):
        raise _bad(shown, "集群只有 0 号库", "a cluster has database 0 only")
    return Address("sentinel" if scheme.endswith("sentinel") else "cluster", shown, hosts, service, options)


def _bad(shown: str, zh: str, en: str) -> BadStoreUrlError:
    return BadStoreUrlError(f"store 地址 {shown} 不可用：{zh}。", f"the store address {shown} is of no use: {en}.")


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None:
        raise ValueError(f"{text!r} is not host:port")
    return parts.hostname, parts.port


def _common(credentials: str, query: str, *, tls: bool) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_url(f"redis://h?{query}" if query else "redis://h"))
    options.pop("host", None)
    # parse_url leaves what it does not know as text; Sentinel's own credentials are among that.
    options.update({key: value for key, value in parse_qsl(query) if key.startswith("sentinel_")})
    user, _, password = credentials.partition(":")
    if user:
        options["username"] = unquote(user)
    if password:
        options["password"] = unquote(password)
    if tls:
        options["ssl"] = True
    return options


def with_credentials(url: str, username: str, password: str) -> str:
    """The address with its credentials, for :func:`connect` only; never shown."""
    if not password:
        return url
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"


def connect(url: str, *, wait: WaitAof | None = None) -> Store:
    """A client of the store at `url`; it connects when first used.

    wait: WAITAOF behind every batch of scripts; see `safety.waits`. Raises BadStoreUrlError.
    """
    address = parse(url)
    common: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "driver_info": None,
        **address.options,
    }
    # Bytes and RESP2 are what the rest of the hub reads.
    common |= {"protocol": 2, "decode_responses": False}
    if address.kind == "single":
        pool = BlockingConnectionPool(max_connections=CONNECTIONS, timeout=ANSWER_SECONDS, **common)
        return Store(SingleRoute(pool, address.shown), wait=wait)
    if address.kind == "sentinel":
        return Store(_sentinel_route(address, common), wait=wait)
    nodes = [ClusterNode(host, port) for host, port in address.hosts]
    cluster = RedisCluster(startup_nodes=nodes, max_connections=CONNECTIONS * 4, **common)
    return Store(ClusterRoute(cluster, address.shown), wait=wait)


def _sentinel_route(address: Address, common: dict[str, Any]) -> SingleRoute:
    own = {key.removeprefix("sentinel_"): common.pop(key) for key in list(common) if key.startswith("sentinel_")}
    asked = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS, **own}
    if common.get("ssl"):
        asked["ssl"] = True
    # Both constructors carry no types.
    watchers: Callable[..., Sentinel] = Sentinel
    pool: Callable[..., SentinelConnectionPool] = SentinelConnectionPool
    sentinel = watchers(list(address.hosts), sentinel_kwargs=asked)
    closing = [client.aclose for client in sentinel.sentinels]
    return SingleRoute(pool(address.service, sentinel, **common), address.shown, closing=closing)
