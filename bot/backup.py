"""``fenghuo backup``: store, journal, anchor and configuration as one set, copied while the hub runs or not.

The order makes the set agree with itself. The anchor is read first and the store's files are held as of a later
instant, so the store has everything that the anchor promises; the filed journal is the list of that instant. The list
of files with their digests is written last: a backup without it is none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from bot.settings.files import Sources
from bot.settings.load import Loaded
from bot.settings.models import Settings
from bot.store import aof, disk
from bot.store.anchor import Anchor
from bot.store.snapshot import copy, copy_plain, sha256, snapshot
from escalation.calendar import ZONE
from escalation.evidence import FOLDER as EVIDENCE

LIST = "backup.json"
FORMAT = 1
DATA, CONFIG = "data", "config"


class NoBackup(Exception):
    """No backup was made, or this is none; says why, in Chinese and English."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup. ``path`` is relative to the backup, ``size`` in bytes."""

    path: str
    size: int
    sha256: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """``backup.json``: what was saved, when (RFC 3339: what came later may be missing) and by which version.

    ``main`` is the configuration's name; ``left_out`` are files of the configuration that are not here: secrets, unless
    they were asked for, and what lies outside its folder. ``rows`` are the journal rows that were anchored.
    """

    format: int
    made_at: str
    version: str
    store_id: str
    rows: int
    main: str
    secrets: bool
    left_out: list[str]
    files: list[Kept]


def back_up(path: Path, loaded: Loaded, settings: Settings, target: Path, *, secrets: bool = False) -> Backup:
    """Save everything into ``target``, a folder that is empty or not there yet, and return its list.

    ``path`` is the main file of the configuration. Raises NoBackup, RestlessStoreError, OSError, ValueError.
    """
    data = settings.hub.data
    if settings.store.url is not None:
        raise NoBackup(
            "使用外部存储时，请用它自己的办法备份存储；数据文件夹（anchor.json、journal）和配置另行复制。 / "
            "an external store is backed up by its own means; copy data folder and configuration beside it."
        )
    if not (data / "store" / aof.FOLDER / f"{aof.NAME}.manifest").exists():
        raise NoBackup(f"{data} 中还没有数据 / there is no data in {data}")
    inside = target.resolve()
    if inside.is_relative_to(data.resolve()):
        raise NoBackup(f"不要备份到数据文件夹 {data} 里面 / the target must not be inside the data folder")
    if target.exists() and any(target.iterdir()):
        raise NoBackup(f"{target} 不是空的，请换一个新文件夹 / {target} is not empty, name a new folder")
    before = os.umask(0o077)
    started = datetime.now(ZONE).isoformat(timespec="seconds")
    try:
        target.mkdir(parents=True, exist_ok=True)
        anchor = _save_data(data, target / DATA)
        left_out = _save_config(path, loaded, target / CONFIG, secrets=secrets)
        made = Backup(
            format=FORMAT,
            made_at=started,
            version=version("fenghuo"),
            store_id=anchor.store_id if anchor else "",
            rows=sum(head.count for head in anchor.heads.values()) if anchor else 0,
            main=path.name,
            secrets=secrets,
            left_out=left_out,
            files=[_kept(target, file) for file in _files(target)],
        )
        for folder in sorted({file.parent for file in _files(target)}):
            disk.sync_folder(folder)
        disk.write_atomically(target / LIST, msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    finally:
        os.umask(before)
    return made


def _save_data(data: Path, target: Path) -> Anchor | None:
    target.mkdir(mode=0o700)
    anchor = Anchor.load(data / "anchor.json")
    if anchor is not None:
        disk.write_atomically(target / "anchor.json", anchor.encode())
    for former in sorted(data.glob("anchor-*.json")):
        copy_plain(former, target / former.name)
    with snapshot(data / "store", data / "journal") as found:
        copy(found, target / "store")
        for segment in found.journal:
            copy_plain(segment, target / "journal" / segment.name)
    # After the store: every picture that it knows of as kept was on disk before it knew.
    for picture in sorted((data / EVIDENCE).glob("*/*.*")):
        if not picture.name.startswith("."):
            copy_plain(picture, target / EVIDENCE / picture.parent.name / picture.name)
    return anchor


def _save_config(path: Path, loaded: Loaded, target: Path, *, secrets: bool) -> list[str]:
    """Copy the files of the configuration to the same places below ``target``; what is left out."""
    configuration = set(Sources.of(path).read)
    left_out: list[str] = []
    for file in dict.fromkeys((path.resolve(), *loaded.files)):
        is_secret = file != path.resolve() and file not in configuration
        try:
            place = file.resolve().relative_to(loaded.folder)
        except ValueError:
            left_out.append(str(file))
            continue
        if is_secret and not secrets:
            left_out.append(str(place))
        elif file.exists():
            copy_plain(file, target / place)
    return sorted(left_out)


def _files(target: Path) -> Iterable[Path]:
    return sorted(path for path in target.rglob("*") if path.is_file())


def _kept(target: Path, file: Path) -> Kept:
    return Kept(path=file.relative_to(target).as_posix(), size=file.stat().st_size, sha256=sha256(file))


def read_list(source: Path) -> Backup:
    """The list of the backup in ``source``, every file of it held against its digest. Raises NoBackup, OSError."""
    try:
        found = msgspec.json.decode((source / LIST).read_bytes(), type=Backup)
    except FileNotFoundError:
        raise NoBackup(f"{source} 不是完整的备份：没有 {LIST} / {source} is no complete backup: no {LIST}") from None
    except msgspec.MsgspecError as error:
        raise NoBackup(f"{source / LIST} 无法读取：{error} / cannot be read") from error
    if found.format != FORMAT:
        raise NoBackup(f"备份格式 {found.format} 不认识，请用做备份的版本 {found.version} / unknown format")
    for kept in found.files:
        place = Path(kept.path)
        if place.is_absolute() or ".." in place.parts:
            raise NoBackup(f"备份清单中有越界的路径 {kept.path} / the list names a path outside: {kept.path}")
        file = source / place
        if not file.is_file():
            raise NoBackup(f"备份中缺少 {kept.path} / {kept.path} is missing from the backup")
        if file.stat().st_size != kept.size or sha256(file) != kept.sha256:
            raise NoBackup(f"备份中的 {kept.path} 与校验和不符 / {kept.path} has another checksum")
    return found
