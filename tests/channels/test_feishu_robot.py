"""The Feishu group robot against a robot that checks what the vendor checks, and against published signatures."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.demo.simulators.feishu import Bot, FeishuRobots
from bot.demo.simulators.vendor import Fault, listening
from channels.channel import Form
from channels.exchange import Answer
from channels.feishu.forms import post
from channels.feishu.robot import BODY_BYTES, Driver, Settings, sign
from channels.outcome import OutcomeKind
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port
from tests.channels.faults import HTTP_FAULTS

HOOK = "fake-hook-0000-0001"
SECRET = "fakeSecret00000000001"
ALARM = '<font color="warning">红色预警</font> **须处置** 编号 A0231\n请核实。\n\n> 企业：一号井\n> 数值：31ppm'


@dataclass
class Group:
    vendor: FeishuRobots
    robot: Bot
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, base_url: str, **other: object) -> Driver:
    table = {
        "kind": "feishu_robot",
        "hook": HOOK,
        "readers": ["city"],
        "secret": SECRET,
        "base_url": base_url,
        "timeout": 20.0,
        **other,
    }
    return Driver("duty_group", Settings.model_validate(table), session)


@pytest.fixture
async def group(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Group]:
    robot = Bot("市值班群", SECRET)
    vendor = FeishuRobots({HOOK: robot}, clock)
    async with listening(vendor.app()) as url:
        yield Group(vendor, robot, url, a_driver(session, url))


@pytest.mark.parametrize(
    ("secret", "seconds", "expected", "dingtalks"),
    [
        (
            "demo",
            1_599_360_473,
            "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=",
            "DkEDUyVoOOJ539qBvUgMyzkzIdRWlf4e/V3Rq+ONJnQ=",
        ),
        (
            "nIMtb7r3N9pkXyXdtAbx6e",
            1_700_000_000,
            "FqUQTprkgbuS88NMtixNVpPfOK0JXs6cAMJIfEuF5sk=",
            "0fCmFAPEeEh1TdfU04itxRiq2UKXgzHJZxnmKubVP6I=",
        ),
    ],
)
def test_signatures_are_those_of_the_guide_and_not_dingtalks(
    secret: str, seconds: int, expected: str, dingtalks: str
) -> None:
    assert sign(secret, seconds) == expected != dingtalks


async def test_a_message_is_a_post_of_paragraphs_and_calls_whom_it_knows(
    group: Group, session: aiohttp.ClientSession
) -> None:
    driver = a_driver(session, group.url, members={"13800138000": "ou_fake1"})
    text = f"{ALARM}\n[预案](https://plan.example.cn/1)"
    outcome = await driver.send(a_letter(text, address="", mentions=("13800138000", "13900139000")))
    assert outcome.kind is OutcomeKind.ACCEPTED
    (message,) = group.vendor.received
    assert (message.address, message.subject) == ("市值班群", "红色预警 须处置 编号 A0231")
    assert message.text == "请核实。\n\n企业：一号井\n数值：31ppm\n预案 https://plan.example.cn/1\n@ou_fake1 "
    body = orjson.loads(message.raw)
    assert (body["timestamp"], body["sign"]) == (str(NIGHT // 1000), sign(SECRET, NIGHT // 1000))
    assert "13900139000" not in message.raw.decode(), "nobody's number is shown to a group that cannot be called by it"


async def test_a_card_has_feishus_colours_and_a_red_head_for_what_is_critical(
    group: Group, session: aiohttp.ClientSession
) -> None:
    driver = a_driver(session, group.url, style="card", members={"13800138000": "ou_fake1"})
    outcome = await driver.send(a_letter(ALARM, mentions=("13800138000",), critical=True))
    assert outcome.kind is OutcomeKind.ACCEPTED
    (message,) = group.vendor.received
    assert orjson.loads(message.raw)["card"]["header"]["template"] == "red"
    assert message.text == (
        "<font color='red'>红色预警</font> **须处置** 编号 A0231\n请核实。\n\n企业：一号井\n数值：31ppm\n"
        "<at id=ou_fake1></at>"
    )


async def test_bare_text_has_no_markup_and_calls_nobody_by_what_upstream_wrote(
    group: Group, session: aiohttp.ClientSession
) -> None:
    driver = a_driver(session, group.url, style="text")
    hostile = '**A0231** <at user_id="all">所有人</at>'
    assert (await driver.send(a_letter(hostile))).kind is OutcomeKind.ACCEPTED
    assert group.vendor.received[0].text == 'A0231 ＜at user_id="all">所有人＜/at>'


@pytest.mark.parametrize(("seconds", "kind"), [(3599, "accepted"), (3601, "misconfigured"), (-3601, "misconfigured")])
async def test_a_signature_holds_for_an_hour(group: Group, clock: Clock, seconds: int, kind: str) -> None:
    clock.at += seconds * 1000
    outcome = await group.driver.send(a_letter())
    assert outcome.kind == kind


async def test_a_wrong_secret_or_hook_is_misconfigured_and_never_shown(
    session: aiohttp.ClientSession, group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = a_driver(session, group.url, secret="canary31337")
    outcome = await wrong.send(a_letter())
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert outcome.detail.startswith("19021 ")
    nowhere = await a_driver(session, group.url, hook="canary-hook").send(a_letter())
    assert nowhere.kind is OutcomeKind.MISCONFIGURED
    refused = await a_driver(session, f"http://127.0.0.1:{closed_port()}").send(a_letter())
    assert refused.kind is OutcomeKind.TRANSIENT
    shown = f"{outcome!r} {nowhere!r} {refused!r} {wrong!r} {caplog.text}"
    assert not any(each in shown for each in ("canary", HOOK, SECRET))


async def test_the_robots_keyword_is_added_where_it_is_missing(group: Group, session: aiohttp.ClientSession) -> None:
    group.robot.secret, group.robot.keywords = "", ("安全预警",)
    outcome = await a_driver(session, group.url, secret="").send(a_letter("红色 A0231"))
    assert (outcome.kind, outcome.detail) == (OutcomeKind.MISCONFIGURED, "19024 Key Words Not Found")
    knowing = a_driver(session, group.url, secret="", keyword="安全预警", style="text")
    for text in ("红色 A0231", "安全预警 红色 A0231"):
        assert (await knowing.send(a_letter(text))).kind is OutcomeKind.ACCEPTED
    assert [each.text for each in group.vendor.received] == ["红色 A0231\n安全预警", "安全预警 红色 A0231"]


async def test_both_limits_are_the_vendors(group: Group, clock: Clock) -> None:
    for _ in range(5):
        assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED
    outcome = await group.driver.send(a_letter())
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.THROTTLED, 30.0)
    clock.at += 1_000
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"code":0,"msg":"success"}', OutcomeKind.ACCEPTED),
        (b'{"StatusCode":0,"StatusMessage":"success"}', OutcomeKind.ACCEPTED),
        (b'{"code":9499,"msg":"Bad Request"}', OutcomeKind.REFUSED_CONTENT),
        (b'{"code":19001}', OutcomeKind.MISCONFIGURED),
        (b'{"code":19022,"msg":"Ip Not Allowed"}', OutcomeKind.MISCONFIGURED),
        (b'{"code":99991400,"msg":"request trigger frequency limit"}', OutcomeKind.THROTTLED),
        (b'{"code":777}', OutcomeKind.TRANSIENT),
        (b'{"code":"0"}', OutcomeKind.UNCERTAIN),
        (b"<html>sign in</html>", OutcomeKind.UNCERTAIN),
        (b"", OutcomeKind.UNCERTAIN),
    ],
)
async def test_the_body_decides(session: aiohttp.ClientSession, body: bytes, kind: OutcomeKind) -> None:
    outcome = a_driver(session, "https://example.invalid").read(Answer(200, body), NIGHT)
    assert outcome.kind is kind


async def test_how_long_to_wait_is_the_vendors_word(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, "https://example.invalid", codes={"660026": "throttled", "0": "transient"})
    limited = driver.read(Answer(429, b'{"code":99991400}', "7"), NIGHT)
    assert (limited.kind, limited.retry_after) == (OutcomeKind.THROTTLED, 7.0)
    assert driver.read(Answer(200, b'{"code":660026}'), NIGHT).kind is OutcomeKind.THROTTLED
    assert driver.read(Answer(200, b'{"code":0}'), NIGHT).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(("fault", "kind", "taken"), HTTP_FAULTS)
async def test_each_fault_has_its_outcome(group: Group, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    group.vendor.faults.put(fault)
    assert (await group.driver.send(a_letter())).kind is kind
    assert group.vendor.faults.happened == {fault: 1}
    assert len(group.vendor.received) == taken
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize("style", ["post", "card", "text"])
async def test_a_request_never_passes_the_vendors_limit(
    group: Group, session: aiohttp.ClientSession, style: str
) -> None:
    driver = a_driver(session, group.url, style=style, keyword="预警", max_bytes=12_000)
    most = driver.abilities.max_bytes
    assert most is not None
    longest = "\n".join(["> " + "井" * 40] * 120).encode()[:most].decode("utf-8", "ignore")
    assert (await driver.send(a_letter(longest))).kind is OutcomeKind.ACCEPTED
    assert len(group.vendor.received[0].raw) <= BODY_BYTES
    for over in ("井" * 4001, "\n>a" * 3_900):
        assert (await driver.send(a_letter(over))).kind in (OutcomeKind.REFUSED_CONTENT, OutcomeKind.ACCEPTED)
    assert all(len(each.raw) <= BODY_BYTES for each in group.vendor.received)


@pytest.mark.parametrize("text", ["", "  \n", "half a pair \ud83d"])
async def test_what_no_robot_can_show_is_refused_here(group: Group, text: str) -> None:
    assert (await group.driver.send(a_letter(text))).kind is OutcomeKind.REFUSED_CONTENT
    assert group.vendor.received == []


@given(st.text(alphabet=st.sampled_from("井> \n*[]()a"), max_size=60))
def test_no_line_is_lost_on_the_way(text: str) -> None:
    made: dict[str, Any] = post("标题", text, ())
    lines = ["".join(each["text"] for each in line) for line in made["content"]["post"]["zh_cn"]["content"]]
    left = [line.removeprefix(">").replace("**", "").strip() for line in text.strip().split("\n")]
    assert [line.strip() for line in lines if line.strip()] == [line for line in left if line]


async def test_abilities_say_that_a_group_is_read_by_many(session: aiohttp.ClientSession) -> None:
    abilities = a_driver(session, "https://example.invalid", members={"13800138000": "ou_1"}).abilities
    assert (abilities.form, abilities.personal, abilities.links, abilities.replies) == (
        Form.MARKDOWN,
        False,
        False,
        False,
    )
    assert [(window.count, window.per) for window in abilities.windows] == [(4, 1), (95, 60)]
    assert (abilities.reserve, abilities.mentions) == (2, True)


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"hook": ""}, "hook"),
        ({"hook": "https://open.feishu.cn/open-apis/bot/v2/hook/1"}, "/hook/"),
        ({"per_minute": 101}, "per_minute"),
        ({"per_second": 2}, "reserve"),
        ({"per_minute": 3}, "per_second"),
        ({"members": {"13800138000": 'ou 1"></at>'}}, "members"),
        ({"base_url": "open.feishu.cn"}, "base_url"),
    ],
)
def test_wrong_settings_are_named(table: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"kind": "feishu_robot", "hook": HOOK, "readers": ["city"], "secret": SECRET, **table})
    assert word in str(caught.value)
