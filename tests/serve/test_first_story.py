"""The first story over the wire: an alarm, a phone, a signature, the upstream system hears it, clear, closed."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.serve.nursery import ROOT
from tests.serve.town import DUST, WORKER, Town, alarm

pytestmark = pytest.mark.timeout(120)


async def test_an_alarm_is_told_signed_returned_and_closed(town: Town) -> None:
    await town.report_deliveries()
    await town.start(from_shell=True)
    answer = await town.post(alarm("e1"))
    assert answer.status == 202
    assert answer.item["verdict"] == "created"
    code = answer.item["code"]
    first = await town.told(code, "72.5", address=WORKER)
    assert first["channel"] == "sms_kannel"
    assert len(first["text"]) <= 70

    assert await town.write(WORKER, f"签收 {code}", "m1") == 202
    await town.told("已记录签收", code, address=WORKER)
    await town.told(code, '"incident.signed"')

    cleared = await town.post(alarm("e2", "alarm.cleared"))
    assert (cleared.item["verdict"], cleared.item["code"]) == ("cleared", code)
    await town.told(code, "关闭", address=WORKER)

    async def delivered() -> bool:
        story = await town.ask(f"/show/{code}")
        return any(line["reason"] == "receipt_delivered" for line in story["lines"])

    await town.until(delivered, "no delivery stands in the story")
    story = await town.story(code)
    assert story["state"] == "closed"
    assert story["duties"][0]["signed_by"] == "白木匠"
    reasons = [line["reason"] for line in story["lines"]]
    for apart in ("opened", "told", "receipt_submitted", "receipt_delivered", "reply_sign", "incident_closed"):
        assert apart in reasons
    _fits("show", story)
    verified = await town.run("verify")
    assert (verified.code, "台账完整" in verified.out) == (0, True)
    _fits("verify", (await town.run("verify", "--json")).json)
    read = await town.run("show", code)
    for apart in ("警情建立", "通知", "已提交渠道", "已送达", "签收", "警情关闭", "明木家具有限公司操作负责人 白木匠"):
        assert apart in read.out
    assert await town.stop() == 0


def _fits(name: str, printed: Any) -> None:
    schema = ROOT / "docs" / "schema" / f"{name}.schema.json"
    Draft202012Validator(json.loads(schema.read_bytes())).validate(printed)


async def test_what_comes_twice_and_what_is_refused(town: Town) -> None:
    await town.start()
    first = alarm("e1")
    code = (await town.post(first)).item["code"]
    again = await town.post(first)
    assert (again.status, again.item["verdict"], again.item["code"]) == (202, "duplicate", code)
    assert (await town.post(first | {"time": "2026-11-22T00:00:00Z"})).status == 409
    assert (await town.post(alarm("e2"), token="wrong")).status == 401
    unreadable = alarm("e3")
    del unreadable["type"]
    refused = await town.post(unreadable)
    assert refused.status == 422
    assert refused.body["items"][0]["errors"][0]["pointer"] == "/type"
    assert (await town.post(raw=b"no json")).status == 400
    mixed = await town.post(alarm("e4", point="DC01-P01"), unreadable, first)
    assert mixed.status == 202
    assert [item["verdict"] for item in mixed.body["items"]] == ["created", "duplicate", "duplicate"]
    packed = gzip.compress(json.dumps(alarm("e5", point="DC01-P02")).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/cloudevents+json"}
    assert (await town.post(raw=packed, headers=headers)).item["verdict"] == "created"


async def test_a_drill_says_so_first_and_is_an_incident_of_its_own(town: Town) -> None:
    await town.start()
    actual = await town.raised("e1")
    drill = await town.raised("e2", mode="exercise")
    assert drill != actual
    assert (await town.told(drill, address=WORKER))["text"].removeprefix("【青河应急】").startswith("【演练】")


async def test_a_trial_enterprise_is_recorded_and_explained_and_nobody_is_told(town: Town) -> None:
    town.edit(f'uscc = "{DUST}"\n', f'uscc = "{DUST}"\ntrial = true\n')
    await town.start()
    trial = await town.raised("e1")
    told = await town.raised("e2", enterprise="91000000DEM000002C", point="BF1-CO-03")
    await town.told(told)
    story = await town.story(trial)
    assert [line["who"] for line in story["lines"] if line["reason"] == "told_on_trial"]
    assert not any(line["reason"] == "told" for line in story["lines"])
    assert not any(trial in each["text"] + each["subject"] for each in await town.received())
    explained = await town.run(
        "explain", "--enterprise", DUST, "--severity", "high", "--point", "DC01-T01", "--at", "2026-11-21T02:00"
    )
    assert explained.code == 0
    assert "试运行" in explained.out
