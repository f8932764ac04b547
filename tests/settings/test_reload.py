"""A change on disk is taken whole or not at all, and only when the files have come to rest."""

from __future__ import annotations

import os
import signal

import pytest

from bot.settings import Finding, Loaded, Settings, Weight
from bot.settings.reload import Reload, Reloader, ReloadOutcome
from tests.settings.conftest import Folder, codes


class Hub:
    """What holds a configuration: the one in force, and every one that was taken."""

    def __init__(self, folder: Folder, settle_ms: int = 1000) -> None:
        loaded = folder.load()
        self.taken: list[Loaded] = []
        self.reloader = Reloader(folder.main, loaded, self.taken.append, settle_ms=settle_ms)
        self.now = 0

    def rest(self) -> Reload | None:
        """Steps until the files have been at rest for long enough; the last step's answer."""
        found = None
        for _ in range(4):
            found = self.reloader.step(self.now) or found
            self.now += 600
        return found


def name_of(loaded: Loaded) -> str:
    assert loaded.settings is not None
    return loaded.settings.hub.name


def test_a_change_without_errors_is_taken_once(folder: Folder) -> None:
    hub = Hub(folder)
    assert hub.rest() is None
    folder.edit("示例县安全生产预警中心", "示例县预警中心")
    answer = hub.rest()
    assert answer is not None
    assert answer.outcome is ReloadOutcome.TAKEN
    assert [name_of(loaded) for loaded in hub.taken] == ["示例县预警中心"]
    assert hub.rest() is None
    assert len(hub.taken) == 1


def test_a_change_with_an_error_leaves_the_old_one_in_force_and_is_told_once(folder: Folder) -> None:
    hub = Hub(folder)
    folder.edit('people = ["wu"]', 'people = ["nobody"]')
    answer = hub.rest()
    assert answer is not None
    assert answer.outcome is ReloadOutcome.REFUSED
    assert "no_person" in [problem.code for problem in answer.problems]
    assert hub.rest() is None
    folder.edit('people = ["nobody"]', 'people = ["wu"]')
    answer = hub.rest()
    assert answer is not None
    assert answer.outcome is ReloadOutcome.TAKEN


def test_files_that_still_move_are_left_alone(folder: Folder) -> None:
    hub = Hub(folder)
    for number in range(5):
        folder.append(f"# {number}\n")
        assert hub.reloader.step(number * 900) is None
    assert hub.reloader.step(4 * 900 + 999) is None
    assert hub.reloader.step(4 * 900 + 1000) is not None


def test_a_change_that_is_taken_back_before_it_rests_is_none(folder: Folder) -> None:
    hub = Hub(folder)
    stat = folder.main.stat()
    os.utime(folder.main, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert hub.reloader.step(0) is None
    os.utime(folder.main, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert hub.reloader.step(5000) is None
    assert hub.reloader.step(9000) is None


def test_included_files_new_ones_and_secrets_are_watched(folder: Folder) -> None:
    folder.include("# empty\n")
    hub = Hub(folder)
    folder.put(
        "contacts/more.toml",
        '[[people]]\nid = "new"\nname = "新人"\ncontacts = [{ channel = "sms", address = "13800130009" }]\n',
    )
    assert hub.rest() is not None
    folder.put(
        "contacts/another.toml",
        '[[people]]\nid = "newer"\nname = "更新的人"\ncontacts = [{ channel = "sms", address = "13800130008" }]\n',
    )
    assert hub.rest() is not None
    assert hub.taken[-1].settings is not None
    assert {"new", "newer"} <= hub.taken[-1].settings.directory().people.keys()
    (folder.path / "contacts/another.toml").unlink()
    assert hub.rest() is not None
    folder.put("secrets/pages", "another-obviously-fake-secret-of-forty")
    assert hub.rest() is not None
    assert len(hub.taken) == 4
    assert hub.rest() is None


def test_a_file_that_becomes_known_by_a_reload_is_watched_from_then_on(folder: Folder) -> None:
    hub = Hub(folder)
    folder.include("# first\n")
    assert hub.rest() is not None
    assert hub.rest() is None
    folder.put("contacts/more.toml", "# second\n")
    assert hub.rest() is not None


def test_a_file_replaced_by_another_of_the_same_size_and_time_is_noticed(folder: Folder) -> None:
    hub = Hub(folder)
    stat = folder.main.stat()
    new = folder.put("config.new", folder.main.read_bytes().replace("预警中心".encode(), "警报中心".encode()))
    os.utime(new, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    new.replace(folder.main)
    assert hub.rest() is not None
    assert name_of(hub.taken[0]).endswith("警报中心")


def test_a_main_file_that_vanishes_is_refused(folder: Folder) -> None:
    hub = Hub(folder)
    folder.main.unlink()
    answer = hub.rest()
    assert answer is not None
    assert (answer.outcome, codes(answer.loaded)) == (ReloadOutcome.REFUSED, ["no_file"])


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("partitions = 16", "partitions = 32", "hub.partitions"),
        ("port = 8080", "port = 8081", "hub.port"),
        ('listen = "127.0.0.1"', 'listen = "0.0.0.0"', "hub.listen"),
        ('data = "var"', 'data = "elsewhere"', "hub.data"),
        ("accept_loss = false", "accept_loss = true", "store"),
    ],
)
def test_what_a_running_hub_cannot_change_asks_for_a_restart(folder: Folder, old: str, new: str, name: str) -> None:
    hub = Hub(folder)
    folder.edit(old, new)
    folder.edit("示例县安全生产预警中心", "示例县预警中心")
    answer = hub.rest()
    assert answer is not None
    assert answer.outcome is ReloadOutcome.RESTART
    assert hub.taken == []
    assert name in answer.problems[0].message_zh
    assert answer.problems[0].line == folder.line_of("[store]" if name == "store" else new)
    folder.edit(new, old)
    assert hub.rest() is not None
    assert len(hub.taken) == 1


def test_sample_rules_are_not_taken_unless_they_are_adopted(folder: Folder) -> None:
    hub = Hub(folder)
    folder.edit("adopt_sample", "# adopt_sample")
    answer = hub.rest()
    assert answer is not None
    assert answer.outcome is ReloadOutcome.REFUSED


def test_a_signal_reads_at_once_even_where_nothing_changed(folder: Folder) -> None:
    hub = Hub(folder)
    before = signal.signal(signal.SIGHUP, lambda *_: hub.reloader.request())
    try:
        signal.raise_signal(signal.SIGHUP)
        answer = hub.reloader.step(0)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert answer is not None
    assert answer.outcome is ReloadOutcome.TAKEN
    assert hub.reloader.step(1) is None


def test_further_checks_are_asked_at_a_reload_too(folder: Folder) -> None:
    def too_long(settings: Settings) -> list[Finding]:
        words = {"zh": f"{settings.hub.name} 的模板太长", "en": "template too long"}
        return [Finding("rendering", ("channels", "sms"), words, Weight.WARNING)]

    taken: list[Loaded] = []
    reloader = Reloader(folder.main, folder.load(), taken.append, further=[too_long])
    reloader.request()
    answer = reloader.step(0)
    assert answer is not None
    assert answer.outcome is ReloadOutcome.TAKEN
    assert [(one.message_en, one.line) for one in answer.problems] == [
        ("template too long", folder.line_of("[channels.sms]"))
    ]


def test_a_configuration_with_errors_cannot_be_in_force(folder: Folder) -> None:
    folder.edit("port = 8080", "port = 0")
    with pytest.raises(ValueError, match="without errors"):
        Hub(folder)
