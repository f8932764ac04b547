"""The log: readable, or an object a line; a phone number is shortened wherever it stands."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from aiohttp import web

from bot.logs import TRAIL, Json, Plain, configure, trail
from bot.settings.operation import Log
from escalation.inputs import Entry

PHONE = "13800130001"
ENTRIES = [
    Entry(at=1, reason="opened", incident="A0231", detail={"event": "e1", "source": "demo", "point": "P1"}),
    Entry(at=1, reason="told", incident="A0231", notice="A0231.1.s1.x", actor="u/operator/bai", detail={"name": "白"}),
    Entry(at=2, reason="receipt_submitted", incident="A0231", notice="A0231.1.s1.x", detail={"channel": "sms"}),
]


@pytest.fixture
def out(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What a logger of this test writes, in the form the test asks for."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param())
    for name in ("some.room", TRAIL):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield written
    for name in ("some.room", TRAIL):
        logger = logging.getLogger(name)
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def fail() -> None:
    try:
        raise ValueError(f"no such number {PHONE}")
    except ValueError:
        logging.getLogger("some.room").exception("the call to %s failed", PHONE)


@pytest.mark.parametrize("out", [Plain, Json], indirect=True)
def test_no_number_stands_in_a_message_or_a_traceback(out: io.StringIO) -> None:
    fail()
    said = out.getvalue()
    assert "138****0001" in said
    assert "ValueError" in said
    assert PHONE not in said


@pytest.mark.parametrize("out", [Json], indirect=True)
def test_one_id_leads_from_the_event_to_the_receipt(out: io.StringIO) -> None:
    trail(ENTRIES)
    fail()
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row.get("incident") for row in rows] == ["A0231"] * 3 + [None]
    assert (rows[0]["event"], rows[0]["reason"], rows[0]["logger"]) == ("e1", "opened", TRAIL)
    assert rows[1]["notice"] == rows[2]["notice"]
    assert rows[2]["channel"] == "sms"
    assert "白" not in out.getvalue(), "names are the journal's"
    assert rows[3]["traceback"].startswith("Traceback")
    assert all(row["at"].endswith("+08:00") for row in rows)


@pytest.mark.parametrize("out", [Plain], indirect=True)
def test_for_people_each_row_is_a_line_too(out: io.StringIO) -> None:
    trail(ENTRIES)
    lines = out.getvalue().splitlines()
    assert [line.split(" ", 3)[1:3] for line in lines] == [["INFO", TRAIL]] * 3
    assert lines[2].endswith("reason=receipt_submitted incident=A0231 notice=A0231.1.s1.x channel=sms")


def test_the_settings_choose_level_and_form(monkeypatch: pytest.MonkeyPatch) -> None:
    root, written = logging.getLogger(), io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setattr("sys.excepthook", None)
    before, level = list(root.handlers), root.level
    try:
        configure(Log(level="warning", format="json", trail=True))
        trail(ENTRIES)
        logging.getLogger("some.room").info("quiet")
        logging.getLogger("some.room").warning("loud")
        configure(Log(trail=False))
        trail(ENTRIES)
        logging.getLogger("some.room").info("again")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger(TRAIL).setLevel(logging.NOTSET)
        logging.getLogger("apscheduler").setLevel(logging.NOTSET)
        logging.captureWarnings(capture=False)
    first, second = written.getvalue().splitlines()
    assert json.loads(first)["message"] == "loud"
    assert second.endswith("INFO some.room again")


@pytest.mark.parametrize(
    ("field", "why"), [("Content-Length: abc", "Content-Length"), (f"X: {'a' * 9000}", "more than 8190 bytes")]
)
async def test_who_speaks_no_http_makes_a_line_and_no_traceback(
    caplog: pytest.LogCaptureFixture, field: str, why: str
) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure(Log())
    root.addHandler(caplog.handler)
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"POST / HTTP/1.1\r\n{field}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.0 400")
        writer.close()
    finally:
        await runner.cleanup()
        root.handlers[:], root.level = before
    [record] = [one for one in caplog.records if one.name == "aiohttp.server"]
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert why in record.getMessage()
    assert "127.0.0.1" in record.getMessage()
