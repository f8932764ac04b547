"""Killed at every await, and the two answers that may be lost: the store's after its effect, the vendor's after it took
the message."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from bot.door import Door
from bot.intake.gate import ItemVerdict
from bot.store.client import Store
from channels.channel import Uplink
from escalation.event import Event, EventType
from escalation.vocabulary import Level
from tests.kills.invariants import broken
from tests.kills.lossy import Lossy
from tests.kills.parts import Parts, parts
from tests.kills.scenario import DUST, MINUTE, START, engine_on, tell

ROOT = Path(__file__).parents[2]
OFFICER = "13800130031"
"""The county's duty officer of the day shift."""
AT_ONCE = 2
"""How many processes share the awaits at which the hub is killed."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with parts(tmp_path_factory.mktemp("kills")) as started:
        yield started


@pytest.fixture
def fresh(there: Parts) -> Parts:
    _start_anew(there)
    return there


@pytest.mark.timeout(900)
def test_killed_at_every_await(tmp_path: Path) -> None:
    """Whatever await the hub dies at, what it promised is kept, and nothing is told twice but what was in flight."""
    runs = [_sweep(tmp_path / f"{offset}", offset) for offset in range(AT_ONCE)]
    try:
        ended = [(*run.communicate(), run.returncode) for run in runs]
    finally:
        for run in runs:
            run.kill()
            run.wait()
    seen: Counter[str] = Counter()
    suspensions = 0
    for out, err, _ in ended:
        assert out, err[-4000:]
        report = json.loads(out)
        assert report["faults"] == [], err[-4000:]
        seen.update(report["seen"])
        suspensions = max(suspensions, report["suspensions"])
    assert seen["killed"] > suspensions * 0.8
    assert seen["a send was repeated"] > 0, "no kill ever fell between a send and its record"
    assert [code for *_, code in ended] == [0] * AT_ONCE


def _sweep(folder: Path, offset: int) -> subprocess.Popen[str]:
    """The kills at every ``AT_ONCE``-th await, with parts of their own."""
    program = [sys.executable, "-m", "tests.kills.at_every_await", str(folder)]
    each = ["--every", str(AT_ONCE), "--offset", str(offset)]
    return subprocess.Popen([*program, *each], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.timeout(600)
async def test_each_reply_of_the_store_is_lost_once_after_its_effect(fresh: Parts, tmp_path: Path) -> None:
    """One reply after the other never arrives though its effect is there; each time there is one of everything."""
    nth, lost = 1, 0
    while True:
        _start_anew(fresh)
        lossy = Lossy(fresh.socket, nth.__eq__)
        async with lossy.listening(tmp_path / f"s{nth}") as path, engine_on(path, fresh.config, START) as engine:
            await tell(engine, lambda _: None, lambda moment: _clock(fresh, moment))
            # What a lost answer left in nobody's hand goes on when its lease has ended.
            for minute in (12, 13):
                _clock(fresh, START + minute * MINUTE)
                await engine.advance(START + minute * MINUTE)
            received = fresh.ask("/received")["received"]
            async with Store.on_socket(fresh.socket) as store:
                folder = fresh.config.parent / "journal"
                assert await broken(engine, Door(store), received, folder, repeats=0) == [], f"reply {nth} was lost"
        lost += lossy.lost
        if not lossy.lost:
            break
        nth += 2
    assert lost > 20


@pytest.mark.parametrize("vendor", ["sms", "wecom", "mail", "upstream"])
async def test_the_vendors_answer_is_lost_after_it_took_the_message(fresh: Parts, vendor: str) -> None:
    """The message is sent once more, marked as a possible repeat, and never a third time."""
    fresh.fault(vendor, "drop_after")
    async with engine_on(fresh.socket, fresh.config, START) as engine:
        orange = Event(
            source="demo",
            id="w1",
            type=EventType.WARNING_ISSUED,
            at=START,
            received_at=START,
            body_hash="hash of w1",
            enterprise=DUST,
            level=Level.ORANGE,
        )
        (verdict,) = await engine.take([orange])
        assert isinstance(verdict, ItemVerdict)
        code = verdict.code
        await engine.rest()
        signed = Uplink(channel="sms", message_id="m1", sender=OFFICER, text=f"签收 {code}", at=START)
        await engine.answering.answer(signed, START)
        for seconds in range(0, 120, 5):
            _clock(fresh, START + seconds * 1000)
            await engine.advance(START + seconds * 1000)
        told = fresh.ask("/received")
        assert told["faults"] == {f"{vendor}/drop_after": 1}
        # A mail tells the story so far, so that its text grows; its subject says which mail it is.
        sends = Counter((each["vendor"], each["address"], each["subject"] or each["text"]) for each in told["received"])
        # The upstream system knows the repeat by its webhook-id; the others received it twice.
        assert [count for count in sends.values() if count > 1] == ([] if vendor == "upstream" else [2])
        rows = [row.entry for row in await engine.journal.rows(code)]
        # Where the other end drops repeats by itself, a lost answer is no doubt: it is simply sent until it is taken.
        reason = "receipt_transient" if vendor == "upstream" else "receipt_uncertain"
        (lost,) = [entry for entry in rows if entry.reason == reason]
        (again,) = [entry for entry in rows if entry.notice == lost.notice and entry.reason == "receipt_submitted"]
        assert again.detail["tries"] == 2


def _start_anew(there: Parts) -> None:
    with Redis(unix_socket_path=str(there.socket)) as client:
        client.flushall()
    there.ask("/reset", b"")
    _clock(there, START)


def _clock(there: Parts, at: int) -> None:
    there.ask("/clock", str(at).encode())
