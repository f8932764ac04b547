"""What could not be read, worked off by a person: with a hub at work, and without one."""

from __future__ import annotations

import json

import pytest

from tests.serve.town import WORKER, Town, alarm

pytestmark = pytest.mark.timeout(120)


async def test_a_mended_configuration_makes_an_event_of_what_was_kept(town: Town) -> None:
    town.edit(
        "[channels.sms]",
        """[sources.gateway]
token = "file:secrets/source-demo"
allow = ["127.0.0.0/8"]
[sources.gateway.mapping]
id = ["devId", "at"]
type = { const = "alarm.raised" }
time = "at"
enterprise = { path = "entCode", codes = { "7" = "91000000DEM0000019" } }
point = "device"
severity = { const = "high" }

[channels.sms]""",
    )
    await town.start()
    strange = {"device": "DC01-T01", "at": "2026-11-22T11:00:00+08:00", "entCode": 7}
    answer = await town.post(strange, source="gateway")
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/devId")
    await town.post(alarm("bad", "alarm.rased"))

    rows = {row["source"]: row for row in (await town.ask("/quarantine"))["rows"]}
    assert set(rows) == {"gateway", "demo"}
    first, second = rows["gateway"]["id"], rows["demo"]["id"]
    shown = await town.run("quarantine", "show", first[:6], "--json")
    assert json.loads(shown.json["raw"]) == strange

    town.edit('id = ["devId", "at"]', 'id = ["device", "at"]')
    assert "新配置已生效" in (await town.reload())
    done = await town.run("quarantine", "retry", first, "--by", "吴六", "--why", "字段名写错", "--json")
    assert done.code == 0, done
    (event,) = done.json["events"]
    assert event["verdict"] == "created"
    await town.told(event["code"], address=WORKER)

    assert (await town.run("quarantine", "drop", second)).code == 2
    assert await town.stop() == 0
    gone = await town.run("quarantine", "drop", second, "--by", "吴六", "--why", "测试报文")
    assert gone.code == 0, gone
    assert "空的" in (await town.run("quarantine", "list")).out
    assert town.store_pids == []


async def test_what_is_decided_without_a_hub_is_told_by_the_next(town: Town) -> None:
    await town.start()
    assert (await town.post(alarm("e1", data={"enterprise": {"uscc": 5}}))).status == 422
    event = alarm("e2", "tank.overflow")
    assert (await town.post(event)).status == 422
    assert await town.stop() == 0
    listed = await town.run("quarantine", "list", "--json")
    row = next(row for row in listed.json["rows"] if row["event"] == "e2")
    town.edit(
        "[sources.demo]",
        """[sources.demo.mapping]
id = "id"
type = { path = "type", codes = { "tank.overflow" = "alarm.raised" } }
time = "time"
enterprise = "data.enterprise.uscc"
point = "data.point.code"
severity = { const = "high" }

[sources.demo]""",
    )
    done = await town.run("quarantine", "retry", row["id"], "--json")
    assert done.code == 0, done
    (decided,) = done.json["events"]
    await town.start()
    await town.told(decided["code"], address=WORKER)
