"""``replay`` of what a vendor's gateway sends, through the mapping of its source."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bot.settings.mapping import MappingTable
from bot.settings.models import Settings
from bot.store.client import Store
from tests.intake.mapped import GATEWAY, gateway_item
from tests.rehearsal.stage import DUST, replayed

AT = "2026-11-21T03:12:45+08:00"


@pytest.fixture
def mapped(settings: Settings) -> Settings:
    """The county with the flat gateway's mapping at its source."""
    table = MappingTable.model_validate(tomllib.loads(GATEWAY))
    source = settings.sources["demo"].model_copy(update={"mapping": table})
    return settings.model_copy(update={"sources": {"gateway": source}})


async def test_a_batch_of_raise_and_clear(mapped: Settings, store: Store, tmp_path: Path) -> None:
    item = gateway_item(devId="DC01-T01", entCode=DUST)
    body = {"batchNo": "B1", "items": [item, {**item, "alarmState": 0}, {**item, "devId": None}]}
    line = {"source": "gateway", "receivedtime": AT, "body": body}
    result = await replayed(store, mapped, tmp_path, [line])
    assert [(event.line, event.verdict) for event in result.events] == [
        (1, "created"),
        (1, "cleared"),
        (1, "quarantined"),
    ]
    (incident,) = result.incidents
    assert (incident.severity, incident.active) == ("high_high", False)
    assert {told.minute for told in result.told} == {0}


async def test_a_type_that_no_code_fits_rings_and_the_maintainers_hear(
    mapped: Settings, store: Store, tmp_path: Path
) -> None:
    item = gateway_item(devId="DC01-T01", entCode=DUST, alarmState=7)
    line = {"source": "gateway", "receivedtime": AT, "body": {"batchNo": "B1", "items": [item]}}
    result = await replayed(store, mapped, tmp_path, [line])
    (event,) = result.events
    assert (event.verdict, event.flags) == ("quarantined", ["unknown_type"])
    assert event.code
    assert "keeper" in {told.person for told in result.told}
