"""Every way the Redis that an upstream reads from may go wrong, between the hub's mailbox and a real server: the
documented outcome, each answer in the stream, and a counter that says that it really happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.store.client import Store
from escalation.inputs import SendResult
from tests.faults.proxy import Fault, Proxy
from tests.hubs.sentinels import Server, until
from tests.patience import LONG, OVER, Patience
from tests.workers.house import MINUTE, OFFICER, House, house_on

STREAM = "fenghuo:answers"
ENTRIES = {
    Fault.LOST_REQUEST: 1,
    Fault.LOST_REPLY: 2,
    Fault.CUT: 2,
    Fault.SILENCE: 2,
}
"""How many entries one answer is in the end, all of one id: two where the first stood there and nobody could say so."""


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "theirs")
    until(made.answers)
    yield made
    made.close()


@pytest.fixture
async def wire(theirs: Server) -> AsyncIterator[Proxy]:
    async with Proxy(theirs.port).listening() as proxy:
        yield proxy


@pytest.fixture
async def house(store: Store, tmp_path: Path, wire: Proxy) -> AsyncIterator[House]:
    """The county, whose answers go to the stream alone."""
    table = f'[channels.answers]\nkind = "redis_stream"\nurl = "redis://127.0.0.1:{wire.port}"\ntimeout = {LONG}\n'

    def back(text: str) -> str:
        return text.replace('feedback = "upstream"', 'feedback = "answers"') + f'\n{table}stream = "{STREAM}"\n'

    async with house_on(store, tmp_path, back) as opened:
        yield opened


def entries(theirs: Server, code: str) -> list[str]:
    """The ids of the entries that tell of ``code``, as often as they stand there."""
    found: list[Any] = theirs.client.xrange(STREAM)
    return [fields[b"id"].decode() for _, fields in found if orjson.loads(fields[b"event"])["subject"].startswith(code)]


async def receipts(house: House, code: str) -> list[str]:
    rows = [row for row in await house.journal(code) if row.detail.get("channel") == "answers"]
    return [row.reason.removeprefix("receipt_") for row in rows if row.reason.startswith("receipt_")]


@pytest.mark.parametrize("fault", ENTRIES)
async def test_what_the_wire_does_ends_in_one_answer(
    house: House, wire: Proxy, theirs: Server, patience: Patience, fault: Fault
) -> None:
    code = await house.alarm()
    wire.put(fault, only=lambda data: b"XADD" in data)
    await house.says(OFFICER, f"签收 {code}")
    async with patience.ending(wire.wait_for(fault), OVER if fault is Fault.SILENCE else 0.0):
        await house.engine.rest()
    assert wire.happened == {fault: 1}, "it happened, once"
    assert await receipts(house, code) == [SendResult.TRANSIENT]
    await house.wait(MINUTE)

    assert (await receipts(house, code))[-1] == SendResult.SUBMITTED
    ids = entries(theirs, code)
    assert (len(ids), len(set(ids))) == (ENTRIES[fault], 1), "whoever reads drops what has the id"


async def test_a_full_server_is_asked_until_it_has_room(house: House, theirs: Server) -> None:
    theirs.client.config_set("maxmemory", "1")
    code = await house.alarm()
    await house.says(OFFICER, f"签收 {code}")
    await house.wait(MINUTE)
    assert set(await receipts(house, code)) == {SendResult.TRANSIENT}
    refused = theirs.client.info("errorstats")["errorstat_OOM"]["count"]
    assert refused == len(await receipts(house, code)), "the server counted what it refused"
    theirs.client.config_set("maxmemory", "0")
    await house.wait(2 * MINUTE)
    assert len(entries(theirs, code)) == 1


async def test_a_server_that_refuses_the_hub_is_a_broken_channel(house: House, theirs: Server) -> None:
    theirs.client.set(STREAM, "somebody else's")
    code = await house.alarm()
    await house.says(OFFICER, f"签收 {code}")
    await house.wait(MINUTE)
    assert await receipts(house, code) == [SendResult.MISCONFIGURED]
    assert theirs.client.info("errorstats")["errorstat_WRONGTYPE"]["count"] == 1
    assert await house.loose_journal("channel_broken")
