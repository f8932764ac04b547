"""What the supervised store is doing, as the hub and its pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class StoreState(Enum):
    """Only `ready` takes work; in every other state the hub answers 503."""

    STOPPED = "stopped"
    STARTING = "starting"
    """The server is being started, adopted, or is loading its files."""
    RECOVERING = "recovering"
    """Its append-only file has a torn end: the copy is being made."""
    READY = "ready"
    NO_DISK = "no_disk"
    """It ended, or could not start, for lack of room; it is started again when there is enough."""
    DOWN = "down"
    """It ended or does not answer; it is started again after a pause."""
    WIPED = "wiped"
    """It answers, but it is not the store that the anchor remembers: an operator has to say what is right."""
    REFUSED = "refused"
    """Its files are damaged: a person has to act, nothing is tried again."""

    @property
    def zh(self) -> str:
        return _ZH[self]


_ZH = {
    StoreState.STOPPED: "已停止",
    StoreState.STARTING: "正在启动",
    StoreState.RECOVERING: "正在恢复",
    StoreState.READY: "正常",
    StoreState.NO_DISK: "磁盘空间不足",
    StoreState.DOWN: "存储无应答",
    StoreState.WIPED: "存储与锚点不符，等待人工确认",
    StoreState.REFUSED: "存储文件损坏，等待人工处理",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Patience of the supervisor, in seconds and bytes."""

    start: float = 60.0
    """For a server to answer after its start, loading apart: a loading server is waited for by `step`."""
    stop: float = 15.0
    """For a server to end after it was asked to, before it is killed."""
    answer: float = 5.0
    """For one answer of a server that runs."""
    look: float = 1.0
    """Between two looks at a server that runs. Its end is noticed at once, without a look."""
    first_pause: float = 0.2
    """Before the first new start; doubled at each failure."""
    longest_pause: float = 30.0
    calm: float = 60.0
    """Of service after which the pauses begin anew."""
    disk_look: float = 5.0
    """Between two looks at a full disk."""
    room: int = 64 << 20
    """Free bytes without which no server is started."""
