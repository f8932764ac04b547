"""What the supervisor says when the store is not ready: a Chinese line, an English line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def no_room(folder: Path, free_bytes: Callable[[Path], int], wanted: int, detail: str) -> str:
    """The disk is full."""
    free, wanted = free_bytes(folder) >> 20, wanted >> 20
    return (
        f"磁盘空间不足，存储已停止接收：{folder} 可用 {free} MiB，至少需要 {wanted} MiB；清理后自动恢复。{detail}\n"
        f"no room on disk: {free} MiB free at {folder}, {wanted} MiB needed; it goes on by itself after a "
        f"clean-up. {detail}"
    )


def ended(code: int | None, log: Path, line: str) -> str:
    """The server ended by itself or was killed. code: its exit status, unknown of an adopted one."""
    return (
        f"存储进程已退出（状态 {code}），将自动重新启动。日志 {log}：{line}\n"
        f"the store ended (status {code}) and will be started again. Log {log}: {line}"
    )


def not_started(error: OSError) -> str:
    """The operating system refused to start it."""
    return f"存储启动失败，将自动重试：{error}\nthe store did not start and will be tried again: {error}"


def mute(pid: int) -> str:
    """It runs and says nothing."""
    return (
        f"存储进程 {pid} 在运行但无应答，请检查磁盘是否过慢。\n"
        f"the store (process {pid}) runs and does not answer; is its disk very slow?"
    )


def unheard(folder: Path, pid: int, *, gone: bool) -> tuple[str, str]:
    """A server that never answered, and was asked to end."""
    if gone:
        return (
            f"存储进程 {pid} 一直无应答，已结束，将重新启动。数据目录 {folder}",
            f"store process {pid} never answered; it was ended and will be started again. Data folder {folder}",
        )
    return (
        f"数据目录 {folder} 上的存储进程 {pid} 无应答且无法结束。请检查磁盘，并执行 kill -9 {pid}。",
        f"store process {pid} on data folder {folder} neither answers nor ends. See the disk, try `kill -9 {pid}`.",
    )
