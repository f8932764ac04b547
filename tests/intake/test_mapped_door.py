"""A vendor's gateway at the door: a verdict for each item, and a hub that expects no understanding of its own words."""

from __future__ import annotations

from bot.intake.gate import Refusal, Unavailable
from escalation.event import EventType
from tests.intake.conftest import House
from tests.intake.mapped import gateway_item

HEADERS = {"Content-Type": "application/json"}


async def test_each_item_of_one_post_has_its_verdict(house: House) -> None:
    batch = {
        "batchNo": "B1",
        "items": [
            gateway_item(),
            gateway_item(alarmState=0),
            gateway_item(devId=...),
            gateway_item(alarmState=9, devId="X"),
        ],
    }
    answer = await house.post(batch, source="vendor", headers=HEADERS)
    assert answer.status == 202
    raised, cleared, unreadable, guessed = answer.json["items"]
    assert (raised["verdict"], cleared["verdict"]) == ("created", "created")
    assert raised["id"].endswith(EventType.ALARM_RAISED)
    assert cleared["id"].endswith(EventType.ALARM_CLEARED)
    assert (unreadable["status"], unreadable["errors"][0]["pointer"]) == (422, "/items/2/devId")
    assert guessed["flags"] == ["unknown_type"]
    again = await house.post(batch, source="vendor", headers=HEADERS)
    assert [item["verdict"] for item in again.json["items"]] == ["duplicate"] * 4


async def test_a_post_of_which_nothing_is_readable(house: House) -> None:
    answer = await house.post([{"batchNo": "B1", "items": [gateway_item(entCode=...), 5]}], source="vendor")
    assert (answer.status, answer.problem) == (422, "unreadable")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/0/items/0/entCode", "/0/items/1"]


async def test_an_id_that_says_something_else_is_refused_and_kept(house: House) -> None:
    await house.post({"batchNo": "B1", "items": [gateway_item()]}, source="vendor")
    other = {"batchNo": "B1", "items": [gateway_item(val=99), gateway_item(alarmLevel=2)]}
    answer = await house.post(other, source="vendor")
    same, conflict = answer.json["items"]
    assert same["verdict"] == "duplicate"
    assert conflict["status"] == 409
    (row,) = house.gate.unreadable
    assert '"alarmLevel":2' in row.raw
    await house.post(other, source="vendor")
    assert len(house.gate.unreadable) == 1, "the same again tells nobody twice"


async def test_busy_is_said_so_that_any_sender_comes_again(house: House) -> None:
    batch = {"batchNo": "B1", "items": [gateway_item()]}
    house.gate.full_at = 0
    answer = await house.post(batch, source="vendor")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert (await house.post(batch, source="token")).status == 429
    house.gate.full_at = 100
    house.gate.error = Unavailable(Refusal(True, 3, "太快", "too fast"))
    assert (await house.post(batch, source="vendor")).status == 503


async def test_too_many_items_inside_one_document(house: House) -> None:
    answer = await house.post(
        {"batchNo": "B1", "items": [gateway_item(devId=f"d{n}") for n in range(51)]}, source="vendor"
    )
    assert (answer.status, answer.problem) == (413, "too_large")
    assert [row.source for row in house.gate.unreadable] == ["vendor"]
