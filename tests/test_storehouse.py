"""A store that came back empty is opened by an operator's word; what it had given out is never given out again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.clock import PushedClock
from bot.demo.county import Addresses
from bot.settings.load import load
from bot.storehouse import Storehouse
from escalation.inputs import Entry
from escalation.ledger.change import Change
from escalation.ledger.commit import Ledger
from escalation.ledger.journal import Sealer
from escalation.ledger.keys import partition_of_code
from tests.county import secrets_of, write_county

NOW = 1_795_000_000_000


@pytest.fixture
def house(tmp_path: Path) -> Storehouse:
    nowhere = "http://127.0.0.1:9"
    addresses = Addresses(nowhere, 8080, f"{nowhere}/sms", 2525, nowhere, f"{nowhere}/hook")
    settings = load(write_county(tmp_path, addresses, secrets_of()).config).settings
    assert settings is not None
    return Storehouse(settings, PushedClock(NOW))


async def _give_out(house: Storehouse, count: int) -> list[str]:
    """Take codes as incidents do: each leaves a journal row, which is sealed and anchored."""
    meta = await house.meta()
    ledger = Ledger(house.door(), meta.partitions)
    codes = await ledger.take_codes([(3, "A")] * count)
    changes = [
        Change(partition=partition_of_code(code, meta.partitions), now=NOW, entries=[Entry(at=NOW, reason="opened")])
        for code in codes
    ]
    await ledger.commit(changes)
    await Sealer(house.door(), meta.partitions, house).step(NOW)
    return codes


def _opens(house: Storehouse) -> bool:
    return house.ready


def _put_aside(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("data/journal-*/old segment")]


async def test_codes_of_a_lost_store_are_never_given_out_again(house: Storehouse, tmp_path: Path) -> None:
    await house.open()
    before = await _give_out(house, 5)
    await house.close()
    (house.journal_folder).mkdir(exist_ok=True)
    (house.journal_folder / "old segment").write_text("filed")
    shutil.rmtree(tmp_path / "data" / "store")

    await house.open()
    try:
        assert not _opens(house)
        await house.open_anyway()
        assert _opens(house)
        after = await _give_out(house, 5)
        assert max(int(code[1:]) for code in before) < min(int(code[1:]) for code in after)
        assert not house.journal_folder.exists(), "the lost store's filed journal must not be replaced"
        assert _put_aside(tmp_path) == ["filed"]
    finally:
        await house.close()
