"""The examples of what the API and the commands of operation give, from one short history of the demonstration's
county, and from a backup that is really made and restored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bot.backup import Backup, back_up
from bot.clock import PushedClock
from bot.deadletters import DeadLetters
from bot.demo.simulators.vendor import Fault
from bot.gate import source_rules
from bot.intake.body import parse
from bot.intake.items import read_items
from bot.moments import moment
from bot.quarantine import Desk
from bot.rehearsal.recording import recordings
from bot.restore import open_restored, restore_config, restore_data
from bot.rules import Rules
from bot.settings.load import load
from bot.settings.models import Settings
from bot.store.anchor import Anchor
from bot.store.client import Store
from bot.storehouse import Storehouse
from bot.streams.entries import StreamEntry, read_entry
from bot.unread import UnreadParts
from bot.web.incidents import page_of, read_query
from bot.workers.decider import Decider
from channels.callback import Errand, Unread
from escalation.event import Event, EventType
from escalation.ledger.commit import Ledger
from escalation.ledger.journal import Sealer
from escalation.vocabulary import Severity
from tests.rehearsal.conftest import county_in
from tests.streams.harness import ALARMS, LIMITS, SOURCES
from tests.workers.house import DUST, HOUR, MINUTE, OPERATOR, PARTITIONS, SECOND, STEEL, House, house_on

NIGHT = moment("2026-11-21T02:00")
WRONG = {"items": [{"device": "DC01-T01", "alarmState": 1, "alarmLevel": 1, "alarmTime": "2026-11-18 19:06:30"}]}
MADE_AT = "2026-11-21T02:00:30+08:00"


async def operated(store: Store, folder: Path) -> dict[str, msgspec.Struct]:
    """The examples by name, from a run on an empty store."""

    def with_sources(text: str) -> str:
        return text.replace("[channels.sms]", f"{SOURCES}\n[channels.sms]")

    async with house_on(store, folder, with_sources) as house:
        return await _incidents(house) | await _dead(house) | await _quarantine(house)


async def _incidents(house: House) -> dict[str, msgspec.Struct]:
    await house.alarm(Severity.HIGH_HIGH, enterprise=STEEL, point="BF1-CO-03")
    house.push(MINUTE)
    code = await house.warning()
    house.push(MINUTE)
    await house.says(OPERATOR, f"签收 {code}")
    await house.engine.rest()
    query = read_query({"limit": "1"}, frozenset())
    return {"incidents": await page_of(house.engine, house.settings.directory(), query)}


async def _dead(house: House) -> dict[str, msgspec.Struct]:
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=400)
    await house.alarm(point="DC01-P01")
    letters = DeadLetters(house.engine.ledger, house.engine.rules.context)
    listed = await letters.list()
    notice = listed.letters[0].notice
    shown = await letters.show(notice)
    house.reload(lambda text: text.replace(OPERATOR, "13900130077"))
    done = await letters.replay(notice, by="周值守", why="号码已更正", now=house.clock.now())
    assert shown is not None
    assert done is not None
    return {"dead-list": listed, "dead-show": shown, "dead-done": done}


async def _quarantine(house: House) -> dict[str, msgspec.Struct]:
    """A gateway that renamed a field, an entry of a stream without its field, and a delivery report of half a row."""
    engine, now = house.engine, house.clock.now()
    rules = source_rules("gateway", house.settings.sources["gateway"], house.settings)
    raw = json.dumps(WRONG, ensure_ascii=False).encode()
    await engine.take(read_items(parse(raw, 100), "gateway", rules.reading, now))
    entry = StreamEntry(ALARMS, "1795000000000-0", {b"evnt": b"{}"})
    streamed = source_rules("monitor", house.settings.sources["monitor"], house.settings)
    await engine.take(read_entry(entry, "event", streamed, LIMITS, now + SECOND).items)
    half = Unread("第 2 条：缺少 out_id", '{"phone_number":"13800130001","success":true}')
    await engine.take(UnreadParts().rows("sms", Errand.REPORT, [half], now + 2 * SECOND))
    desk = Desk(house.door, PARTITIONS, engine.rules, engine.take, engine.clock.now)
    listed = await desk.everything()
    row = listed.rows[0].id
    shown = await desk.show(row)
    house.reload(
        lambda text: text.replace('id = ["devId", "alarmTime"]', 'id = ["device", "alarmTime"]').replace(
            'point = "devId"', 'point = "device"'
        )
    )
    mended = Desk(house.door, PARTITIONS, engine.rules, engine.take, engine.clock.now)
    done = await mended.retry(row, "周值守", "厂家改了字段名")
    assert shown is not None
    assert done is not None
    assert done.done, done.why_not
    return {"quarantine-list": listed, "quarantine-show": shown, "quarantine-retry": done}


async def kept_and_restored(folder: Path) -> dict[str, msgspec.Struct]:
    """The lists of a backup and of its restoring on a new machine, where a later anchor says what is missing; what
    differs from run to run (times, checksums, sizes, the store's number, folders) is made the same."""
    config = county_in(folder / "county")
    loaded = load(config)
    assert loaded.settings is not None
    await _worked(loaded.settings, NIGHT, "DC01-T01")
    made = back_up(config, loaded, loaded.settings, folder / "backup")
    later = await _worked(loaded.settings, NIGHT + MINUTE, "DC01-P01")
    moved = folder / "moved" / config.name
    restore_config(folder / "backup", made, moved)
    shutil.copytree(config.parent / "secrets", moved.parent / "secrets")
    settings = load(moved).settings
    assert settings is not None
    restore_data(folder / "backup", made, settings, later)
    found = await open_restored(settings, made, PushedClock(NIGHT + HOUR), "周值守")
    return {"backup": _same(made), "restore": replace(found, made_at=MADE_AT, data="/var/lib/fenghuo")}


async def _worked(settings: Settings, now: int, point: str) -> Anchor:
    """A hub runs, takes an alarm, anchors its journal and ends; the anchor it leaves."""
    house = Storehouse(settings, PushedClock(now))
    await house.open()
    try:
        assert house.ready, house.reason
        rules = Rules.of(settings, recordings(settings, lambda _channel, _letter: None))
        meta, door = await house.meta(), house.door()
        decider = Decider(Ledger(door, meta.partitions), rules.context, lambda _items: None, lease=0)
        event = Event(
            source="demo",
            id=point,
            type=EventType.ALARM_RAISED,
            at=now,
            received_at=now,
            body_hash=point,
            enterprise=DUST,
            point=point,
            severity=Severity.HIGH,
        )
        await decider.events([event], now)
        await Sealer(door, meta.partitions, house).step(now)
    finally:
        await house.close()
    anchor = Anchor.load(settings.hub.data / "anchor.json")
    assert anchor is not None
    return anchor


def _same(made: Backup) -> Backup:
    files = [replace(each, size=len(each.path), sha256="0" * 64) for each in made.files]
    return replace(made, made_at=MADE_AT, store_id="0123456789abcdef01234567", files=files)
