"""A stream behind Sentinels, or in a cluster: the entries follow whoever leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError

from bot.store.external import connect
from channels.outcome import OutcomeKind
from channels.redis_stream import Driver, Settings
from tests.channels.conftest import a_letter
from tests.hubs.replicated import Replicated
from tests.hubs.sentinels import Sentinels

STREAM = "fenghuo:answers"
pytestmark = pytest.mark.timeout(120)


async def _survives(url: str, session: aiohttp.ClientSession, fail_over: Callable[[], None]) -> None:
    table = {"kind": "redis_stream", "url": url, "stream": STREAM, "timeout": 1.0}
    driver = Driver("answers", Settings.model_validate(table), session)
    try:
        for number in range(3):
            assert (await driver.send(a_letter("{}", address="", id=f"before{number}"))).kind is OutcomeKind.ACCEPTED
        await asyncio.to_thread(fail_over)
        for number in range(3):
            kind = None
            while kind is not OutcomeKind.ACCEPTED:
                kind = (await driver.send(a_letter("{}", address="", id=f"after{number}"))).kind
                assert kind in (OutcomeKind.ACCEPTED, OutcomeKind.TRANSIENT)
                # As the courier does; other processes have to agree on who leads.
                await asyncio.sleep(0.05)
    finally:
        await driver.close()
    async with connect(url) as store:
        entries = await store.execute("XRANGE", STREAM, "-", "+", again=True)
    assert isinstance(entries, list)
    written = {flat[1][1] for flat in entries if isinstance(flat, list) and isinstance(flat[1], list)}
    assert written == {f"{when}{number}".encode() for when in ("before", "after") for number in range(3)}


async def test_entries_follow_the_master_that_sentinels_name(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    sentinels = Sentinels(tmp_path)
    try:
        await _survives(sentinels.url, session, sentinels.fail_over)
    finally:
        sentinels.close()


async def test_entries_follow_their_slot_in_a_cluster(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    cluster = Replicated(tmp_path)
    try:
        await _survives(cluster.url, session, cluster.pair_of(STREAM.encode()).fail_over)
    finally:
        cluster.close()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("redis+sentinel://10.0.0.1:26379", "主节点名"),
        ("redis+sentinel://10.0.0.1/county", "主机:端口"),
        ("redis+sentinel://hub:fake@10.0.0.1:26379/county", "password"),
        ("redis+cluster://10.0.0.1:6379,10.0.0.2:6379/3", "0 号库"),
        ("redis+cluster://10.0.0.1:port", "invalid literal|Port"),
    ],
)
def test_addresses_that_are_refused(url: str, word: str) -> None:
    with pytest.raises(ValidationError, match=word) as refused:
        Settings.model_validate({"kind": "redis_stream", "url": url, "stream": STREAM})
    assert "fake" not in str(refused.value)
