"""The county in one process: real store, real drivers, simulated vendors over loopback, one pushed clock for all."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from bot.clock import PushedClock
from bot.demo.county import Addresses
from bot.demo.simulators.vendor import Received, listening
from bot.door import Door
from bot.engine import Engine
from bot.intake.gate import ItemVerdict
from bot.rules import Rules
from bot.settings.load import load
from bot.settings.models import Settings
from bot.settings.uscc import check_digit
from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from bot.storehouse import SHARDS
from channels.channel import Channel, Uplink
from channels.registry import open_channel
from escalation.event import Event, EventType
from escalation.incident import Incident
from escalation.inputs import Entry
from escalation.ledger.door import Arg, Call
from escalation.ledger.keys import partition_keys
from escalation.ledger.meta import open_meta
from escalation.ledger.stream import range_command, read_rows
from escalation.vocabulary import Level, Mode, Severity
from tests.county import secrets_of, write_county
from tests.kills.vendors import Vendors
from tests.patience import LONG

EVENING = 1_795_000_000_000
"""19:06 in Shanghai; the county's duty room changes shift at 20:00."""
SECOND = 1_000
MINUTE = 60_000
HOUR = 60 * MINUTE
PARTITIONS = 4
DUST = "91000000DEM0000019"
"""明木家具: its operator has one phone, its safety officer a phone and a mailbox."""
STEEL = "91000000DEM000002C"
OPERATOR = "13800130001"
OFFICER = "13800130003"
OFFICER_MAIL = "lin@example.cn"
KEEPER_MAIL = "keeper@example.cn"
KEEPER = "13800130051"

Edit = Callable[[str], str]
_CODE = re.compile(r"[AW]\d{4,}")


def patient(text: str) -> str:
    """Every vendor is waited for equally long."""
    for kind in ("sms_kannel", "smtp_mail", "webhook", "wecom_robot", "dingtalk_robot", "sms_aliyun", "wecom_app"):
        text = text.replace(f'kind = "{kind}"', f'kind = "{kind}"\ntimeout = {LONG}')
    return text


def works(count: int) -> list[str]:
    """The codes of so many small enterprises of 河东镇."""
    return [f"{first}{check_digit(first)}" for first in (f"91000000DEM1{number:05}" for number in range(count))]


def with_works(count: int) -> Edit:
    """The county with so many more enterprises, whose safety officer is one and the same person."""

    def edit(text: str) -> str:
        for number, uscc in enumerate(works(count)):
            text += f"""
[[enterprises]]
uscc = "{uscc}"
name = "河东{number:03}号木业有限公司"
short = "河东{number:03}号"
industry = "dust"
unit = "hedong"

[[enterprises.points]]
code = "P1"
name = "1号除尘器"

[[posts]]
unit = "{uscc}"
role = "safety_officer"
people = ["lin"]

[[posts]]
unit = "{uscc}"
role = "main_person"
people = ["mu"]
around_the_clock = true
"""
        return text

    return edit


class FaultyDoor(Door):
    """The real store behind a door that can be told to fail: ``failing`` has script names, ``mailbox:put`` or
    ``mailbox:settle``, whose runs do not reach the store; each failure takes one away and is counted. ``before`` is
    awaited before runs of a script. ``away`` is a script and the hash tag of a part of the store that does not answer
    it. The runs of a script in ``losing`` have their effect, their answer is lost, and so they are sent again, as the
    client does."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.failing: list[str] = []
        self.failed = 0
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        self.away: tuple[str, bytes] | None = None
        self.losing: list[str] = []

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        for name, _, args in calls:
            if name in self.before:
                await self.before[name]()
            for what in _doings(name, args):
                if what in self.failing:
                    self.failing.remove(what)
                    self.failed += 1
                    raise StoreUnavailableError("存储没有应答", "the store did not answer", sent=False)
        replies = await super().run_scripts([call for call in calls if not self._is_away(call)])
        if any(name in self.losing for name, _, _ in calls):
            self.losing.clear()
            self.failed += 1
            replies = await super().run_scripts(calls)
        there = iter(replies)
        return [StoreUnavailableError("离线", "away", sent=False) if self._is_away(c) else next(there) for c in calls]

    def _is_away(self, call: Call) -> bool:
        name, keys, _ = call
        return self.away is not None and self.away[0] == name and keys[0].startswith(b"fh:{" + self.away[1] + b"}")


def _doings(name: str, args: Sequence[Arg]) -> list[str]:
    """A script's name, and what a mailbox's turn is made of."""
    settles, puts = (args[3], args[4]) if name == "mailbox_turn" else (0, 0)
    return [name, *(["mailbox:settle"] if settles else []), *(["mailbox:put"] if puts else [])]


@dataclass
class House:
    """The county's parts. ``engine`` is the hub at work; another may be opened on the same store."""

    door: FaultyDoor
    clock: PushedClock
    vendors: Vendors
    settings: Settings
    folder: Path
    engine: Engine
    _session: aiohttp.ClientSession
    _edit: Callable[[Edit], Settings]
    _channels: list[Channel] = field(default_factory=list)
    _count: int = 0

    async def another(self) -> Engine:
        """A fresh engine on the same store, as a restarted or a second hub has."""
        return await open_engine(self.door, self.clock, self.settings, self._session, self.folder, self._channels)

    async def record(self) -> None:
        """Ended sends are written down, and their mailboxes let go of them."""
        await self.engine.courier.record(self.clock.now())
        await self.engine.courier.settle(self.clock.now())

    async def crash(self) -> Engine:
        """The hub dies where it stands: its sends end, nothing it remembers is left; a fresh one takes its place."""
        for task in (under_way := sends()):
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self.engine = await self.another()
        return self.engine

    def reload(self, edit: Edit) -> None:
        """Put an edited configuration in force."""
        self.settings = self._edit(edit)
        self.engine.rules = rules_of(self.settings, self._session, self._channels)

    async def alarm(
        self,
        severity: Severity = Severity.HIGH,
        *,
        enterprise: str = DUST,
        point: str = "DC01-T01",
        mode: Mode = Mode.ACTUAL,
        kind: EventType = EventType.ALARM_RAISED,
        rest: bool = True,
    ) -> str:
        """One alarm, its notices sent as far as they go now; its code."""
        (code,) = await self.take([self.event(kind, enterprise, point=point, severity=severity, mode=mode)])
        if rest:
            await self.engine.rest()
        return code

    async def warning(self, level: Level = Level.YELLOW, *, enterprise: str = DUST, rest: bool = True) -> str:
        (code,) = await self.take([self.event(EventType.WARNING_ISSUED, enterprise, level=level)])
        if rest:
            await self.engine.rest()
        return code

    async def take(self, events: Iterable[Event]) -> list[str]:
        """Events on disk, nothing sent yet; their codes."""
        codes: list[str] = []
        for result in await self.engine.take(list(events)):
            assert isinstance(result, ItemVerdict)
            codes.append(result.code)
        return codes

    def event(
        self,
        kind: EventType,
        enterprise: str = DUST,
        *,
        point: str = "",
        severity: Severity | None = None,
        level: Level | None = None,
        mode: Mode = Mode.ACTUAL,
    ) -> Event:
        self._count += 1
        now = self.clock.now()
        return Event(
            source="demo",
            id=f"e{self._count}",
            type=kind,
            at=now,
            received_at=now,
            body_hash=f"hash of {self._count}",
            enterprise=enterprise,
            point=point,
            severity=severity,
            level=level,
            mode=mode,
            value=72.5 if severity else None,
            limit=70.0 if severity else None,
        )

    async def says(self, number: str, text: str) -> str:
        """A phone writes; what it is answered."""
        self._count += 1
        uplink = Uplink(channel="sms", message_id=f"m{self._count}", sender=number, text=text, at=self.clock.now())
        return await self.engine.answering.answer(uplink, self.clock.now())

    async def wait(self, milliseconds: int) -> None:
        """Let time pass, every due moment by itself, for the vendors too."""
        end = self.clock.now() + milliseconds
        while (following := await self.engine.next_at()) is not None and following <= end:
            self.push(following - self.clock.now())
            await self.engine.rest()
        self.push(end - self.clock.now())
        await self.engine.rest()

    def push(self, milliseconds: int) -> None:
        """Move the clock, whatever is due meanwhile."""
        self.clock.push_to(self.clock.now() + milliseconds)
        self.vendors.now = self.clock.now()

    async def incident(self, code: str) -> Incident:
        (found,) = await self.engine.ledger.get_many([code])
        assert found is not None
        return found

    async def journal(self, code: str, reason: str = "") -> list[Entry]:
        rows = [row.entry for row in await self.engine.journal.rows(code)]
        return [entry for entry in rows if reason in ("", entry.reason)]

    async def loose_journal(self, reason: str) -> list[Entry]:
        """The rows of all partitions that belong to no incident."""
        found: list[Entry] = []
        for number in range(PARTITIONS):
            rows = read_rows(await self.door.execute(*range_command(partition_keys(number), 0, 10_000)))
            found += [msgspec.json.decode(body, type=Entry) for _, body in rows]
        return [entry for entry in found if entry.reason == reason and not entry.incident]

    def at(self, address: str) -> list[Received]:
        """What a phone, a mailbox or a group received."""
        return [each for vendor in self.vendors.by_name.values() for each in vendor.received if each.address == address]

    def texts(self, address: str) -> list[str]:
        return [each.text for each in self.at(address)]


async def all_but(hanging: int) -> None:
    """Until no send is under way but those so many that get no answer."""
    while len(under_way := sends()) > hanging:
        await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)


def sends() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("send ")]


def codes_of(texts: Iterable[str]) -> list[str]:
    """Every code that stands in the texts, each as often as it does."""
    return [code for text in texts for code in _CODE.findall(text)]


def rules_of(settings: Settings, session: aiohttp.ClientSession, opened: list[Channel]) -> Rules:
    channels = {name: open_channel(name, table, session) for name, table in settings.channels.items()}
    opened += channels.values()
    return Rules.of(settings, channels)


async def open_engine(
    door: Door,
    clock: PushedClock,
    settings: Settings,
    session: aiohttp.ClientSession,
    folder: Path,
    opened: list[Channel],
) -> Engine:
    meta = await open_meta(door, store_id="workers", partitions=PARTITIONS, shards=SHARDS, now=clock.now())
    return Engine(door, meta, rules_of(settings, session, opened), clock, journal_folder=folder / "journal")


@asynccontextmanager
async def house_on(
    store: Store, folder: Path, *edits: Edit, every_vendor: bool = False, trust: ssl.SSLContext | None = None
) -> AsyncIterator[House]:
    """The county in ``folder`` on an empty store, its configuration changed by ``edits``; with ``every_vendor`` the
    park's group is DingTalk's and the park's text messages leave by the cloud. ``trust`` are the authorities whose
    certificates the hub takes, where not the machine's."""
    clock, secrets = PushedClock(EVENING), secrets_of()
    vendors = Vendors(secrets)
    vendors.now = clock.now()
    async with AsyncExitStack() as stack:
        dingtalk_url = cloud_url = ""
        if every_vendor:
            dingtalk_url = await stack.enter_async_context(listening(vendors.dingtalk.app()))
            cloud_url = await stack.enter_async_context(listening(vendors.cloud.app()))
        addresses = Addresses(
            public_url="http://127.0.0.1:8080",
            port=8080,
            sms_url=f"{await stack.enter_async_context(listening(vendors.sms.app()))}/cgi-bin/sendsms",
            smtp_port=await stack.enter_async_context(vendors.mail.listening()),
            wecom_url=await stack.enter_async_context(listening(vendors.app.beside(vendors.wecom.app()))),
            upstream_url=f"{await stack.enter_async_context(listening(vendors.upstream.app()))}/hook",
            dingtalk_url=dingtalk_url,
            cloud_url=cloud_url,
        )
        config = write_county(folder / "county", addresses, secrets).config

        def edited(*edits: Edit) -> Settings:
            text = config.read_text("utf-8")
            for edit in edits:
                text = edit(text)
            config.write_text(text, "utf-8")
            loaded = load(config)
            assert loaded.settings is not None, loaded.errors
            return loaded.settings

        settings = edited(patient, *edits)
        connector = aiohttp.TCPConnector(ssl=trust) if trust is not None else None
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        channels: list[Channel] = []
        door = FaultyDoor(store)
        engine = await open_engine(door, clock, settings, session, folder, channels)
        try:
            yield House(door, clock, vendors, settings, folder, engine, session, edited, channels)
        finally:
            for vendor in vendors.by_name.values():
                vendor.faults.clear()
            await engine.courier.sender.stop(1.0)
            for channel in channels:
                await channel.close()
