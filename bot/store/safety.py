"""Is an external store safe, and does its clock agree? Facts are read from the servers; the judgement is pure.

The rule is the bargain: accepted means on disk. A store with `appendonly no`, an fsync policy other than `always`, or
an eviction policy can lose what was accepted; it is refused unless the TOML says that this is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis.exceptions import ResponseError

from bot.store.client import Store
from bot.store.errors import UnsafeStoreError
from bot.store.wire import Reply, Result

WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
"""What the bargain needs of every server."""
OLDEST = (6, 2)
WAITAOF_SINCE = (7, 2)
SKEW_LIMIT = 2.0
"""Seconds between the hub's clock and the store's beyond which the hub does no work."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one server says of itself."""

    node: str
    version: tuple[int, ...]
    """Of the Redis protocol; Valkey says which Redis it stands for."""
    settings: dict[str, str] | None
    """None: the server does not let them be read (a managed service)."""
    writable: bool
    """False on a replica."""
    clustered: bool
    has_waitaof: bool


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that is not as the bargain needs it. `fatal` ones no setting of ours can accept."""

    zh: str
    en: str
    fatal: bool = False


async def read_facts(store: Store) -> list[Facts]:
    """Ask every server of the store. Raises StoreUnavailableError, redis ResponseError when INFO itself is refused."""
    about = await store.each_node("INFO")
    settings: dict[str, dict[str, str] | None] = {node: {} for node in about}
    # One at a time: several names in one CONFIG GET need Redis 7.
    for name in WANTED:
        for node, reply in (await store.each_node("CONFIG", "GET", name)).items():
            found = settings.get(node)
            if found is not None and isinstance(reply, list) and len(reply) == 2:
                found[name] = _text(reply[1])
            else:
                settings[node] = None
    waits = await store.each_node("WAITAOF", 0, 0, 1)
    return [_facts(node, reply, settings.get(node), waits.get(node)) for node, reply in about.items()]


def _facts(node: str, reply: Result, settings: dict[str, str] | None, wait: Result) -> Facts:
    if isinstance(reply, Exception):
        raise reply
    lines = (line.partition(":") for line in _text(reply).splitlines())
    info = {name: value for name, colon, value in lines if colon}
    return Facts(
        node=node,
        version=tuple(int(part) for part in info.get("redis_version", "0").split(".") if part.isdigit()),
        settings=settings,
        writable=info.get("role") == "master",
        clustered=info.get("cluster_enabled") == "1",
        has_waitaof=not isinstance(wait, ResponseError),
    )


def _text(reply: Reply) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)


def concerns(facts: Sequence[Facts], *, cluster_address: bool) -> list[Concern]:
    """What speaks against a store, server by server. cluster_address: whether its address was a cluster's."""
    found: list[Concern] = []
    for server in facts:
        node = server.node
        if server.version < OLDEST:
            version = ".".join(map(str, server.version))
            zh, en = f"{node} 版本 {version} 过旧，至少需要 6.2", f"{node} is version {version}, 6.2 is the oldest"
            found.append(Concern(zh, en, fatal=True))
        if not server.writable:
            zh, en = f"{node} 是只读副本，请填写主节点地址", f"{node} is a replica, give the primary's address"
            found.append(Concern(zh, en, fatal=True))
        if server.clustered and not cluster_address:
            zh, en = f"{node} 属于集群，请改用 redis+cluster://", f"{node} is part of a cluster, use redis+cluster://"
            found.append(Concern(zh, en, fatal=True))
        if server.settings is None:
            found.append(
                Concern(
                    f"{node} 不允许读取配置（CONFIG GET 被拒绝），无法确认已接收的事件不会丢失",
                    f"{node} does not let its settings be read (CONFIG GET refused), so nobody can tell whether "
                    "it loses events",
                )
            )
            continue
        for name, wanted in WANTED.items():
            value = server.settings.get(name, "?")
            if value != wanted:
                found.append(
                    Concern(
                        f"{node} 的 {name} 为 {value}，应为 {wanted}，否则已接收的事件可能丢失",
                        f"{node} has {name} {value}, it must be {wanted}, or accepted events can be lost",
                    )
                )
    return found


def refuse_unsafe(found: Sequence[Concern], *, accept_loss: bool) -> None:
    """Raise UnsafeStoreError for what cannot be accepted, or is not.

    accept_loss: the TOML's word that losing accepted events is meant.
    """
    standing = [concern for concern in found if concern.fatal or not accept_loss]
    if not standing:
        return
    zh, en = "；".join(concern.zh for concern in standing), "; ".join(concern.en for concern in standing)
    if not any(concern.fatal for concern in standing):
        zh += "；如确实接受丢失风险，请在配置 [store] 中写 accept_loss = true"
        en += "; if that is meant, set accept_loss = true in [store]"
    raise UnsafeStoreError(f"外部存储不可用：{zh}。", f"the external store is refused: {en}.")


def waitaof_possible(facts: Sequence[Facts]) -> bool:
    """Whether WAITAOF may follow every batch: each server has it, and keeps an append-only file to wait for."""
    return all(
        server.has_waitaof
        and server.version >= WAITAOF_SINCE
        and (server.settings is None or server.settings.get("appendonly") == "yes")
        for server in facts
    )


async def read_skew(store: Store, now: Callable[[], float]) -> float:
    """Seconds by which the store's clock is ahead of the hub's; of several servers the one that is furthest off.

    now: the hub's clock, seconds since the epoch. The time of the journey counts for the store: a slow answer is no
    skew. Raises StoreUnavailableError, redis ResponseError.
    """
    before = now()
    replies = await store.each_node("TIME")
    after = now()
    furthest = 0.0
    for reply in replies.values():
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, list) and len(reply) == 2:
            skew = clock_skew(int(_text(reply[0])) + int(_text(reply[1])) / 1e6, before, after)
            furthest = max(furthest, skew, key=abs)
    return furthest


def clock_skew(there: float, before: float, after: float) -> float:
    """Seconds by which `there` lies outside the span in which it was read.

    0.0 within it, negative when it is behind.
    """
    if there > after:
        return there - after
    return min(there - before, 0.0)


def clocks_agree(skew: float) -> bool:
    """Whether work may be done: due times are numbers compared with the hub's clock, and several hubs share them."""
    return abs(skew) <= SKEW_LIMIT


def skew_text(skew: float) -> str:
    """Why the hub does no work: a Chinese line, an English line."""
    limit = f"{SKEW_LIMIT:.0f}"
    return (
        f"本机时钟与存储相差 {skew:+.1f} 秒（上限 {limit} 秒），已暂停处理：请校准两台机器的时间（chrony 或 ntp）。\n"
        f"this machine's clock and the store's differ by {skew:+.1f} s (limit {limit} s), no work is done: set both "
        "right (chrony or ntp)."
    )
