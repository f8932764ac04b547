"""A torn append-only file: keep a copy, say what is lost, and never repair what is damaged in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.store import aof
from bot.store.disk import copy_folder
from bot.store.errors import StoreRefusedError


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start with a torn append-only file has cost. For the journal and for people."""

    at: datetime
    file: Path
    size: int
    """Bytes of the file as found."""
    kept: int
    """Bytes that were loaded; the loss begins here."""
    copy: Path
    """The untouched copy of the whole append-only folder."""

    @property
    def lost(self) -> int:
        """Bytes cut off. They may hold a write that was answered for; only the anchor can tell."""
        return self.size - self.kept

    @property
    def zh(self) -> str:
        return (
            f"存储文件 {self.file.name} 末尾不完整：自第 {self.kept} 字节起丢弃 {self.lost} 字节"
            f"（共 {self.size} 字节），原文件已保留于 {self.copy}。"
        )

    @property
    def en(self) -> str:
        return (
            f"the end of {self.file.name} was torn: {self.lost} bytes from byte {self.kept} on were cut off "
            f"(of {self.size}); the files as found are kept in {self.copy}."
        )


def remove_unfinished(folder: Path) -> None:
    """Remove what a server that was killed while it compacted its file left unfinished: no server ever looks at it
    again, and each such death would leave another one until the disk is full.

    Only for who holds the server's lock: its rewriting child holds it too. Raises OSError.
    """
    for pattern in ("temp-rewriteaof-*.aof", "temp-*.rdb"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def refuse_orphaned(folder: Path) -> None:
    """Raise StoreRefusedError when data files lack their manifest: the server would pass over them in silence."""
    files = aof.orphaned_files(folder)
    if files:
        names = ", ".join(path.name for path in files)
        raise StoreRefusedError(
            f"{folder / aof.FOLDER} 中有数据文件（{names}）但缺少清单文件 {aof.NAME}.manifest，启动会得到空库。"
            "请从备份恢复清单文件；确认不要这些数据时，把该目录移走后再启动。",
            f"{folder / aof.FOLDER} holds data files ({names}) without {aof.NAME}.manifest; "
            "starting would give an empty store. Restore the manifest from a backup, or move the folder "
            "away if its data is not wanted.",
        )


def keep_torn(folder: Path, now: datetime) -> Recovery:
    """Look at the file that the server called torn; if it is, keep a copy and say what a start without its tail costs.

    Blocks while it reads and copies. Raises StoreRefusedError when the file is damaged rather than torn, OSError (a
    lack of room among them) when the copy cannot be made; the files are then as they were.
    """
    try:
        file = aof.last_file(folder)
    except (OSError, ValueError, KeyError) as error:
        raise damaged(folder, str(error)) from error
    if file is None or not file.exists():
        raise damaged(folder, f"{file} is missing")
    reading = aof.read(file)
    if reading.shape is not aof.Shape.TORN:
        # A whole last file means that the server met the torn end in an earlier one, behind which there is more.
        raise damaged(folder, f"{file.name}, byte {reading.at} of {reading.size}")
    copy = _free_name(folder, now)
    copy_folder(folder / aof.FOLDER, copy)
    return Recovery(at=now, file=file, size=reading.size, kept=reading.whole, copy=copy)


def _free_name(folder: Path, now: datetime) -> Path:
    stem = now.astimezone(UTC).strftime("torn-%Y%m%dT%H%M%SZ")
    number = 1
    while (candidate := folder / (stem if number == 1 else f"{stem}.{number}")).exists():
        number += 1
    return candidate


def damaged(folder: Path, where: str) -> StoreRefusedError:
    """The refusal of files that are damaged in the middle: what is behind the damage would be lost by any repair."""
    return StoreRefusedError(
        f"存储文件损坏，未启动：{where}。损坏处之后仍有数据，自动修复会将其全部丢弃，因此不做任何修改。"
        f"请先完整复制 {folder}，再从备份恢复 {folder / aof.FOLDER}，或请维护人员处理；"
        "不要运行 valkey-check-aof --fix。",
        f"the store's files are damaged, it was not started: {where}. There is data behind the damage which any repair "
        f"would throw away, so nothing was changed. Copy {folder} whole first, then restore {folder / aof.FOLDER} from "
        "a backup or ask for help; do not run valkey-check-aof --fix.",
    )
