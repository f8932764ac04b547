"""Where a command goes in a cluster: by its first key."""

from __future__ import annotations

from redis.crc import key_slot

from bot.store.wire import Argument, Command

_THIRD = {"OBJECT", "XGROUP", "XINFO", "MEMORY", "BITOP", "DEBUG"}
_COUNTED = {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"}
_COUNT_FIRST = {"ZINTER", "ZUNION", "ZDIFF", "SINTERCARD", "ZINTERCARD", "LMPOP", "ZMPOP"}
_KEYLESS = {
    *("ACL", "AUTH", "BGREWRITEAOF", "BGSAVE", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "ECHO", "FLUSHALL"),
    *("FLUSHDB", "FUNCTION", "HELLO", "INFO", "KEYS", "LASTSAVE", "LATENCY", "MODULE", "PING", "PUBLISH", "PUBSUB"),
    *("RANDOMKEY", "REPLICAOF", "ROLE", "SAVE", "SCAN", "SCRIPT", "SHUTDOWN", "SLOWLOG", "SWAPDB", "TIME", "WAIT"),
    "WAITAOF",
}


def as_bytes(argument: Argument) -> bytes:
    """An argument as it goes over the wire."""
    if isinstance(argument, bytes):
        return argument
    return (argument if isinstance(argument, str) else repr(argument)).encode()


def first_key(command: Command) -> bytes | None:
    """The first key of a command, or None when it has none."""
    name = as_bytes(command[0]).upper().decode("ascii", "replace")
    if name in _KEYLESS:
        return None
    if name in ("XREAD", "XREADGROUP"):
        words = [as_bytes(argument).upper() for argument in command]
        place = words.index(b"STREAMS") + 1 if b"STREAMS" in words else len(command)
    elif name in _COUNTED:
        place = 3 if len(command) > 3 and int(command[2]) > 0 else len(command)
    else:
        place = 2 if name in _THIRD or name in _COUNT_FIRST else 1
    return as_bytes(command[place]) if place < len(command) else None


def hash_tag(key: bytes) -> bytes:
    """The part of a key that decides its slot. A tag made of it goes to the same slot unless the key itself holds `}`.

    Raises ValueError for such a key: no other key of our own making can share its slot.
    """
    opening = key.find(b"{")
    closing = key.find(b"}", opening + 1) if opening >= 0 else -1
    if closing > opening + 1:
        return key[opening + 1 : closing]
    if b"}" in key or not key:
        raise ValueError(f"key {key!r} has no usable hash tag")
    return key


def slot_of(key: bytes) -> int:
    """The slot of a key, 0 to 16383."""
    return int(key_slot(key))
