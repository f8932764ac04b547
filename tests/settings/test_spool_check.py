"""A modem's folders are looked at by ``check``, before the first message is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.commands.common import further_findings
from bot.demo.simulators.smstools import Smsd
from bot.settings import Weight, load
from channels.sms import spool_folders
from channels.sms.spool_check import troubles
from channels.sms.spool_settings import Settings
from tests.settings.conftest import Folder


def settings(spool: Path, **other: object) -> Settings:
    return Settings.model_validate({"kind": "sms_spool", "spool": str(spool), **other})


def test_what_is_missing_is_a_warning_at_the_channel(folder: Folder, tmp_path: Path) -> None:
    folder.append(f'\n[channels.modem]\nkind = "sms_spool"\nspool = "{tmp_path / "sms"}"\n')
    found = load(folder.main, environment={}, further=[further_findings]).problems
    told = [each for each in found if "modem" in each.path]
    assert {each.severity for each in told} == {Weight.WARNING}
    assert all(str(tmp_path / "sms") in each.text("zh") for each in told)
    assert len(told) == 6, "five folders, and none to write drafts in"
    Smsd(tmp_path / "sms", lambda: 0)
    again = load(folder.main, environment={}, further=[further_findings]).problems
    assert not [each for each in again if "modem" in each.path]


def test_each_folder_that_is_used_is_looked_at(tmp_path: Path) -> None:
    Smsd(tmp_path, lambda: 0)
    assert [name for name, _, _ in troubles(settings(tmp_path, report="reports"))] == ["report"]
    assert troubles(settings(tmp_path, outgoing="elsewhere"))[0][1:] == (
        f"没有目录 {tmp_path / 'elsewhere'}",
        f"there is no folder {tmp_path / 'elsewhere'}",
    )
    (tmp_path / "incoming").rmdir()
    assert [name for name, _, _ in troubles(settings(tmp_path))] == ["incoming"]
    assert troubles(settings(tmp_path, uplink=False, report="sent")) == []


def test_drafts_on_another_file_system_could_not_be_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Smsd(tmp_path, lambda: 0)
    other = Path("/dev/shm")
    if other.stat().st_dev == tmp_path.stat().st_dev:
        monkeypatch.setattr("channels.sms.spool_check._device", lambda folder: str(folder) == str(other))
    (told,) = troubles(settings(tmp_path, drafts=str(other)))
    assert told[0] == "drafts"
    assert "同一磁盘分区" in told[1]
    assert spool_folders.files_in(tmp_path / "nowhere") == []
