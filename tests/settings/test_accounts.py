"""Accounts in the configuration: what ``check`` says of them, and what ``fenghuo passwd`` prints."""

from __future__ import annotations

import os
import pty
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.passwords import Strength, hashed, matches, strength
from bot.settings import Weight
from tests.serve.nursery import Child, Nursery
from tests.settings.conftest import Folder, codes, only

GOOD = hashed("correct horse battery")
WEAK = hashed("correct horse battery", memory_kib=1024, time=1, lanes=1)


def account(unit: str = "shili-county", who: str = 'post = "duty_room"', password: str = GOOD, more: str = "") -> str:
    return f'\n[accounts.county-duty]\nunit = "{unit}"\n{who}\npassword_hash = "{password}"\n{more}\n'


def test_a_good_account_is_taken_also_from_an_included_file(folder: Folder) -> None:
    folder.include(
        account() + account().replace("county-duty", "leader").replace('post = "duty_room"', 'person = "wu"')
    )
    loaded = folder.load()
    assert loaded.problems == ()
    assert loaded.settings is not None
    assert set(loaded.settings.accounts) == {"county-duty", "leader"}


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (account(who='person = "wuu"'), "no_person", "accounts.county-duty.person"),
        (account(unit="shili-countyy"), "no_place", "accounts.county-duty.unit"),
        (account(unit="shili-town", who='post = "maintainer"'), "account_no_post", "accounts.county-duty.post"),
        (account(who='person = "zhao"'), "account_elsewhere", "accounts.county-duty.person"),
        (account(who=""), "account_who", "accounts.county-duty"),
        (account(who='person = "wu"\npost = "duty_room"'), "account_who", "accounts.county-duty"),
        (account(password="Tr0ub4dor-plain"), "not_hash", "accounts.county-duty.password_hash"),
        (account(password="$argon2i" + GOOD[9:]), "not_hash", "accounts.county-duty.password_hash"),
        (account(password=GOOD.replace("m=65536", "m=99999999")), "costly_hash", "accounts.county-duty.password_hash"),
        (account(password=GOOD[:40]), "not_hash", "accounts.county-duty.password_hash"),
        (account(more='password = "Tr0ub4dor-plain"'), "unknown_key", "accounts.county-duty.password"),
    ],
)
def test_what_is_wrong_with_an_account_is_said_where_it_stands(folder: Folder, text: str, code: str, path: str) -> None:
    folder.append(text)
    found = only(folder.load())
    assert (found.code, found.path, found.severity) == (code, path, Weight.ERROR)
    assert found.hint_zh or code == "account_who"
    said = found.text("zh") + found.text("en")
    assert "Tr0ub4dor" not in said
    assert GOOD not in said


def test_a_weak_hash_is_warned_of(folder: Folder) -> None:
    folder.append(account(password=WEAK))
    loaded = folder.load()
    assert codes(loaded) == ["weak_hash"]
    assert loaded.servable
    assert "fenghuo passwd" in loaded.problems[0].hint_zh


def test_strength_is_judged_by_memory_times_passes() -> None:
    assert strength(GOOD) is Strength.GOOD
    assert strength(hashed("x" * 10, memory_kib=19_456, time=2, lanes=1)) is Strength.GOOD
    assert strength(hashed("x" * 10, memory_kib=19_456, time=1, lanes=1)) is Strength.WEAK
    for text in ("", "$argon2id$", "$argon2id$v=19$m=0,t=0,p=0$$", "$2b$12$" + "x" * 53, "密码" * 20):
        assert strength(text) is Strength.NO_HASH


def test_a_hash_knows_its_password_alone() -> None:
    assert matches(GOOD, "correct horse battery")
    assert not matches(GOOD, "correct horse batterY")
    assert not matches("not a hash", "correct horse battery")


@dataclass(frozen=True)
class Passwd:
    """``fenghuo passwd``, a process of its own."""

    nursery: Nursery
    folder: Path

    def on_a_terminal(self, *typed: str) -> tuple[int, str, str]:
        """Exit code, what it printed, what the terminal showed."""
        master, slave = pty.openpty()
        shown = b""
        child = self._start((), Path(os.ttyname(slave)), Path(os.ttyname(slave)))
        for number, line in enumerate(typed, 1):
            # Asking empties what was typed before: each answer waits for its question.
            while shown.count(b": ") < number:
                shown += os.read(master, 1024)
            os.write(master, line.encode() + b"\n")
        code = child.wait(60)
        os.close(slave)
        while True:
            try:
                rest = os.read(master, 4096)
            except OSError:
                break
            if not rest:
                break
            shown += rest
        os.close(master)
        return code, self._printed, shown.decode("utf-8", "replace")

    def on_a_pipe(self, *arguments: str, text: str) -> tuple[int, str]:
        """Exit code, and what it printed."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        both = os.open(pipe, os.O_RDWR)
        os.write(both, text.encode())
        code = self._start(arguments, pipe, self.folder / "err").wait(60)
        os.close(both)
        return code, self._printed

    def _start(self, arguments: tuple[str, ...], stdin: Path, err: Path) -> Child:
        asked = ("passwd", *arguments)
        return self.nursery.start(asked, cwd=self.folder, out=self.folder / "out", err=err, stdin=stdin)

    @property
    def _printed(self) -> str:
        return (self.folder / "out").read_text("utf-8")


@pytest.fixture
def passwd(nursery: Nursery, tmp_path: Path) -> Passwd:
    return Passwd(nursery, tmp_path)


def test_passwd_asks_twice_unseen_and_prints_a_hash_alone(passwd: Passwd) -> None:
    code, printed, shown = passwd.on_a_terminal("a good long one", "a good long one")
    assert code == 0
    assert strength(printed.strip()) is Strength.GOOD
    assert matches(printed.strip(), "a good long one")
    assert "a good long one" not in shown + printed


@pytest.mark.parametrize("typed", [("short",), ("a good long one", "another one")])
def test_passwd_refuses_what_is_short_or_mistyped(passwd: Passwd, typed: tuple[str, ...]) -> None:
    code, printed, _ = passwd.on_a_terminal(*typed)
    assert (code, printed) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "text"), [((), "secret-secret\nsecret-secret\n"), (("secret-secret",), "")], ids=["pipe", "argument"]
)
def test_passwd_reads_no_pipe_and_no_argument(passwd: Passwd, arguments: tuple[str, ...], text: str) -> None:
    assert passwd.on_a_pipe(*arguments, text=text) == (2, "")
