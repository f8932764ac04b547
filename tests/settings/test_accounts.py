"""Accounts in the configuration: what ``check`` says of them, and what ``fenghuo passwd`` prints."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from bot.passwords import Strength, hashed, matches, strength
from bot.settings import Weight
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


def _passwd(*typed: str) -> tuple[int, str, str]:
    """Run ``fenghuo passwd`` on a terminal of its own; exit code, what it printed, what the terminal showed."""
    master, slave = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "passwd"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        os.close(slave)
        for number, line in enumerate(typed, 1):
            # Asking empties what was typed before: each answer waits for its question.
            while shown.count(b": ") < number:
                shown += os.read(master, 1024)
            os.write(master, line.encode() + b"\n")
        assert process.stdout is not None
        printed = process.stdout.read().decode()
        code = process.wait()
        while True:
            try:
                rest = os.read(master, 4096)
            except OSError:
                break
            if not rest:
                break
            shown += rest
    os.close(master)
    return code, printed, shown.decode("utf-8", "replace")


def test_passwd_asks_twice_unseen_and_prints_a_hash_alone() -> None:
    code, printed, shown = _passwd("a good long one", "a good long one")
    assert code == 0
    assert strength(printed.strip()) is Strength.GOOD
    assert matches(printed.strip(), "a good long one")
    assert "a good long one" not in shown + printed


@pytest.mark.parametrize("typed", [("short",), ("a good long one", "another one")])
def test_passwd_refuses_what_is_short_or_mistyped(typed: tuple[str, ...]) -> None:
    code, printed, _ = _passwd(*typed)
    assert (code, printed) == (1, "")


def test_passwd_reads_no_pipe_and_no_argument() -> None:
    root = Path(__file__).parents[2]
    for arguments, text in (((), "secret-secret\nsecret-secret\n"), (("secret-secret",), "")):
        found = subprocess.run(
            [sys.executable, "-m", "bot.cli", "passwd", *arguments],
            check=False,
            input=text,
            capture_output=True,
            text=True,
            cwd=root,
        )
        assert (found.returncode, found.stdout) == (2, "")
