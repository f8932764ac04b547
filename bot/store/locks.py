"""Two locks on a data folder: one held by the hub, one that lives exactly as long as the server.

`hub.lock` keeps a second hub away. `server.lock` is taken by the hub, inherited by the server process, and then closed
by the hub: the kernel keeps it until the server (and a rewriting child of it) is gone, whatever happens to the hub. So
"is a server running on this folder?" has an answer that no stale file can falsify. The files are never removed: a lock
on a removed name would protect nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from bot.store.errors import HubRunningError, StoreRefusedError

HUB_LOCK = "hub.lock"
SERVER_LOCK = "server.lock"


def take(path: Path) -> int | None:
    """Take the lock on `path` without waiting: an open descriptor that holds it, or None when somebody else does.

    Raises StoreRefusedError when the file was replaced meanwhile, or the file system knows no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino != path.stat().st_ino:
            raise FileNotFoundError(path)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise StoreRefusedError(
            f"无法锁定 {path}：{error}。数据目录须在本机文件系统上，锁文件不得删除或替换。",
            f"cannot lock {path}: {error}. The data folder has to be on a local file system, and its lock files "
            "must not be removed or replaced.",
        ) from error
    return descriptor


def is_held(path: Path) -> bool:
    """Whether anybody holds the lock on `path` now."""
    descriptor = take(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def holders(path: Path) -> list[int]:
    """The processes of this user that have `path` open, by the kernel's word (/proc), this process left out."""
    found: list[int] = []
    with suppress(OSError):
        wanted = path.stat()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with suppress(OSError):
                if any(_same(link, wanted) for link in (entry / "fd").iterdir()):
                    found.append(int(entry.name))
    return sorted(found)


def holds(pid: int, path: Path) -> bool:
    """Whether process `pid` of this user has `path` open."""
    with suppress(OSError):
        wanted = path.stat()
        return any(_same(link, wanted) for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def _same(link: Path, wanted: os.stat_result) -> bool:
    try:
        about = link.stat()
    except OSError:
        return False
    return (about.st_dev, about.st_ino) == (wanted.st_dev, wanted.st_ino)


class HubLock:
    """The right to be the hub of one data folder, held until `release` or the end of the process."""

    def __init__(self, folder: Path, since: str) -> None:
        """Take it.

        folder: the data folder, which exists. since: the time of start as people read it, for the one who is refused.
        Raises HubRunningError with the holder's pid, StoreRefusedError when the folder cannot be locked.
        """
        path = folder / HUB_LOCK
        descriptor = take(path)
        if descriptor is None:
            raise _refusal(folder, path)
        self._descriptor: int | None = descriptor
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(about).encode() + b"\n", 0)

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _refusal(folder: Path, path: Path) -> HubRunningError:
    # The pid written in the file is what its holder said; the kernel's list comes first where it can be read.
    said: dict[str, object] = {}
    with suppress(OSError, ValueError):
        loaded = json.loads(path.read_bytes())
        said = loaded if isinstance(loaded, dict) else {}
    pids = holders(path) or [pid for pid in [said.get("pid")] if isinstance(pid, int)]
    pid = "、".join(str(pid) for pid in pids) or "?"
    since = said.get("since", "?")
    return HubRunningError(
        f"数据目录 {folder} 已由另一个烽火进程使用（进程号 {pid}，启动于 {since}）。"
        f"查看：ps -p {pid}；如确需替换，先停止它：kill {pid}，再启动。",
        f"data folder {folder} is in use by another hub (pid {pid}, since {since}). Look at it with `ps -p {pid}`; to "
        f"replace it, stop it first with `kill {pid}`, then start again.",
    )
