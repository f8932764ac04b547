"""What the door does not take, said as a problem that tells what to do; the hub behind it never hears of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from datetime import UTC, datetime

import pytest

from bot.intake.gate import Refusal, Unavailable
from tests.intake.conftest import House
from tests.intake.memory_gate import TOKEN
from tests.intake.samples import NOW, alarm, encoded
from tests.intake.test_auth import NEW, OLD, signed

MOMENT = datetime.fromtimestamp(NOW // 1000, UTC)


async def test_an_unknown_source(house: House) -> None:
    answer = await house.post(alarm(), source="nobody")
    assert (answer.status, answer.problem) == (404, "unknown_source")


async def test_without_the_right_token_nobody_comes_in_and_nobody_learns_why(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "bot.intake")
    answers = [
        await house.post(alarm(), headers={"Authorization": None}),
        await house.post(alarm(), headers={"Authorization": "Bearer guess"}),
        await house.post(alarm(), source="proxied"),
        await house.post(alarm(), source="signed"),
    ]
    assert [answer.status for answer in answers] == [401] * 4
    assert len({str(answer.json) for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")
    said = [record.getMessage().partition(": ")[2] for record in caplog.records]
    assert said == [
        "missing_token, source token, from 127.0.0.1",
        "bad_token, source token, from 127.0.0.1",
        "foreign_address, source proxied, from 127.0.0.1",
        "missing_signature, source signed, from 127.0.0.1",
    ]
    assert TOKEN not in caplog.text
    assert not house.gate.taken


async def test_a_proxy_of_ours_says_who_asks_and_nobody_else_does(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7"}
    assert (await house.post(alarm(), source="proxied", headers=headers)).status == 202
    headers = {"X-Forwarded-For": "198.51.100.7, 203.0.113.1"}
    assert (await house.post(alarm(), source="proxied", headers=headers)).status == 401
    assert "source proxied, from 203.0.113.1" in caplog.text, "not the proxy"


async def test_a_body_that_was_changed_after_signing(house: House) -> None:
    body = encoded(alarm())
    headers = signed(NEW, body, MOMENT)
    answer = await house.post(None, source="signed", data=body.replace(b"86.4", b"16.4"), headers=headers)
    assert answer.status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": None},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Encoding": "br"},
        {"Content-Encoding": "gzip, gzip"},
        {"ce-specversion": "1.0", "Content-Type": "application/json"},
    ],
)
async def test_unsupported_types_and_codings(house: House, headers: dict[str, str | None]) -> None:
    answer = await house.post(None, data=encoded(alarm()), headers=headers)
    assert (answer.status, answer.problem) == (415, "unsupported_type")


@pytest.mark.parametrize("body", [b"{", b"5", b"[" * 1000, "示例".encode("gbk"), b'{"value": NaN}', b"\xff\x00"])
async def test_what_is_no_document_is_refused_and_kept(
    house: House, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    caplog.set_level(logging.WARNING, "bot.intake")
    await house.post(None, data=body)
    answer = await house.post(None, data=body)
    assert (answer.status, answer.problem) == (400, "malformed")
    assert "已隔离保存并告知" in answer.json["detail"]
    [row] = house.gate.unreadable
    assert (row.source, row.id, row.cut) == ("token", "", False)
    assert answer.json["detail"].startswith(row.problems[0].detail)
    assert "refused: malformed, source 'token', from 127.0.0.1" in caplog.text


async def test_gbk_is_kept_as_people_can_read_it(house: House) -> None:
    text = json.dumps(alarm(data__point__name="1号高炉煤气"), ensure_ascii=False)
    assert (await house.post(None, data=text.encode("gbk"))).status == 400
    [row] = house.gate.unreadable
    assert row.raw == text
    assert row.gist == "alarm.raised · 高高报 · 示例木业有限公司 · 1号高炉煤气"
    assert "GBK" in row.problems[0].detail


async def test_what_is_called_gzip_and_is_none(house: House) -> None:
    answer = await house.post(alarm(), headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.problem) == (400, "malformed")
    [row] = house.gate.unreadable
    assert "high_high" in row.raw


async def test_nothing_of_a_sender_without_proof_is_kept(house: House) -> None:
    signature = signed(OLD, b"{", MOMENT) | {"Authorization": None}
    answers = [
        await house.post(None, data=b"{", headers={"Authorization": "Bearer guess"}),
        await house.post(None, source="signed", data=b"[", headers=signature),
        await house.post(None, data=b""),
    ]
    assert [answer.status for answer in answers] == [401, 401, 400]
    assert not house.gate.unreadable


async def test_rubbish_that_cannot_be_kept_is_to_be_sent_again(house: House) -> None:
    house.gate.error = Unavailable(Refusal(False, 3, "存储不可用。", "The store is not there."))
    answer = await house.post(None, data=b"{")
    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (503, "unavailable", "3")


async def test_too_many_at_once_are_kept_where_the_answer_is_not_read(house: House) -> None:
    many = [{"devId": f"{number}"} for number in range(51)]
    assert (await house.post(many, source="token")).status == 413
    assert not house.gate.unreadable
    assert (await house.post(many, source="vendor")).status == 413
    [row] = house.gate.unreadable
    assert row.source == "vendor"


async def test_too_large_announced_unannounced_inflated_and_too_many(house: House) -> None:
    async def endless() -> object:
        for _ in range(100):
            yield b" " * 1000

    packed = {"Content-Encoding": "gzip"}
    answers = [
        await house.post(None, data=b" " * 20_001),
        await house.post(None, data=endless()),
        await house.post(None, data=gzip.compress(b" " * 100_001), headers=packed),
        await house.post([alarm(id=f"{number}") for number in range(51)]),
    ]
    assert [(answer.status, answer.problem) for answer in answers] == [(413, "too_large")] * 4
    assert not house.gate.taken


async def talk(house: House, *texts: bytes, leave: bool = False) -> list[bytes]:
    """Say something raw to the server, each text after the answer to the one before; the heads of its answers."""
    reader, writer = await asyncio.open_connection(house.host, house.port)
    answers: list[bytes] = []
    try:
        for text in texts:
            writer.write(text)
            await writer.drain()
            if not leave:
                answers.append(await reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.close()
        await writer.wait_closed()
    return answers


def head(length: str) -> bytes:
    lines = [
        "POST /events/token HTTP/1.1",
        "Host: hub",
        f"Authorization: Bearer {TOKEN}",
        "Content-Type: application/json",
        length,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(house: House) -> None:
    [answer] = await talk(house, head("Content-Length: 100") + b'{"a"')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in answer


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx\r\n0\r\n\r\n"])
async def test_a_broken_transfer_is_refused(house: House, body: bytes) -> None:
    """The server's own parser answers a fault that comes with the head; a later one ends the body's time."""
    [answer] = await talk(house, head("Transfer-Encoding: chunked") + body)
    assert answer.split()[1] == b"400"
    begin = head("Transfer-Encoding: chunked\r\nExpect: 100-continue")
    answers = await talk(house, begin, body)
    assert [answer.split()[1] for answer in answers] in ([b"100", b"400"], [b"100", b"408"])
    assert not house.gate.taken


async def test_a_client_that_leaves_in_the_middle_of_its_body_does_no_harm(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await talk(house, head("Content-Length: 100") + b'{"a"', leave=True)
    await talk(house, head("Transfer-Encoding: chunked") + b"64\r\n{", leave=True)
    assert (await house.post(alarm())).status == 202
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_wrong_method_is_the_router_s_answer(house: House) -> None:
    async with house.session.get(f"{house.url}/events/token") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
