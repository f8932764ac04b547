"""Batches that a cloud pushes as JSON: on disk before the vendor's own word for "received" is said."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from channels.callback import LONGEST_BODY, Errand, callback_path
from escalation.notice import NoticeState
from escalation.vocabulary import Verb
from tests.demo.house import STEEL, House

UP = {"phone_number": "13800130006", "content": "签收", "send_time": "2026-11-21 08:01:00", "sequence_id": "77"}
TAKEN = (200, {"code": 0, "msg": "成功"})


def door(house: House) -> str:
    token = (house.demo.folder / "secrets" / "cloud-callback").read_text()
    return house.demo.url + callback_path("cloud", token, Errand.UPLINK)


async def push(house: House, body: Any, **headers: str) -> tuple[int, Any]:
    async with house.session.post(door(house), json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_phone_signs_once_however_the_cloud_writes_its_number(house: House) -> None:
    code = await house.post("alarm.raised", STEEL)
    assert await push(house, [UP, {**UP, "sequence_id": 77, "sign_name": "青河预警"}]) == TAKEN
    incident = await house.until(code, lambda found: bool(found.deeds))
    assert await push(house, [UP]) == TAKEN
    await house.engine.rest()
    incident = await house.incident(code)
    assert [(deed.verb, deed.person, deed.channel) for deed in incident.deeds] == [(Verb.SIGN, "kong", "cloud")]


async def test_a_number_of_another_channel_signs_nothing_here(house: House) -> None:
    code = await house.post("alarm.raised", STEEL)
    assert await push(house, [{**UP, "phone_number": "13800130007"}]) == TAKEN
    await house.engine.rest()
    assert (await house.incident(code)).deeds == []


async def test_reports_of_the_cloud_reach_their_notices(house: House) -> None:
    code = await house.post("alarm.raised", STEEL)
    incident = await house.until(
        code,
        lambda found: any(
            each.state is NoticeState.DELIVERED and each.contact.channel == "cloud" for each in found.notices.values()
        ),
    )
    cloud = next(each for each in house.demo.wall.snapshot()["phones"] if each["id"] == "kong")["messages"]
    assert any(code in part["text"] for row in cloud for line in row["lines"] for part in line["parts"])
    assert any(each.delivered_at for each in incident.notices.values())


async def test_the_good_half_of_a_batch_is_taken(house: House) -> None:
    code = await house.post("alarm.raised", STEEL)
    assert await push(house, [{"phone_number": "x"}, UP]) == TAKEN
    await house.until(code, lambda found: bool(found.deeds))


@pytest.mark.parametrize("body", [[{"phone_number": "x"}], "text", {"content": "1"}, ["x" * LONGEST_BODY]])
async def test_rubbish_is_not_thanked_for(house: House, body: Any) -> None:
    status, said = await push(house, body)
    assert status == 400
    assert said.get("code") != 0
    assert await house.engine.answering.step(house.demo.clock.now()) == 0


async def test_what_cannot_be_written_is_not_thanked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(type(house.engine.answering), "take", fail)
    status, said = await push(house, [UP])
    assert (status, said.get("code")) == (503, None)


async def test_behind_a_proxy_the_callers_own_address_counts(house: House, caplog: pytest.LogCaptureFixture) -> None:
    settings = house.demo.hub.rules.settings
    forged = {"X-Forwarded-For": "198.51.100.7"}
    assert not settings.hub.trusted_proxies
    assert (await push(house, [UP], **forged))[0] == 200
    hub = settings.hub.model_copy(update={"trusted_proxies": (IPv4Network("127.0.0.1/32"),)})
    object.__setattr__(settings, "hub", hub)
    assert (await push(house, [UP], **forged))[0] == 404
    assert "a call-back from 198.51.100.7 to " in caplog.text, "the log says who, not which proxy"
