"""The hub under measurement: ``fenghuo serve`` with its own Valkey, a webhook source with a token, one robot."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.driver import Request, get, http
from bench.hub import LEAP, MERGING
from bench.processes import children, free_port, running, until
from bench.receiver import mark
from bot.settings.uscc import check_digit
from bot.store import record
from escalation.calendar import ZONE

NAME = "fenghuo"
APART = "fenghuo, courier apart"
TOKEN = "bench-token-of-no-value"
ENTERPRISES = 64
"""Enough that every partition has some."""

_CONFIG = """
profile = "基准规则"

[hub]
name = "基准测试"
public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1"
port = {port}
data = "data"
fallback_unit = "county"
maintainers = "county"
emergency = "火警119"
courier_process = {apart}

[pages]
secret = "file:secret"

[sources.bench]
token = "file:token"
allow = ["127.0.0.0/8"]
rate = 1000000
burst = 1000000

[channels.robot]
kind = "wecom_robot"
key = "file:key"
readers = ["county"]
base_url = "http://127.0.0.1:{receiver}"

[[units]]
id = "county"
name = "示例县应急管理局"
short = "示例县"
tier = "county"

[[people]]
id = "keeper"
name = "赵一"
contacts = [{{ channel = "robot" }}]

[[posts]]
unit = "county"
role = "duty_room"
contacts = [{{ channel = "robot" }}]
around_the_clock = true

[[posts]]
unit = "county"
role = "leader_on_duty"
people = ["keeper"]

[[posts]]
unit = "county"
role = "maintainer"
people = ["keeper"]

[[profiles]]
name = "基准规则"
basis = "基准测试"
"""
_RULE = """
[[profiles.rules]]
name = "{name}"
kind = "{kind}"
{field} = {values}

[[profiles.rules.duties]]
tier = "{tier}"
roles = ["duty_room"]
clocks = [
    {{ clock = "sign", limit = "4h", ladder = [{{ after = "3h", do = "remind" }}, {{ after = "4h", do = "phone" }}] }},
]
"""
_ENTERPRISE = """
[[enterprises]]
uscc = "{uscc}"
name = "示例县第{number}轧钢有限公司"
short = "第{number}轧钢"
industry = "steel"
unit = "county"
"""


def usccs(count: int) -> list[str]:
    """The codes of so many enterprises that do not exist."""
    firsts = (f"91000000DEM0{number:05d}" for number in range(1, count + 1))
    return [first + check_digit(first) for first in firsts]


class Ours:
    """The hub's processes and its events: each of its own point, so each opens an incident and is one message.

    ``apart``: it sends from a courier process of its own. ``ahead`` is how far its clock was pushed. The number of an
    event, modulo ``enterprises``, says of which enterprise it is.
    """

    accepted = b"HTTP/1.1 202"

    def __init__(
        self, folder: Path, port: int, hub: int, *, apart: bool = False, enterprises: int = ENTERPRISES
    ) -> None:
        self.port = port
        self.ahead = timedelta()
        self._apart = apart
        self._hub = hub
        self._folder = folder
        self._usccs = usccs(enterprises)

    def request(self, numbers: Sequence[int]) -> Request:
        """One CloudEvent, or a batch of them."""
        now = (datetime.now(ZONE) + self.ahead).isoformat(timespec="seconds")
        events = [
            {
                "specversion": "1.0",
                "id": f"e{number}",
                "source": "/bench",
                "type": "alarm.raised",
                "time": now,
                "data": {
                    "enterprise": {"uscc": self._usccs[number % len(self._usccs)]},
                    "point": {"code": f"P{number}", "name": f"煤气点位{mark(number)}", "unit": "ppm"},
                    "alarm": {"severity": "high", "value": 31.5, "limit": 24},
                },
            }
            for number in numbers
        ]
        body = json.dumps(events[0] if len(events) == 1 else events, ensure_ascii=False).encode()
        return numbers, http("/events/bench", self.port, body, f"Authorization: Bearer {TOKEN}")

    def leap(self) -> None:
        """Push the hub's clock to where the first step of every ladder is due."""
        os.kill(self._hub, signal.SIGUSR1)
        self.ahead += timedelta(milliseconds=LEAP)

    def processes(self) -> dict[str, int]:
        """The hub, its store, and its courier process where it has one."""
        store = record.load(self._folder / "data" / "store")
        assert store is not None
        found = {"hub": self._hub, "store": store.pid}
        if self._apart:
            (found["courier"],) = (child for child in children(self._hub) if child != store.pid)
        return found


def secrets(folder: Path) -> None:
    """The files that a configuration refers to."""
    for name, secret in (("secret", "0" * 40), ("token", TOKEN), ("key", "bench-robot")):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)


def rules(tier: str) -> str:
    """The rules of the profile: every alarm and warning goes to the duty room of its ``tier``."""
    levels = json.dumps(["red", "orange", "yellow", "blue"])
    severities = json.dumps(["high_high", "low_low", "interlock", "high", "low", "fault", "offline"])
    text = _RULE.format(tier=tier, name="报警", kind="alarm", field="severities", values=severities)
    return text + _RULE.format(tier=tier, name="预警", kind="warning", field="levels", values=levels)


def _write(folder: Path, port: int, receiver: int, *, apart: bool = False) -> Path:
    secrets(folder)
    text = _CONFIG.format(port=port, receiver=receiver, apart=str(apart).lower()) + rules("county")
    for number, uscc in enumerate(usccs(ENTERPRISES), 1):
        text += _ENTERPRISE.format(uscc=uscc, number=number)
    config = folder / "config.toml"
    config.write_text(text, "utf-8")
    return config


@dataclass(frozen=True, slots=True)
class StartOurs:
    """Starts the hub, ``apart`` with a courier process of its own."""

    apart: bool = False

    @property
    def name(self) -> str:
        return APART if self.apart else NAME

    @asynccontextmanager
    async def __call__(self, folder: Path, receiver: int) -> AsyncIterator[Ours]:
        port = free_port()
        config = _write(folder, port, receiver, apart=self.apart)
        async with serving(config, port, apart=self.apart) as process:
            yield Ours(folder, port, process, apart=self.apart)


@asynccontextmanager
async def serving(config: Path, port: int, *, apart: bool, merging: str = "") -> AsyncIterator[int]:
    """A hub that is ready, as the number of its process. ``merging``: see :mod:`bench.hub`."""
    log = config.parent / "log"
    more = {MERGING: merging} if merging else {}
    with running([sys.executable, "-m", "bench.hub", str(config)], log, **more) as process:

        async def ready() -> bool:
            return (await get(port, "/readyz"))[0] == 200 and (
                not apart or "a courier process sends" in log.read_text()
            )

        await until(ready, process, log)
        yield process.pid
