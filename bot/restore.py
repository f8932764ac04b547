"""``fenghuo restore``: a backup becomes a data folder again, is opened, compared with the anchor and verified.

The data folder appears whole or not at all. Codes begin well above those in the backup, because people may hold codes
that were given out after it; and the journal says that it was restored, from when, and what is known to be missing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from bot.backup import CONFIG, DATA, Backup, NoBackup
from bot.clock import Clock
from bot.control import alone
from bot.inquiry import Inquiry
from bot.settings.models import Settings
from bot.store import disk
from bot.store.anchor import Anchor
from bot.store.snapshot import copy_plain
from bot.storehouse import Storehouse
from escalation.inputs import Entry
from escalation.ledger.change import Change, Failed, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import US


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """One partition that is shorter than a later anchor says: rows anchored, rows there."""

    partition: int
    anchored: int
    found: int


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore found: the backup's time, whether the journal's chain holds, its rows, the open incidents, and
    what a later anchor knows to be missing."""

    made_at: str
    data: str
    ok: bool
    rows: int
    open: int
    lost: list[Lost]
    fault: str = ""


def restore_config(source: Path, backup: Backup, path: Path) -> bool:
    """Write the configuration beside ``path`` where there is none; whether it was written. Raises OSError."""
    if path.exists():
        return False
    for kept in backup.files:
        place = Path(kept.path)
        if place.parts[0] == CONFIG:
            inside = Path(*place.parts[1:])
            target = path if inside == Path(backup.main) else path.parent / inside
            if not target.exists():
                copy_plain(source / place, target)
                target.chmod(0o600)
    return True


def restore_data(source: Path, backup: Backup, settings: Settings, later: Anchor | None) -> None:
    """Make the data folder. ``later`` is an anchor that was saved after the backup: what it promises and the backup has
    not is lost, and will be told. Raises NoBackup where the folder is in use or not empty, OSError."""
    data = settings.hub.data
    if settings.store.url is not None:
        raise NoBackup("配置使用外部存储，不能恢复到它里面 / the configuration names an external store")
    if data.exists() and any(data.iterdir()):
        raise NoBackup(
            f"数据文件夹 {data} 不是空的：先停止系统，把它改名留存，再恢复。 / {data} is not empty: stop the hub, move "
            "the folder away, then restore."
        )
    if later is not None and later.store_id != backup.store_id:
        raise NoBackup("--anchor 属于另一个存储 / --anchor belongs to another store")
    making = data.with_name(f"{data.name}.restoring")
    shutil.rmtree(making, ignore_errors=True)
    disk.private_folder(making)
    for kept in backup.files:
        place = Path(kept.path)
        if place.parts[0] == DATA:
            copy_plain(source / place, making / Path(*place.parts[1:]))
    _set_anchors(making, later)
    for folder in [making, *(path for path in making.rglob("*") if path.is_dir())]:
        folder.chmod(0o700)
        disk.sync_folder(folder)
    if data.exists():
        data.rmdir()
    making.rename(data)
    disk.sync_folder(data.parent)


def _set_anchors(folder: Path, later: Anchor | None) -> None:
    """The backup's anchor is kept aside as well: a new hub begins its codes above what an anchor aside bounds."""
    own = Anchor.load(folder / "anchor.json")
    if own is not None:
        disk.write_atomically(folder / f"anchor-restored-{own.generation}.json", own.encode())
    if later is not None:
        disk.write_atomically(folder / f"anchor-later-{later.generation}.json", later.encode())
        disk.write_atomically(folder / "anchor.json", later.encode())


async def open_restored(settings: Settings, backup: Backup, clock: Clock, by: str) -> Restored:
    """Start the store once, compare it with the anchor, write the restore down, walk the journal. Raises what opening a
    store raises, and NoBackup where it is not the store that the anchor remembers."""

    async def look(house: Storehouse) -> Restored:
        if not house.ready or house.verdict is None:
            raise NoBackup(house.reason)
        lost = [
            Lost(partition=gap.partition, anchored=gap.anchored.count, found=gap.found.count if gap.found else 0)
            for gap in house.verdict.gaps
        ]
        meta = await house.meta()
        ledger = Ledger(house.door(), meta.partitions)
        now = clock.now()
        entry = Entry(
            at=now,
            reason="restored",
            actor=by,
            detail={"made_at": backup.made_at, "lost_rows": sum(each.anchored - each.found for each in lost)},
        )
        taken = Taken(f"b{US}{backup.made_at}{US}{now}", "", b"")
        (outcome,) = await ledger.commit([Change(partition=0, now=now, takes=[taken], entries=[entry])])
        if isinstance(outcome, Failed):
            raise outcome.error
        checked = await Inquiry(house, meta, settings.directory()).verify()
        return Restored(
            made_at=backup.made_at,
            data=str(settings.hub.data),
            ok=checked.ok,
            rows=checked.rows,
            open=await ledger.count_open(),
            lost=lost,
            fault="" if checked.ok else checked.text(),
        )

    return await alone(settings, look)
