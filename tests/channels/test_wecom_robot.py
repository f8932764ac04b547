"""The group robot against a robot that checks what the vendor checks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import orjson
import pytest
from pydantic import ValidationError

from bot.demo.simulators.vendor import Fault, Received, listening
from bot.demo.simulators.wecom import WecomRobots
from channels.channel import Form
from channels.cutting import cut_bytes, size
from channels.exchange import Answer
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.robot import Driver, Settings
from channels.wecom.robot_forms import MARKDOWN_BYTES
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port, raw_vendor
from tests.channels.faults import HTTP_FAULTS
from tests.patience import LONG, Patience

KEY = "fake-robot-key-0001"


@dataclass
class Group:
    vendor: WecomRobots
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, base_url: str, **other: object) -> Driver:
    table = {"kind": "wecom_robot", "key": KEY, "readers": ["town"], "base_url": base_url, "timeout": 20.0, **other}
    return Driver("duty_group", Settings.model_validate(table), session)


@pytest.fixture
async def group(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Group]:
    vendor = WecomRobots({KEY: "区县值班群"}, clock)
    async with listening(vendor.app()) as url:
        yield Group(vendor, url, a_driver(session, url))


async def test_a_message_reaches_the_group(group: Group) -> None:
    outcome = await group.driver.send(a_letter('### <font color="warning">红色</font> 一号井 A0231', address=""))
    assert outcome.kind is OutcomeKind.ACCEPTED
    (message,) = await group.vendor.inbox.wait_for(1)
    assert message.address == "区县值班群"
    assert message.text.endswith("一号井 A0231")


async def test_people_are_called_by_name_in_a_short_text_after_the_message(group: Group) -> None:
    text = '### <font color="warning">红色</font> 一号井 A0231\n> 详情'
    outcome = await group.driver.send(a_letter(text, address="", mentions=("13800138000",)))
    assert outcome.kind is OutcomeKind.ACCEPTED
    message, call = group.vendor.received
    assert message.text == text
    assert call.text == "红色 一号井 A0231 @13800138000"


async def test_nobody_is_called_when_the_message_was_refused(group: Group) -> None:
    group.vendor.faults.put(Fault.REFUSE, code=40058)
    outcome = await group.driver.send(a_letter(address="", mentions=("13800138000",)))
    assert outcome.kind is OutcomeKind.REFUSED_CONTENT
    assert group.vendor.received == []


async def test_a_failed_call_by_name_does_not_send_the_message_again(group: Group) -> None:
    async def refuse_the_next(_message: Received) -> None:
        group.vendor.faults.put(Fault.REFUSE, code=45009)

    group.vendor.inbox.on_message = refuse_the_next
    outcome = await group.driver.send(a_letter(address="", mentions=("13800138000",)))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert "点名未成功" in outcome.detail
    assert "45009" in outcome.detail
    assert len(group.vendor.received) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, OutcomeKind.TRANSIENT),
        (40008, OutcomeKind.MISCONFIGURED),
        (40058, OutcomeKind.REFUSED_CONTENT),
        (42045, OutcomeKind.MISCONFIGURED),
        (45002, OutcomeKind.REFUSED_CONTENT),
        (45009, OutcomeKind.THROTTLED),
        (93000, OutcomeKind.MISCONFIGURED),
        (301002, OutcomeKind.TRANSIENT),
    ],
)
async def test_each_error_code_has_its_outcome(group: Group, code: int, kind: OutcomeKind) -> None:
    group.vendor.faults.put(Fault.REFUSE, code=code)
    outcome = await group.driver.send(a_letter())
    assert outcome.kind is kind
    assert outcome.detail.startswith(f"{code} refused as told")
    assert outcome.retry_after == (60.0 if kind is OutcomeKind.THROTTLED else None)


async def test_a_wrong_key_is_misconfigured_and_never_shown(
    session: aiohttp.ClientSession, group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = a_driver(session, group.url, key="canary-key-31337")
    outcome = await wrong.send(a_letter())
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    settings = Settings.model_validate({"kind": "wecom_robot", "key": "canary-key-31337", "readers": ["town"]})
    assert "canary-key-31337" not in f"{outcome!r} {wrong!r} {settings!r} {caplog.text}"


async def test_a_vendor_that_repeats_the_key_does_not_bring_it_into_the_detail(session: aiohttp.ClientSession) -> None:
    body = orjson.dumps({"errcode": 93000, "errmsg": f"no robot {KEY}, call 13800138000\nnow\x1b[31m"})
    outcome = a_driver(session, "https://example.invalid").read(Answer(200, body), NIGHT)
    assert outcome.detail == "93000 no robot ***, call 138****8000 now [31m"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"", OutcomeKind.UNCERTAIN),
        (200, b'{"errcode":false}', OutcomeKind.UNCERTAIN),
        (200, b'{"errcode":"0"}', OutcomeKind.UNCERTAIN),
        (200, b'{"errcode":0.0}', OutcomeKind.UNCERTAIN),
        (200, b'[{"errcode":0}]', OutcomeKind.UNCERTAIN),
        (200, b"<html>sign in</html>", OutcomeKind.UNCERTAIN),
        (500, b'{"errcode":0,"errmsg":"ok"}', OutcomeKind.ACCEPTED),
        (200, b'{"errcode":45009}', OutcomeKind.THROTTLED),
        (403, b"", OutcomeKind.MISCONFIGURED),
        (413, b"", OutcomeKind.REFUSED_CONTENT),
        (502, b"", OutcomeKind.TRANSIENT),
    ],
)
async def test_the_body_is_read_before_the_status(
    session: aiohttp.ClientSession, status: int, body: bytes, kind: OutcomeKind
) -> None:
    assert a_driver(session, "https://example.invalid").read(Answer(status, body), NIGHT).kind is kind


async def test_the_vendors_minute_is_kept_and_reported(group: Group, clock: Clock) -> None:
    for _ in range(20):
        assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.THROTTLED
    clock.at += 59_999
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.THROTTLED
    clock.at += 1
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED


async def test_the_limit_in_bytes_is_exact_with_chinese_on_the_edge(group: Group) -> None:
    longest = "警" * (MARKDOWN_BYTES // 3) + "x"
    assert size(longest) == MARKDOWN_BYTES
    assert (await group.driver.send(a_letter(longest))).kind is OutcomeKind.ACCEPTED
    over = await group.driver.send(a_letter(longest + "x"))
    assert over == Outcome(OutcomeKind.REFUSED_CONTENT, "文本长 4097 字节，上限 4096")
    assert len(group.vendor.received) == 1
    cut = cut_bytes(longest + "警", MARKDOWN_BYTES)
    assert (await group.driver.send(a_letter(cut))).kind is OutcomeKind.ACCEPTED
    assert cut.endswith("警…")


@pytest.mark.parametrize("text", ["", "  \n", "half a pair \ud83d"])
async def test_what_no_robot_can_show_is_refused_here(group: Group, text: str) -> None:
    assert (await group.driver.send(a_letter(text))).kind is OutcomeKind.REFUSED_CONTENT
    assert group.vendor.received == []


@pytest.mark.parametrize(("fault", "kind", "taken"), HTTP_FAULTS)
async def test_each_fault_has_its_outcome(group: Group, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    group.vendor.faults.put(fault)
    outcome = await group.driver.send(a_letter())
    assert outcome.kind is kind
    assert outcome.left_the_hub is (kind is OutcomeKind.UNCERTAIN)
    assert group.vendor.faults.happened == {fault: 1}
    assert len(group.vendor.received) == taken
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED


async def test_a_vendor_that_does_not_answer_is_uncertain_in_time(
    session: aiohttp.ClientSession, group: Group, patience: Patience
) -> None:
    faults = group.vendor.faults
    faults.put(Fault.HANG)
    outcome = await patience.ended(
        a_driver(session, group.url, timeout=LONG).send(a_letter()), faults.wait_for(Fault.HANG)
    )
    assert outcome.kind is OutcomeKind.UNCERTAIN
    assert group.vendor.faults.happened == {Fault.HANG: 1}
    group.vendor.faults.release()


async def test_cancelling_is_not_swallowed(session: aiohttp.ClientSession, group: Group) -> None:
    group.vendor.faults.put(Fault.HANG)
    sending = asyncio.create_task(group.driver.send(a_letter()))
    await group.vendor.faults.wait_for(Fault.HANG)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    group.vendor.faults.release()


async def test_nobody_listening_is_transient(session: aiohttp.ClientSession) -> None:
    outcome = await a_driver(session, f"http://127.0.0.1:{closed_port()}").send(a_letter())
    assert outcome.kind is OutcomeKind.TRANSIENT
    assert KEY not in outcome.detail


async def test_a_flood_in_place_of_an_answer_is_cut_off(session: aiohttp.ClientSession) -> None:
    body = b'{"errcode":0,"errmsg":"' + b"x" * 900_000 + b'"}'
    flood = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with raw_vendor(flood) as (port, _seen):
        outcome = await a_driver(session, f"http://127.0.0.1:{port}").send(a_letter())
    assert outcome.kind is OutcomeKind.UNCERTAIN


async def test_connections_are_kept_between_sends(group: Group, session: aiohttp.ClientSession) -> None:
    for _ in range(5):
        await group.driver.send(a_letter())
    assert session.connector is not None
    assert len(session.connector._conns) == 1


async def test_abilities_say_that_a_group_is_read_by_many(session: aiohttp.ClientSession) -> None:
    abilities = Driver(
        "g", Settings.model_validate({"kind": "wecom_robot", "key": KEY, "readers": ["town"]}), session
    ).abilities
    assert abilities.form is Form.MARKDOWN
    assert not abilities.personal
    assert not abilities.links
    assert not abilities.replies
    assert [(window.count, window.per) for window in abilities.windows] == [(18, 60)]
    assert abilities.reserve == 4


@pytest.mark.parametrize(
    "table",
    [
        {"key": ""},
        {"key": KEY, "per_minute": 21},
        {"key": KEY, "per_minute": 4, "reserve": 4},
        {"key": KEY, "base_url": "qyapi.weixin.qq.com"},
        {"key": KEY, "base_url": ""},
        {"key": KEY, "webhook": "x"},
    ],
)
def test_wrong_settings_are_named(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"kind": "wecom_robot", "readers": ["town"], **table})


async def test_codes_the_vendor_does_not_document_are_settings(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, "https://example.invalid", codes={"95001": "throttled", "0": "transient"})
    assert driver.read(Answer(200, b'{"errcode":95001}'), NIGHT).kind is OutcomeKind.THROTTLED
    assert driver.read(Answer(200, b'{"errcode":0}'), NIGHT).kind is OutcomeKind.ACCEPTED


ALARM = (
    '【演练】<font color="warning">高高报</font> **须处置** 编号 A0231\n请立即处置。\n\n'
    "> 企业：示例木业\n> 点位：1号除尘器灰斗温度\n> 数值：97.2 ℃（限 95）\n> 时限：02:15 前签收\n本群不能签收。"
)
BARE = (
    "【演练】高高报 须处置 编号 A0231\n请立即处置。\n\n"
    "企业：示例木业\n点位：1号除尘器灰斗温度\n数值：97.2 ℃（限 95）\n时限：02:15 前签收\n本群不能签收。"
)


async def test_the_second_markdown_shows_no_tags_of_colours(group: Group, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, group.url, style="markdown_v2")
    assert (await driver.send(a_letter(ALARM, address=""))).kind is OutcomeKind.ACCEPTED
    body = orjson.loads(group.vendor.received[0].raw)
    assert body["msgtype"] == "markdown_v2"
    assert body["markdown_v2"]["content"].startswith(
        "【演练】高高报 **须处置** 编号 A0231\n请立即处置。\n\n> 企业：示例木业"
    )


async def test_bare_text_calls_people_in_the_same_message(group: Group, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, group.url, style="text")
    assert (driver.abilities.max_bytes, driver.abilities.mention_cost) == (2048, 0)
    assert (await driver.send(a_letter(ALARM, address="", mentions=("13800138000",)))).kind is OutcomeKind.ACCEPTED
    (message,) = group.vendor.received
    assert message.text == f"{BARE} @13800138000"
    over = await driver.send(a_letter("超" * 700, address=""))
    assert (over.kind, len(group.vendor.received)) == (OutcomeKind.REFUSED_CONTENT, 1)


async def test_a_card_has_title_rows_and_a_page_and_its_call_by_name_follows(
    group: Group, session: aiohttp.ClientSession
) -> None:
    driver = a_driver(session, group.url, style="card", page="https://fenghuo.example.gov.cn/duty")
    assert (await driver.send(a_letter(ALARM, address="", mentions=("13800138000",)))).kind is OutcomeKind.ACCEPTED
    card, call = (orjson.loads(each.raw) for each in group.vendor.received)
    assert card["template_card"] == {
        "card_type": "text_notice",
        "main_title": {"title": "【演练】高高报 须处置 编号 A0231"},
        "sub_title_text": "请立即处置。\n本群不能签收。",
        "horizontal_content_list": [
            {"keyname": "企业", "value": "示例木业"},
            {"keyname": "点位", "value": "1号除尘器灰斗温度"},
            {"keyname": "数值", "value": "97.2 ℃（限 95）"},
            {"keyname": "时限", "value": "02:15 前签收"},
        ],
        "card_action": {"type": 1, "url": "https://fenghuo.example.gov.cn/duty"},
    }
    assert call["text"]["mentioned_mobile_list"] == ["13800138000"]


@pytest.mark.parametrize("more", ["\n" + "说明" * 60, "\n> 很长的名称：值", "\n> 说明：" + "长" * 120])
async def test_what_a_card_would_fold_away_goes_as_markdown_and_nothing_is_left_out(
    group: Group, session: aiohttp.ClientSession, more: str
) -> None:
    driver = a_driver(session, group.url, style="card", page="https://fenghuo.example.gov.cn/duty")
    assert (await driver.send(a_letter(ALARM + more, address=""))).kind is OutcomeKind.ACCEPTED
    body = orjson.loads(group.vendor.received[0].raw)
    shown = orjson.dumps(body).decode()
    assert all(word in shown for word in ("A0231", more.strip("\n> ").partition("：")[0]))
    assert body["msgtype"] == ("template_card" if "很长" in more else "markdown")


def test_a_card_without_a_page_is_told_before_the_first_alarm() -> None:
    with pytest.raises(ValidationError, match="要写 page"):
        Settings.model_validate({"kind": "wecom_robot", "key": KEY, "readers": ["town"], "style": "card"})
