"""The DingTalk app's driver against a vendor that leaves people out under HTTP 200 and refuses by string codes."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.vendor import Fault, listening
from channels.channel import Button, Card, Form, ReceiptKind, Window
from channels.cutting import size
from channels.dingtalk.app import Driver, of_card, of_send
from channels.dingtalk.app_group import Driver as GroupDriver
from channels.dingtalk.app_group import Settings as GroupSettings
from channels.exchange import Answer
from channels.outcome import Outcome, OutcomeKind
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port
from tests.channels.ding import KEYS, TEMPLATE, a_driver, settings_of
from tests.channels.faults import HTTP_FAULTS

GROUP = "cidDEMOGROUP=="
CARDS = {"form": "card", "card_template": TEMPLATE, "inbound": "stream"}
CARD = Card(
    id="A0231@n17@1795197600000",
    title="须处置 A0231",
    summary="一号井",
    body="请核实",
    rows=(("数值", "31ppm"), ("时限", "02:15")),
    buttons=(Button("签收", "sign.fake"), Button("误报", "false_alarm.fake"), Button("详情", link="https://x.cn/a")),
)


@dataclass
class App:
    vendor: DingtalkApp
    url: str
    driver: Driver
    clock: Clock

    async def send(self, text: str = "一号井 CO 超限 A0231", to: str = "user123", **other: Any) -> Any:
        return await self.driver.send(a_letter(text, address=to, **{"at": self.clock.at, **other}))


@pytest.fixture
async def app(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[App]:
    vendor = DingtalkApp(KEYS, ["user123", "user456"], clock, groups=[GROUP], templates=[TEMPLATE])
    async with listening(vendor.app()) as url:
        yield App(vendor, url, a_driver(session, url), clock)


async def test_one_member_gets_the_markdown(app: App) -> None:
    text = '<font color="warning">红色</font> **须处置** A0231\n请核实\n\n> 企业：一号井'
    outcome = await app.send(text)
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert outcome.vendor_id
    (message,) = app.vendor.received
    assert (message.address, message.subject) == ("user123", "红色 须处置 A0231")
    assert message.text.startswith("**红色** **须处置** A0231  \n请核实\n\n> 企业：一号井")
    body = orjson.loads(message.raw)
    assert body["userIds"] == ["user123"]
    assert isinstance(body["msgParam"], str)


@pytest.mark.parametrize("form", [{"form": "text"}, CARDS])
async def test_text_leaves_as_it_is(app: App, session: aiohttp.ClientSession, form: dict[str, str]) -> None:
    driver = a_driver(session, app.url, **form)
    text = "> 红色 **A0231**\nhttps://x.cn/a/b"
    assert (await driver.send(a_letter(text, address="user123"))).kind is OutcomeKind.ACCEPTED
    assert app.vendor.received[0].text == text
    assert driver.abilities.form is Form.TEXT


async def test_who_is_left_out_under_200_is_told_elsewhere(app: App) -> None:
    outcome = await app.send(to="nobody")
    assert (outcome.kind, app.vendor.received) == (OutcomeKind.REFUSED_RECIPIENT, [])
    assert "invalidStaffIdList" in outcome.detail
    app.vendor.controlled.add("user456")
    outcome = await app.send(to="user456")
    assert (outcome.kind, outcome.retry_after, outcome.whole_channel) == (OutcomeKind.THROTTLED, 60.0, False)
    assert (await app.send()).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalidParameter.robotCode.invalid", OutcomeKind.MISCONFIGURED),
        (400, "invalidParameter.userIds.size", OutcomeKind.REFUSED_RECIPIENT),
        (400, "invalidParameter.msgParam.invalid", OutcomeKind.REFUSED_CONTENT),
        (400, "bot.stopped", OutcomeKind.MISCONFIGURED),
        (400, "template.stopped", OutcomeKind.MISCONFIGURED),
        (429, "Throttling.Api", OutcomeKind.THROTTLED),
        (429, "somethingElse", OutcomeKind.THROTTLED),
        (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied", OutcomeKind.MISCONFIGURED),
        (500, "ServiceUnavailable", OutcomeKind.TRANSIENT),
        (400, "neverHeardOf", OutcomeKind.TRANSIENT),
        (200, "bot.stopped", OutcomeKind.MISCONFIGURED),
        (400, "", OutcomeKind.MISCONFIGURED),
        (502, "", OutcomeKind.TRANSIENT),
        (200, "", OutcomeKind.UNCERTAIN),
        (504, "", OutcomeKind.UNCERTAIN),
    ],
)
async def test_the_body_is_read_before_the_status(
    session: aiohttp.ClientSession, status: int, code: str, kind: OutcomeKind
) -> None:
    body = orjson.dumps({"code": code, "message": "no", "requestid": "1"}) if code else b"<html>"
    outcome = a_driver(session, "https://example.invalid")._api.read(Answer(status, body), NIGHT)
    assert not isinstance(outcome, dict)
    assert outcome.kind is kind
    assert outcome.whole_channel is (kind is OutcomeKind.THROTTLED)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=9) | st.integers())
NAMES = st.sampled_from(
    ["code", "message", "processQueryKey", "invalidStaffIdList", "flowControlledStaffIdList", "success", "result", "x"]
)
RESULTS = st.fixed_dictionaries({"deliverResults": st.lists(VALUES | st.dictionaries(st.just("success"), VALUES))})
BODIES = st.binary(max_size=60) | st.dictionaries(NAMES, VALUES | RESULTS).map(
    lambda said: json.dumps(said).encode("utf-8", "replace")
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=st.integers(100, 599), body=BODIES, header=st.text(max_size=9))
async def test_any_whole_answer_is_an_outcome(
    session: aiohttp.ClientSession, status: int, body: bytes, header: str
) -> None:
    said = a_driver(session, "https://example.invalid")._api.read(Answer(status, body, header), NIGHT)
    if isinstance(said, Outcome):
        assert said.kind is not OutcomeKind.ACCEPTED
        return
    sent, card = of_send(said, "user123"), of_card(said, CARD.id)
    assert (sent.kind is OutcomeKind.ACCEPTED) <= bool(said.get("processQueryKey"))
    assert (card.kind is OutcomeKind.ACCEPTED) <= (said.get("success") is True)


async def test_codes_the_vendor_does_not_document_are_settings(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, "https://example.invalid", codes={"bot": "refused_content", "x.y": "throttled"})
    for code, kind in (("bot.stopped", "misconfigured"), ("bot.other", "refused_content"), ("X.y.z", "throttled")):
        outcome = driver._api.read(Answer(400, orjson.dumps({"code": code})), NIGHT)
        assert not isinstance(outcome, dict)
        assert outcome.kind == kind


@pytest.mark.parametrize(("fault", "kind", "taken"), HTTP_FAULTS)
async def test_each_fault_has_its_outcome(app: App, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    app.vendor.faults.put(fault)
    assert (await app.send()).kind is kind
    assert len(app.vendor.received) == taken
    assert (await app.send()).kind is OutcomeKind.ACCEPTED


async def test_a_vendor_that_hangs_ends_in_time(session: aiohttp.ClientSession, app: App) -> None:
    driver = a_driver(session, app.url, timeout=1.0)
    app.vendor.login_faults.put(Fault.HANG)
    assert (await driver.send(a_letter(address="user123"))).kind is OutcomeKind.TRANSIENT
    app.vendor.login_faults.clear()
    nowhere = await a_driver(session, f"http://127.0.0.1:{closed_port()}").send(a_letter(address="user123"))
    assert nowhere.kind is OutcomeKind.TRANSIENT


@pytest.mark.parametrize("text", ["", "  \n", "half a pair \ud83d", "井" * 1667])
async def test_what_cannot_be_shown_is_refused_here(app: App, text: str) -> None:
    assert (await app.send(text)).kind is OutcomeKind.REFUSED_CONTENT
    assert app.vendor.logins == 0


async def test_the_longest_text_of_the_abilities_fits(app: App) -> None:
    most = app.driver.abilities.max_bytes
    assert most is not None
    text = "\n".join(["> " + "井" * 60] * 30).encode()[:most].decode("utf-8", "ignore")
    assert (await app.send(text)).kind is OutcomeKind.ACCEPTED
    assert size(app.vendor.received[0].text) <= 5000


@pytest.mark.parametrize("member", ["", "a b", "x" * 65])
async def test_who_is_no_member_is_refused_here(app: App, member: str) -> None:
    assert (await app.send(to=member)).kind is OutcomeKind.REFUSED_RECIPIENT
    assert app.vendor.logins == 0


async def test_a_card_has_buttons_and_is_changed_by_its_id(app: App, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, app.url, **CARDS)
    outcome = await driver.send(a_letter(address="user123", card=CARD))
    assert (outcome.kind, outcome.handle) == (OutcomeKind.ACCEPTED, CARD.id)
    card = app.vendor.cards.cards[CARD.id]
    assert card.buttons == {"签收": "sign.fake", "误报": "false_alarm.fake"}
    assert (card.shown["link_words"], card.shown["link"]) == ("详情", "https://x.cn/a")
    assert "数值：31ppm\n时限：02:15" in card.shown["rows"]
    changed = await driver.send(a_letter("张三 02:10 已签收", address="user123", changes=CARD.id))
    assert changed.kind is OutcomeKind.ACCEPTED
    assert (card.replaced, card.buttons, card.shown["title"]) == ("张三 02:10 已签收", {}, CARD.title)


async def test_a_card_whose_answer_was_lost_is_the_members(app: App, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, app.url, **CARDS)
    app.vendor.faults.put(Fault.DROP_AFTER)
    assert (await driver.send(a_letter(address="user123", card=CARD))).kind is OutcomeKind.UNCERTAIN
    again = await driver.send(a_letter(address="user123", card=CARD, repeat=True))
    assert (again.kind, again.handle) == (OutcomeKind.ACCEPTED, CARD.id)
    assert len(app.vendor.received) == 1
    assert (await driver.send(a_letter(address="user123", card=CARD))).kind is OutcomeKind.REFUSED_CONTENT


async def test_a_card_for_nobody_or_of_no_template_is_told_elsewhere(app: App, session: aiohttp.ClientSession) -> None:
    driver = a_driver(session, app.url, **CARDS)
    assert (await driver.send(a_letter(address="nobody", card=CARD))).kind is OutcomeKind.REFUSED_RECIPIENT
    driver = a_driver(session, app.url, **{**CARDS, "card_template": "other.schema"})
    assert (await driver.send(a_letter(address="user123", card=CARD))).kind is OutcomeKind.MISCONFIGURED


async def test_a_group_gets_messages_of_the_app(app: App, session: aiohttp.ClientSession) -> None:
    table = {"kind": "dingtalk_app_group", "client_id": KEYS[0], "client_secret": KEYS[1], "readers": ["town"]}
    given_table = GroupSettings.model_validate({**table, "conversation": GROUP, "base_url": app.url})
    driver = GroupDriver("group", given_table, session)
    assert (await driver.send(a_letter("**红色** A0231", address=""))).kind is OutcomeKind.ACCEPTED
    assert [(each.address, each.text) for each in app.vendor.received] == [(GROUP, "**红色** A0231")]
    assert (driver.abilities.personal, driver.abilities.links, driver.abilities.replies) == (False, False, False)
    bare = GroupDriver("group", given_table.model_copy(update={"form": "text"}), session)
    assert (await bare.send(a_letter("**红色** A0231", address=""))).kind is OutcomeKind.ACCEPTED
    assert app.vendor.received[1].text == "红色 A0231"
    elsewhere = given_table.model_copy(update={"conversation": "cidOTHER=="})
    outcome = await GroupDriver("group", elsewhere, session).send(a_letter("A0231", address=""))
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert (await driver.greet(time.time_ns() // 1_000_000)).standing == "well"


async def test_read_is_told_when_asked_and_is_a_receipt(app: App) -> None:
    outcome = await app.send()
    assert await app.driver.ask(outcome.vendor_id, app.clock.at) == ()
    app.vendor.read.add("user123")
    found = await app.driver.ask(outcome.vendor_id, app.clock.at)
    assert isinstance(found, tuple)
    (report,) = found
    assert (report.kind, report.vendor_id, report.letter_id) == (ReceiptKind.READ, outcome.vendor_id, "")
    refused = await app.driver.ask("made-up", app.clock.at)
    assert not isinstance(refused, tuple)


async def test_abilities_say_what_the_settings_allow(session: aiohttp.ClientSession) -> None:
    plain = a_driver(session, "https://example.invalid", read_after=[]).abilities
    assert (plain.personal, plain.links, plain.replies, plain.buttons, plain.card) == (True, True, False, False, None)
    assert (plain.receipts, plain.reports_by_id, plain.tells_reading) == (frozenset(), False, False)
    assert plain.windows == (Window(18, 60),)
    cards = a_driver(session, "https://example.invalid", **CARDS).abilities
    assert (cards.replies, cards.buttons, cards.tells_reading, cards.asked_after) == (True, True, False, ())
    asked = a_driver(session, "https://example.invalid").abilities
    assert (asked.tells_reading, asked.reports_by_id, asked.asked_after) == (True, True, (60, 300, 1800))


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"client_id": "a b"}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"reserve": 18}, "reserve"),
        ({"form": "card"}, "card_template"),
        ({"form": "card", "card_template": "x.schema"}, "inbound"),
        ({"inbound": "http"}, "callback_token"),
        ({"inbound": "http", "callback_token": "a" * 16}, "callback_addresses"),
        ({"inbound": "smoke"}, "inbound"),
        ({"read_after": [60, 60]}, "read_after"),
        ({"read_after": [300, 60]}, "read_after"),
        ({"base_url": "api.dingtalk.com"}, "base_url"),
    ],
)
def test_wrong_settings_are_named(table: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of("https://example.invalid", **table)
    assert word in str(caught.value)
