"""Somebody else's Redis: one server, the master that Sentinels name, or a cluster. Addresses are written as those of
the hub's own store, without credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

_SINGLE = ("redis", "rediss", "unix")
_SENTINEL = ("redis+sentinel", "rediss+sentinel")
_CLUSTER = ("redis+cluster", "rediss+cluster")
SENTINEL_SECONDS = 1.0
"""How long one Sentinel may take to answer before the next is asked: none that hangs takes a send's whole time."""

Client = Redis | RedisCluster


def address(value: str) -> str:
    """The address as it is, checked. Raises ValueError."""
    scheme = urlsplit(value).scheme
    if scheme not in (*_SINGLE, *_SENTINEL, *_CLUSTER):
        raise ValueError(
            "应为 redis://主机:端口、rediss://主机:端口、unix:///路径、redis+sentinel://主机:端口,主机:端口/主节点名 "
            "或 redis+cluster://主机:端口,主机:端口（TLS 用 rediss+…）"
        )
    if "@" in value or "password=" in value:
        raise ValueError("地址里不写密码，另写 username 和 password")
    if scheme in _SINGLE:
        parse_url(value)
        return value
    _hosts(value)
    name = _name(value)
    if scheme in _SENTINEL and not name:
        raise ValueError("缺少主节点名，例如 redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster")
    if scheme in _CLUSTER and name not in ("", "0"):
        raise ValueError("集群只有 0 号库")
    _options(value)
    return value


def connect(value: str, *, username: str, password: str | None, seconds: float, at_once: int) -> Client:
    """A client that connects when it is first used. It repeats nothing by itself: that is for whoever sends. The
    redirections of a cluster are followed."""
    scheme = urlsplit(value).scheme
    options: dict[str, Any] = dict(parse_url(value)) if scheme in _SINGLE else _options(value)
    if password is not None:
        options |= {"username": username or None, "password": password}
    options |= {
        "protocol": 2,
        "driver_info": None,
        "decode_responses": False,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
    }
    if scheme in _SINGLE:
        return Redis(connection_pool=BlockingConnectionPool(max_connections=at_once, timeout=seconds, **options))
    if scheme in _CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in _hosts(value)]
        return RedisCluster(startup_nodes=nodes, max_connections=at_once, **options)
    patience = min(seconds, SENTINEL_SECONDS)
    asked: dict[str, Any] = {"socket_timeout": patience, "socket_connect_timeout": patience}
    asked |= {"ssl": True} if options.get("ssl") else {}
    # Its constructor carries no types.
    watchers: Callable[..., Any] = Sentinel
    client: Redis = watchers(_hosts(value), sentinel_kwargs=asked).master_for(_name(value), **options)
    return client


async def close(client: Client) -> None:
    """End its connections."""
    await client.aclose()
    if isinstance(client, Redis):
        pool = client.connection_pool
        await pool.aclose()
        for watcher in pool.sentinel_manager.sentinels if isinstance(pool, SentinelConnectionPool) else ():
            await watcher.aclose()


def _hosts(value: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for text in urlsplit(value).netloc.split(","):
        parts = urlsplit(f"//{text}")
        if not parts.hostname or parts.port is None:
            raise ValueError(f"{text!r} 不是 主机:端口")
        found.append((parts.hostname, parts.port))
    return found


def _name(value: str) -> str:
    return unquote(urlsplit(value).path.strip("/"))


def _options(value: str) -> dict[str, Any]:
    """What stands behind the question mark, as redis-py reads it."""
    parts = urlsplit(value)
    options: dict[str, Any] = dict(parse_url(f"redis://h?{parts.query}" if parts.query else "redis://h"))
    options.pop("host", None)
    if parts.scheme.startswith("rediss"):
        options["ssl"] = True
    return options
