"""A mail server behind an authority of the office's own: its file is looked at before the first alarm needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.commands.common import further_findings
from bot.demo.simulators.smtp import MailServer
from bot.settings import Weight, load
from channels.greeting import Greets, Standing
from channels.mail.trust import trouble
from channels.outcome import OutcomeKind
from channels.registry import open_channel, parse
from tests.channels.certificates import contexts
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port
from tests.settings.conftest import Folder, folder

__all__ = ["folder"]
ENDED = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """An authority whose certificate ran out on the first day of 2021."""
    _, authority = contexts(tmp_path)
    return authority


def test_a_file_is_fine_until_its_certificate_ends(ended: Path) -> None:
    assert trouble(str(ended), ENDED - 1) is None
    assert trouble(str(ended), ENDED) == (
        f"{ended} 里的 CA 证书已于 2021-01-01 过期",
        f"the CA's certificate in {ended} ended on 2021-01-01",
    )


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for file, words in ((tmp_path / "empty.pem", "没有可用的证书"), (tmp_path / "nowhere.pem", "No such file")):
        told = trouble(str(file), NIGHT)
        assert told is not None
        assert words in told[0]
        assert str(file) in told[0]


@pytest.mark.parametrize("table", ["", ".imap"])
def test_check_warns_at_the_line(folder: Folder, tmp_path: Path, table: str) -> None:
    missing = tmp_path / "nowhere.pem"
    own, file = 'kind = "smtp_mail"\nhost = "m.example.cn"\nsender = "a@example.cn"\n', f'ca_file = "{missing}"\n'
    reading = (
        '[channels.own.imap]\nhost = "m.example.cn"\nusername = "a"\n'
        'password = "file:secrets/own"\nreply_secret = "file:secrets/own"\n'
    )
    folder.put("secrets/own", "fake-reply-secret-of-more-than-32-characters")
    folder.append("\n[channels.own]\n" + own + (reading if table else "") + file)
    (told,) = load(folder.main, environment={}, further=[further_findings]).problems
    assert (told.severity, told.path) == (Weight.WARNING, f"channels.own{table}.ca_file")
    assert told.line == folder.line_of(f'ca_file = "{missing}"')


def a_mailbox(**other: Any) -> dict[str, Any]:
    return {"kind": "smtp_mail", "host": "127.0.0.1", "sender": "a@example.cn", **other}


async def test_a_missing_file_is_a_wrong_setting_and_no_bad_connection(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    missing = str(tmp_path / "nowhere.pem")
    table = a_mailbox(port=closed_port(), security="tls", ca_file=missing)
    channel = open_channel("mail", parse("mail", table), session)
    outcome = await channel.send(a_letter(address="b@example.cn", subject="A0231"))
    assert (outcome.kind, missing in outcome.detail) == (OutcomeKind.MISCONFIGURED, True)
    assert isinstance(channel, Greets)
    found = await channel.greet(NIGHT)
    assert (found.standing, found.where) == (Standing.CERTIFICATE, ("ca_file",))


async def test_the_mailbox_that_is_read_may_have_a_wrong_one_too(
    session: aiohttp.ClientSession, clock: Clock, tmp_path: Path
) -> None:
    imap = {"host": "127.0.0.1", "port": closed_port(), "username": "a", "password": "fake", "reply_secret": "f" * 32}
    vendor = MailServer(clock)
    async with vendor.listening() as port:
        table = a_mailbox(port=port, security="none", imap={**imap, "ca_file": str(tmp_path / "nowhere.pem")})
        channel = open_channel("mail", parse("mail", table), session)
        assert isinstance(channel, Greets)
        found = await channel.greet(NIGHT)
        await channel.close()
    assert (found.standing, found.where) == (Standing.CERTIFICATE, ("imap", "ca_file"))
