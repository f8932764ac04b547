"""What keeps an smstools spool from working, seen before the first message: folders that are missing or shut."""

from __future__ import annotations

import os
from pathlib import Path

from channels.sms.spool_settings import Settings

_NEEDED = ("outgoing", "checked", "sent", "failed")


def troubles(settings: Settings) -> list[tuple[str, str, str]]:
    """The setting, what is wrong with its folder in Chinese and in English; none where all is well."""
    names = [*_NEEDED, *(["incoming"] if settings.uplink or not settings.report else []), *_given(settings)]
    found: list[tuple[str, str, str]] = []
    for name in names:
        folder = settings.folder(name)
        if not folder.is_dir():
            found.append((name, f"没有目录 {folder}", f"there is no folder {folder}"))
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            found.append((name, f"目录 {folder} 不能读写", f"the folder {folder} cannot be read and written"))
    drafts, outgoing = settings.folder("drafts"), settings.folder("outgoing")
    home = drafts if drafts.is_dir() else drafts.parent
    if not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        found.append(("drafts", f"目录 {home} 不能写", f"the folder {home} cannot be written"))
    elif outgoing.is_dir() and _device(home) != _device(outgoing):
        zh = f"{home} 与 {outgoing} 不在同一磁盘分区，不能直接改名"
        found.append(("drafts", zh, f"{home} and {outgoing} are on two file systems, so nothing can be renamed"))
    return found


def _given(settings: Settings) -> list[str]:
    return ["report"] if settings.report else []


def _device(folder: Path) -> int:
    return folder.stat().st_dev
