"""Stories at the door: events are posted to a real server and verdicts come back after the commit."""

from __future__ import annotations

import asyncio
import gzip
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest

from bot.intake.batcher import Full
from bot.intake.gate import Refusal, Unavailable
from tests.intake.conftest import House
from tests.intake.samples import NOW, alarm, encoded, warning
from tests.intake.test_auth import NEW, OLD, signed

MOMENT = datetime.fromtimestamp(NOW // 1000, UTC)


async def test_an_alarm_is_posted_and_answered_with_its_code(house: House) -> None:
    answer = await house.post(alarm())
    assert answer.status == 202
    assert answer.json == {
        "items": [{"id": "A-000123", "verdict": "created", "code": "A0001", "reason": "raised", "flags": []}]
    }
    assert list(house.gate.taken) == ["e\x1ftoken\x1fA-000123"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/cloudevents-batch+json"]
)
async def test_a_batch_gets_a_verdict_for_each_item_in_order(house: House, content_type: str) -> None:
    batch = [alarm(id="1"), warning(id="2", time="2026-11-20T00:00:00Z"), alarm(id="3", type="alarm.cleared")]
    answer = await house.post(batch, headers={"Content-Type": content_type})
    assert answer.status == 202
    assert [row["id"] for row in answer.json["items"]] == ["1", "2", "3"]
    assert answer.json["items"][1]["flags"] == ["late"]
    assert house.gate.commits == [3]


async def test_an_empty_batch_is_no_error(house: House) -> None:
    answer = await house.post([])
    assert (answer.status, answer.json, house.gate.commits) == (202, {"items": []}, [])


async def test_the_answer_comes_after_the_commit_and_not_before(house: House) -> None:
    house.gate.open.clear()
    posting = asyncio.create_task(house.post(alarm()))
    await house.gate.begun.wait()
    others = [asyncio.create_task(house.post(alarm(id=f"{number}"))) for number in range(5)]
    done, _ = await asyncio.wait([posting, *others], timeout=0.2)
    assert not done
    house.gate.open.set()
    assert [answer.status for answer in await asyncio.gather(posting, *others)] == [202] * 6
    # The others arrived while the first was being written: they shared one commit.
    assert house.gate.commits == [1, 5]


async def test_the_same_again_is_a_duplicate_and_another_body_under_the_id_a_conflict(house: House) -> None:
    await house.post(alarm())
    again = await house.post(alarm())
    assert again.json["items"][0] | {"flags": []} == {
        "id": "A-000123", "verdict": "duplicate", "code": "A0001", "reason": "same_body", "flags": [],
    }  # fmt: skip
    other = await house.post(alarm(data__alarm__value=99))
    assert (other.status, other.problem) == (409, "other_body")
    assert other.json["errors"][0]["pointer"] == "/id"
    assert other.json["items"] == [{"id": "A-000123", "status": 409, "reason": "other_body"}]
    mixed = await house.post([alarm(data__alarm__value=99), alarm(id="new")])
    assert mixed.status == 202
    assert [row.get("status", row.get("verdict")) for row in mixed.json["items"]] == [409, "created"]


async def test_signed_bodies_come_in_by_either_secret_and_compressed_too(house: House) -> None:
    for number, secret in enumerate((OLD, NEW)):
        body = encoded(alarm(id=f"{number}"))
        answer = await house.post(None, source="signed", data=body, headers=signed(secret, body, MOMENT))
        assert answer.status == 202
    packed = gzip.compress(encoded(alarm(id="packed")))
    text = f"msg_9.{NOW // 1000}.".encode() + packed
    signature = b64encode(hmac.digest(b64decode(NEW.removeprefix("whsec_")), text, "sha256")).decode()
    headers = {
        "Webhook-Id": "msg_9",
        "Webhook-Timestamp": str(NOW // 1000),
        "Webhook-Signature": f"v1,{signature}",
        "Content-Encoding": "gzip",
    }
    assert (await house.post(None, source="signed", data=packed, headers=headers)).status == 202
    assert len(house.gate.taken) == 3


async def test_a_replayed_request_changes_nothing(house: House) -> None:
    body = encoded(alarm())
    headers = signed(NEW, body, MOMENT)
    await house.post(None, source="signed", data=body, headers=headers)
    again = await house.post(None, source="signed", data=body, headers=headers)
    assert again.json["items"][0]["verdict"] == "duplicate"
    assert len(house.gate.taken) == 1


async def test_a_compressed_body_is_read(house: House) -> None:
    packed = gzip.compress(encoded([alarm(id=f"{number}") for number in range(40)]))
    answer = await house.post(None, data=packed, headers={"Content-Encoding": "gzip"})
    assert (answer.status, len(answer.json["items"])) == (202, 40)


async def test_a_body_in_chunks_is_read(house: House) -> None:
    async def chunks() -> object:
        for byte in encoded(alarm()):
            yield bytes([byte])

    assert (await house.post(None, data=chunks())).status == 202


async def test_an_unreadable_event_is_refused_by_field_and_yet_kept(house: House) -> None:
    answer = await house.post(alarm(type="alarm.boiled", data__alarm__severity=True))
    assert (answer.status, answer.problem) == (422, "unreadable")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/type", "/data/alarm/severity"]
    assert answer.json["items"][0]["verdict"] == "quarantined"
    [kept] = house.gate.unreadable
    assert (kept.id, kept.source) == ("A-000123", "token")
    mended = await house.post(alarm())
    assert mended.json["items"][0]["verdict"] == "created"


async def test_one_unreadable_item_does_not_take_the_others_along(house: House) -> None:
    answer = await house.post([alarm(id="1"), {"specversion": "1.0"}, alarm(id="3")])
    assert answer.status == 202
    assert [row["verdict"] for row in answer.json["items"]] == ["created", "quarantined", "created"]
    bad = answer.json["items"][1]
    assert (bad["status"], [error["pointer"] for error in bad["errors"]]) == (422, ["/id", "/type", "/data"])


async def test_a_batch_of_which_nothing_can_be_read_is_refused(house: House) -> None:
    answer = await house.post([{"id": "1"}, 5])
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]][-2:] == ["/0/data", "/1"]
    assert len(house.gate.unreadable) == 2


async def test_a_hub_that_is_not_ready_says_when_to_come_again(house: House) -> None:
    house.gate.refusal = Refusal(False, 7, "台账写不进去。", "The journal cannot be written.")
    answer = await house.post(alarm())
    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (503, "unavailable", "7")
    house.gate.refusal = None
    house.gate.full_at = 2
    answer = await house.post([alarm(id="1"), alarm(id="2"), alarm(id="3")])
    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (429, "busy", "2")
    assert not house.gate.taken


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Unavailable(Refusal(False, 3, "存储无应答。", "No answer from the store.")), 503, "3"),
        (Full("no room"), 429, "1"),
    ],
)
async def test_a_commit_that_fails_is_told_to_everybody_who_shared_it(
    house: House, error: Exception, status: int, retry: str
) -> None:
    house.gate.error = error
    answers = await asyncio.gather(*(house.post(alarm(id=f"{number}")) for number in range(4)))
    assert {(answer.status, answer.headers["Retry-After"]) for answer in answers} == {(status, retry)}
    house.gate.error = None
    assert (await house.post(alarm(id="0"))).json["items"][0]["verdict"] == "created"


async def test_what_a_vanished_client_sent_is_taken_all_the_same(house: House) -> None:
    house.gate.open.clear()
    posting = asyncio.create_task(house.post(alarm()))
    await house.gate.begun.wait()
    posting.cancel()
    house.gate.open.set()
    assert (await house.post(alarm())).json["items"][0]["verdict"] == "duplicate"
