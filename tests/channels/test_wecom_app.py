"""The app's driver against a vendor that counts, cuts, forgets tokens and says so under HTTP 200."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from bot.demo.simulators.vendor import Fault, listening
from bot.demo.simulators.wecom_app import AppAccount, WecomApp
from channels.channel import Form, Window
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from channels.wecom.app import Driver, Settings, is_userid
from channels.wecom.app_messages import TEXT_BYTES
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port
from tests.channels.faults import HTTP_FAULTS

SECRET = "fake-app-secret-31337"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
ACCOUNT = AppAccount("wwdemo0000000001", 1000002, SECRET, "faketoken", KEY)


@dataclass
class App:
    vendor: WecomApp
    url: str
    driver: Driver
    clock: Clock

    async def send(self, text: str = "一号井 CO 超限 A0231", to: str = "zhangsan", **other: Any) -> Any:
        return await self.driver.send(a_letter(text, address=to, **{"at": self.clock.at, **other}))


def a_driver(session: aiohttp.ClientSession, url: str, **other: Any) -> Driver:
    table = {
        "kind": "wecom_app",
        "corpid": ACCOUNT.corpid,
        "agentid": ACCOUNT.agentid,
        "secret": SECRET,
        "base_url": url,
        "timeout": 20.0,
        **other,
    }
    return Driver("app", Settings.model_validate(table), session)


@pytest.fixture
async def app(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[App]:
    vendor = WecomApp(ACCOUNT, ["zhangsan", "LiSi"], clock, unlicensed=["wangwu"])
    async with listening(vendor.app()) as url:
        yield App(vendor, url, a_driver(session, url), clock)


async def test_one_member_gets_the_text(app: App) -> None:
    outcome = await app.send("【演练】一号井 CO 31ppm\n请打开 https://alarm.example.cn/a/x")
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert outcome.vendor_id
    (message,) = app.vendor.received
    assert (message.address, message.text) == (
        "zhangsan",
        "【演练】一号井 CO 31ppm\n请打开 https://alarm.example.cn/a/x",
    )
    assert (await app.send(to="lisi")).kind is OutcomeKind.ACCEPTED
    assert app.vendor.received[-1].address == "LiSi"


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_refused_token_is_asked_for_once_and_the_message_repeated_once(app: App, how: str) -> None:
    await app.send()
    if how == "revoked":
        app.vendor.revoke()
    else:
        # The vendor's token ended early: its clock runs ahead of the hub's.
        token, until = next(iter(app.vendor._tokens.items()))
        app.vendor._tokens[token] = until - app.vendor.life * 1000
    outcomes = await asyncio.gather(*(app.send(id=f"A{n}") for n in range(10)))
    assert {each.kind for each in outcomes} == {OutcomeKind.ACCEPTED}
    assert app.vendor.logins == 2
    assert len(app.vendor.received) == 11


async def test_a_token_that_stays_refused_is_misconfigured(app: App) -> None:
    app.vendor.faults.put(Fault.REFUSE, times=2, code=40014)
    outcome = await app.send()
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert "access_token" in outcome.detail
    assert app.vendor.received == []
    assert (await app.send()).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(("fault", "kind", "taken"), HTTP_FAULTS)
async def test_each_fault_has_its_outcome(app: App, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    app.vendor.faults.put(fault)
    outcome = await app.send()
    assert (outcome.kind, len(app.vendor.received)) == (kind, taken)
    assert app.vendor.faults.happened == {fault: 1}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, OutcomeKind.TRANSIENT),
        (40008, OutcomeKind.MISCONFIGURED),
        (40058, OutcomeKind.REFUSED_CONTENT),
        (45002, OutcomeKind.REFUSED_CONTENT),
        (45009, OutcomeKind.THROTTLED),
        (45033, OutcomeKind.THROTTLED),
        (60020, OutcomeKind.MISCONFIGURED),
        (60111, OutcomeKind.REFUSED_RECIPIENT),
        (81013, OutcomeKind.REFUSED_RECIPIENT),
        (99999, OutcomeKind.TRANSIENT),
    ],
)
async def test_each_code_has_its_outcome(app: App, code: int, kind: OutcomeKind) -> None:
    app.vendor.faults.put(Fault.REFUSE, code=code)
    outcome = await app.send()
    assert outcome.kind is kind
    assert str(code) in outcome.detail
    throttled = kind is OutcomeKind.THROTTLED
    assert ((outcome.retry_after == 60), outcome.whole_channel) == (throttled, throttled)


async def test_a_throttled_login_rests_the_channel(app: App) -> None:
    app.vendor.login_faults.put(Fault.REFUSE, code=45009)
    outcome = await app.send()
    assert (outcome.kind, outcome.retry_after, outcome.whole_channel) == (OutcomeKind.THROTTLED, 60, True)


async def test_codes_may_be_set_but_not_those_of_the_documents(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, "http://example.invalid", codes={"99999": "misconfigured", "45009": "accepted"})
    said = driver.read(Answer(200, b'{"errcode":99999,"errmsg":"x"}'), NIGHT, "zhangsan")
    assert said is not None
    assert said.kind is OutcomeKind.MISCONFIGURED
    said = driver.read(Answer(200, b'{"errcode":45009,"errmsg":"x"}'), NIGHT, "zhangsan")
    assert said is not None
    assert said.kind is OutcomeKind.THROTTLED


@pytest.mark.parametrize("name", ["invaliduser", "unlicenseduser"])
async def test_whoever_was_left_out_of_a_success_is_refused(session: aiohttp.ClientSession, name: str) -> None:
    driver = a_driver(session, "http://example.invalid")
    body = b'{"errcode":0,"errmsg":"ok","%s":"other|zhangsan","msgid":"m"}' % name.encode()
    for member, kind in (("ZhangSan", OutcomeKind.REFUSED_RECIPIENT), ("lisi", OutcomeKind.ACCEPTED)):
        said = driver.read(Answer(200, body), NIGHT, member)
        assert said is not None
        assert said.kind is kind


async def test_strangers_and_the_unlicensed_are_refused(app: App) -> None:
    assert (await app.send(to="nobody")).kind is OutcomeKind.REFUSED_RECIPIENT
    assert (await app.send(to="wangwu")).kind is OutcomeKind.REFUSED_RECIPIENT
    for wrong in ("", "@all", "zhangsan|lisi", "张三", "zhang san", "a" * 65):
        assert not is_userid(wrong)
        assert (await app.send(to=wrong)).kind is OutcomeKind.REFUSED_RECIPIENT
    assert app.vendor.received == []
    assert app.vendor.logins == 1


async def test_what_the_vendor_would_cut_does_not_leave(app: App) -> None:
    assert (await app.send("警" * (TEXT_BYTES // 3))).kind is OutcomeKind.ACCEPTED
    for text in ("警" * (TEXT_BYTES // 3 + 1), "", " \n", "半个 \ud83d"):
        assert (await app.send(text)).kind is OutcomeKind.REFUSED_CONTENT
    assert app.vendor.silent["cut"] == 0
    assert len(app.vendor.received) == 1


async def test_a_repeat_is_dropped_by_the_vendor_and_two_letters_of_the_same_words_are_not(app: App) -> None:
    app.vendor.faults.put(Fault.DROP_AFTER)
    assert (await app.send("收到", id="answer.1")).kind is OutcomeKind.UNCERTAIN
    assert (await app.send("收到", id="answer.1")).kind is OutcomeKind.ACCEPTED
    assert app.vendor.silent["repeat"] == 1
    assert len(app.vendor.received) == 1
    assert (await app.send("收到", id="answer.2")).kind is OutcomeKind.ACCEPTED
    assert len(app.vendor.received) == 2


async def test_the_windows_are_within_what_the_vendor_takes_from_one_member(app: App) -> None:
    abilities = app.driver.abilities
    assert abilities.windows == (Window(28, 60), Window(960, 3600))
    assert (abilities.form, abilities.max_bytes) == (Form.TEXT, TEXT_BYTES)
    assert (abilities.personal, abilities.links, abilities.replies) == (True, True, False)
    # What the windows are for: the vendor says ok and drops.
    outcomes = [await app.send(f"第{number}条", id=f"n{number}") for number in range(31)]
    assert {each.kind for each in outcomes} == {OutcomeKind.ACCEPTED}
    assert (len(app.vendor.received), app.vendor.silent["minute"]) == (30, 1)


async def test_a_vendor_that_is_not_there_is_transient(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, f"http://127.0.0.1:{closed_port()}")
    assert (await driver.send(a_letter(address="zhangsan"))).kind is OutcomeKind.TRANSIENT


@pytest.mark.parametrize(
    "table",
    [
        {"corpid": ""},
        {"agentid": 0},
        {"secret": ""},
        {"base_url": "qyapi"},
        {"per_minute": 31},
        {"per_hour": 1001},
        {"reserve": 28},
        {"callback_token": "faketoken"},
        {"callback_key": KEY},
        {"callback_token": "faketoken", "callback_key": KEY[:-1]},
        {"callback_token": "with-a-dash", "callback_key": KEY},
        {"callback_token": "x" * 33, "callback_key": KEY},
        {"repeat_seconds": 14_400},
    ],
)
def test_wrong_settings_are_named(table: dict[str, Any]) -> None:
    right = {"kind": "wecom_app", "corpid": ACCOUNT.corpid, "agentid": 1000002, "secret": SECRET}
    Settings.model_validate(right | {"callback_token": "faketoken", "callback_key": KEY})
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(right | table)
    assert SECRET not in str(caught.value.errors(include_input=False))
