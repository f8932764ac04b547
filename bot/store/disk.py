"""Small durable steps on the file system: atomic files, private folders, copies that are on disk, room left."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from bot import system_words
from bot.store.errors import StoreRefusedError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Errors that mean: no room to write (disk, quota, file size limit)."""


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data`: a reader, or a power cut, sees the old bytes or the new ones and nothing between.

    Raises OSError; the old file is then still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    finally:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names inside `folder` to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> None:
    """Make `folder` (and its parents) if needed; it must be ours, and afterwards nobody else's to read (0700).

    Raises StoreRefusedError when it is another user's, or no folder.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise StoreRefusedError(
            f"不能建立数据目录 {folder}（hub.data）：{system_words.why(error)[0]}。",
            f"the data folder {folder} (hub.data) cannot be made: {system_words.why(error)[1]}.",
        ) from error
    about = folder.stat()
    if about.st_uid != os.geteuid():
        raise StoreRefusedError(
            f"数据目录 {folder} 属于用户 {about.st_uid}，本进程用户为 {os.geteuid()}。"
            "请改用正确的用户启动，或 chown 该目录。",
            f"data folder {folder} belongs to user {about.st_uid}, this process runs as {os.geteuid()}. "
            "Start as the right user, or chown the folder.",
        )
    if about.st_mode & 0o077:
        folder.chmod(0o700)


def copy_folder(source: Path, target: Path) -> None:
    """Copy the flat folder `source` to the new folder `target`, on disk when this returns.

    A failed copy leaves nothing. Raises FileExistsError, or OSError when there is no room.
    """
    target.mkdir(mode=0o700)
    try:
        for entry in sorted(source.iterdir()):
            with entry.open("rb") as reader, (target / entry.name).open("xb") as writer:
                os.fchmod(writer.fileno(), 0o600)
                shutil.copyfileobj(reader, writer, 1 << 20)
                writer.flush()
                os.fsync(writer.fileno())
        sync_folder(target)
        sync_folder(target.parent)
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the file system of `folder`."""
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize


def can_write(folder: Path, size: int = 1 << 20) -> bool:
    """Whether `size` bytes really fit now: a quota or a reserved share does not show in the free space.

    Raises OSError for failures other than a lack of room.
    """
    probe = folder / f".room.{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(b"\0" * size)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in FULL:
            return False
        raise
    finally:
        with suppress(OSError):
            probe.unlink()
    return True
