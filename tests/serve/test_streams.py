"""A hub that reads another system's streams, killed while it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.serve.town import Town, alarm, codes_in
from tests.store.real_server import running

pytestmark = pytest.mark.timeout(180)
ENTRIES = 60
GROUP = "fenghuo"


def source(address: str) -> str:
    return f"""[sources.monitor]
kind = "stream"
rate = 20000
burst = 50000
[sources.monitor.stream]
url = "{address}"
names = ["monitor:alarms", "monitor:warnings"]
idle_seconds = 1

[sources.local]
kind = "stream"
[sources.local.stream]
names = ["local:alarms"]

[channels.sms]"""


async def test_a_hub_killed_while_it_reads_loses_and_doubles_nothing(town: Town, tmp_path: Path) -> None:
    async with running(tmp_path / "theirs") as (theirs, upstream):
        town.edit("[channels.sms]", source(f"unix://{theirs.socket}"))

        async def write(stream: str, event: dict[str, Any]) -> None:
            await upstream.execute("XADD", stream, "*", "event", json.dumps(event))

        await write("monitor:warnings", alarm("w1", "warning.issued"))
        await town.start()
        first = await town.told("橙色")
        assert codes_in([first])

        for number in range(ENTRIES):
            await write("monitor:alarms", alarm(f"e{number}", point=f"P{number}"))

        async def some() -> bool:
            reply: Any = await upstream.execute("XINFO", "GROUPS", "monitor:alarms")
            about = dict(zip(reply[0][::2], reply[0][1::2], strict=True)) if reply else {}
            return bool(about.get(b"last-delivered-id", b"0-0") != b"0-0")

        await town.until(some, "nothing is read")
        await town.kill()
        await write("monitor:alarms", alarm("last", point="P0", time="2026-11-22T00:00:00+08:00"))
        await write("monitor:alarms", {"no": "event"})
        await town.start()

        async def through() -> bool:
            reply: Any = await upstream.execute("XINFO", "GROUPS", "monitor:alarms")
            about = dict(zip(reply[0][::2], reply[0][1::2], strict=True))
            newest: Any = await upstream.execute("XREVRANGE", "monitor:alarms", "+", "-", "COUNT", 1)
            return bool(about[b"last-delivered-id"] == newest[0][0] and not about[b"pending"])

        await town.until(through, "the stream is never worked off")
        rows = (await town.ask("/quarantine"))["rows"]
        assert [row["entry"].partition(" ")[0] for row in rows] == ["monitor:alarms"]
        # Each point has its one incident: a repeat finds it open, and nothing is opened by it.
        answer = await town.post(*(alarm(f"r{n}", "alarm.repeated", point=f"P{n}") for n in range(ENTRIES)))
        assert {item["verdict"] for item in answer.body["items"]} == {"merged"}
        codes = [item["code"] for item in answer.body["items"]]
        assert len(set(codes)) == ENTRIES
        for code in codes[1:5]:
            reasons = [line["reason"] for line in (await town.ask(f"/show/{code}"))["lines"]]
            assert (reasons.count("opened"), reasons.count("folded")) == (1, 1)
