"""The DingTalk group robot against a robot that checks what the vendor checks, and against published signatures."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.demo.simulators.dingtalk import DingtalkRobots, Robot
from bot.demo.simulators.vendor import Fault, listening
from channels.channel import Form
from channels.cutting import size
from channels.dingtalk.markdown import markdown, plain
from channels.dingtalk.robot import Driver, Settings, sign
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port
from tests.channels.faults import HTTP_FAULTS

TOKEN = "fake-access-token-0001"
SECRET = "SECfake0000000000000000000000000000000000000000000000000000001"


@dataclass
class Group:
    vendor: DingtalkRobots
    robot: Robot
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, base_url: str, **other: object) -> Driver:
    table = {
        "kind": "dingtalk_robot",
        "token": TOKEN,
        "readers": ["town"],
        "secret": SECRET,
        "base_url": base_url,
        "timeout": 20.0,
        **other,
    }
    return Driver("duty_group", Settings.model_validate(table), session)


@pytest.fixture
async def group(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Group]:
    robot = Robot("开发区值班群", SECRET)
    vendor = DingtalkRobots({TOKEN: robot}, clock)
    async with listening(vendor.app()) as url:
        yield Group(vendor, robot, url, a_driver(session, url))


@pytest.mark.parametrize(
    ("secret", "at", "expected"),
    [
        ("SEC" + "0" * 60 + "abcd", 1_700_000_000_123, "TRR3HyCQqL3QSlHRhg4YkCnPTzKWJrvF76PjNKvsx7g="),
        ("this is secret", 1_577_262_236_757, "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="),
        ("SECabc+/=", 1_609_430_400_000, "g4GgLZFJveboaY4Rtg8e1yoMiWcxlGAlxXdtkX/Olao="),
    ],
)
def test_signatures_are_those_of_another_implementation(secret: str, at: int, expected: str) -> None:
    assert sign(secret, at) == expected


async def test_a_message_reaches_the_group_signed_and_calls_people(group: Group) -> None:
    text = '<font color="warning">红色预警</font> **须处置** 编号 A0231\n请核实。\n\n> 企业：一号井\n> 数值：31ppm'
    outcome = await group.driver.send(a_letter(text, address="", mentions=("13800138000",)))
    assert outcome.kind is OutcomeKind.ACCEPTED
    (message,) = group.vendor.received
    assert message.address == "开发区值班群"
    assert message.subject == "红色预警 须处置 编号 A0231"
    assert message.text.startswith("**红色预警** **须处置** 编号 A0231  \n请核实。\n\n> 企业：一号井  \n> 数值：31ppm")
    assert message.text.endswith("\n\n@13800138000")
    assert orjson.loads(message.raw)["at"] == {"atMobiles": ["13800138000"], "isAtAll": False}


async def test_a_group_may_want_nobody_called_and_no_markup(group: Group, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, group.url, style="text", mention=False)
    text = '<font color="warning">红色</font> **A0231**\n> [详情](https://alarm.example.cn/a)'
    assert (await driver.send(a_letter(text, mentions=("13800138000",)))).kind is OutcomeKind.ACCEPTED
    assert group.vendor.received[0].text == "红色 A0231\n详情 https://alarm.example.cn/a"


@pytest.mark.parametrize(("seconds", "kind"), [(3599, "accepted"), (3601, "misconfigured"), (-3601, "misconfigured")])
async def test_a_signature_holds_for_an_hour(group: Group, clock: Clock, seconds: int, kind: str) -> None:
    clock.at += seconds * 1000
    outcome = await group.driver.send(a_letter())
    assert outcome.kind == kind
    assert kind == "accepted" or "invalid timestamp" in outcome.detail


async def test_a_wrong_secret_or_token_is_misconfigured_and_never_shown(
    session: aiohttp.ClientSession, group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = a_driver(session, group.url, secret="SECcanary31337")
    outcome = await wrong.send(a_letter())
    assert (outcome.kind, outcome.detail) == (OutcomeKind.MISCONFIGURED, "310000 sign not match")
    nowhere = await a_driver(session, group.url, token="canary-token").send(a_letter())
    assert nowhere.kind is OutcomeKind.MISCONFIGURED
    refused = await a_driver(session, f"http://127.0.0.1:{closed_port()}").send(a_letter())
    assert refused.kind is OutcomeKind.TRANSIENT
    shown = f"{outcome!r} {nowhere!r} {refused!r} {wrong!r} {caplog.text}"
    assert not any(each in shown for each in ("canary", TOKEN, SECRET))


async def test_the_robots_keyword_is_added_where_it_is_missing(group: Group, session: aiohttp.ClientSession) -> None:
    group.robot.secret, group.robot.keywords = "", ("安全预警", "值班")
    bare = a_driver(session, group.url, secret="", by_address=True)
    outcome = await bare.send(a_letter("红色 A0231"))
    assert (outcome.kind, outcome.detail) == (OutcomeKind.MISCONFIGURED, "310000 keywords not in content")
    knowing = a_driver(session, group.url, secret="", keyword="安全预警")
    for text in ("红色 A0231", "安全预警 红色 A0231"):
        assert (await knowing.send(a_letter(text))).kind is OutcomeKind.ACCEPTED
    assert [each.text for each in group.vendor.received] == ["红色 A0231\n\n安全预警", "安全预警 红色 A0231"]


async def test_a_robot_that_was_throttled_rests_for_its_whole_punishment(group: Group, clock: Clock) -> None:
    for _ in range(20):
        assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED
    outcome = await group.driver.send(a_letter())
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.THROTTLED, 600.0)
    clock.at += 599_999
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.THROTTLED
    clock.at += 600_000
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"errcode":0,"errmsg":"ok"}', OutcomeKind.ACCEPTED),
        (b'{"errcode":-1,"errmsg":"busy"}', OutcomeKind.TRANSIENT),
        (b'{"errcode":88}', OutcomeKind.MISCONFIGURED),
        (b'{"errcode":310000,"errmsg":"ip 1.2.3.4 not in whitelist"}', OutcomeKind.MISCONFIGURED),
        (b'{"errcode":40035}', OutcomeKind.REFUSED_CONTENT),
        (b'{"errcode":90030}', OutcomeKind.MISCONFIGURED),
        (b'{"errcode":777}', OutcomeKind.TRANSIENT),
        (b'{"status":1111,"wait":5,"source":"x5","punish":"deny","errcode":130101}', OutcomeKind.THROTTLED),
        (b'{"status":1111,"wait":5,"source":"x5","punish":"deny"}', OutcomeKind.THROTTLED),
        (b'{"errcode":"0"}', OutcomeKind.UNCERTAIN),
        (b"<html>sign in</html>", OutcomeKind.UNCERTAIN),
        (b"", OutcomeKind.UNCERTAIN),
    ],
)
async def test_the_body_decides(session: aiohttp.ClientSession, body: bytes, kind: OutcomeKind) -> None:
    outcome = a_driver(session, "https://example.invalid").read(Answer(200, body), NIGHT)
    assert outcome.kind is kind
    assert outcome.retry_after == (600.0 if kind is OutcomeKind.THROTTLED else None)


async def test_codes_the_vendor_does_not_document_are_settings(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, "https://example.invalid", codes={"660026": "throttled", "0": "transient"})
    assert driver.read(Answer(200, b'{"errcode":660026}'), NIGHT).kind is OutcomeKind.THROTTLED
    assert driver.read(Answer(200, b'{"errcode":0}'), NIGHT).kind is OutcomeKind.ACCEPTED
    assert driver.read(Answer(200, b'{"errcode":400102}'), NIGHT).kind is OutcomeKind.MISCONFIGURED


@pytest.mark.parametrize(("fault", "kind", "taken"), HTTP_FAULTS)
async def test_each_fault_has_its_outcome(group: Group, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    group.vendor.faults.put(fault)
    assert (await group.driver.send(a_letter())).kind is kind
    assert group.vendor.faults.happened == {fault: 1}
    assert len(group.vendor.received) == taken
    assert (await group.driver.send(a_letter())).kind is OutcomeKind.ACCEPTED


async def test_the_limit_in_bytes_is_kept_whatever_is_added(group: Group, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, group.url, keyword="预警")
    assert driver.abilities.max_bytes is not None
    rows = ["> " + "井" * 40] * 30
    longest = "\n".join(rows)[: driver.abilities.max_bytes // 3]
    outcome = await driver.send(a_letter(longest, mentions=("13800138000",)))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert size(group.vendor.received[0].text) <= 5000
    over = await driver.send(a_letter("井" * 1667))
    assert over.kind is OutcomeKind.REFUSED_CONTENT
    assert len(group.vendor.received) == 1


@pytest.mark.parametrize("text", ["", "  \n", "half a pair \ud83d"])
async def test_what_no_robot_can_show_is_refused_here(group: Group, text: str) -> None:
    assert (await group.driver.send(a_letter(text))).kind is OutcomeKind.REFUSED_CONTENT
    assert group.vendor.received == []


@given(st.text(alphabet=st.sampled_from("井> \n*[]()a"), max_size=60))
def test_no_line_is_lost_or_joined_on_the_way(text: str) -> None:
    shown = markdown(text)
    assert [line.strip() for line in shown.split("\n") if line.strip()] == [
        line.strip() for line in text.strip().split("\n") if line.strip()
    ]
    for line, following in zip(shown.split("\n"), shown.split("\n")[1:], strict=False):
        assert not following or not line or line.endswith("  ")
    plain(text)


async def test_abilities_say_that_a_group_is_read_by_many(session: aiohttp.ClientSession) -> None:
    abilities = a_driver(session, "https://example.invalid").abilities
    assert (abilities.form, abilities.personal, abilities.links, abilities.replies) == (
        Form.MARKDOWN,
        False,
        False,
        False,
    )
    assert [(window.count, window.per) for window in abilities.windows] == [(18, 60)]
    assert abilities.reserve == 4


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"token": ""}, "token"),
        ({"token": "https://oapi.dingtalk.com/robot/send?access_token=1"}, "access_token="),
        ({"secret": "abc"}, "SEC"),
        ({"secret": ""}, "至少有一种"),
        ({"per_minute": 21}, "per_minute"),
        ({"per_minute": 4}, "reserve"),
        ({"base_url": "oapi.dingtalk.com"}, "base_url"),
        ({"rest": 5}, "rest"),
    ],
)
def test_wrong_settings_are_named(table: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(
            {"kind": "dingtalk_robot", "token": TOKEN, "readers": ["town"], "secret": SECRET, **table}
        )
    assert word in str(caught.value)
