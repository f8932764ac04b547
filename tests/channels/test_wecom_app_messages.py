"""An app's messages on the wire: each shape within the vendor's bytes, cut at characters, and the change of a card."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.simulators.vendor import Fault, listening
from bot.demo.simulators.wecom_app import WecomApp
from bot.demo.simulators.wecom_app_messages import read_message
from channels.callback import Media, MediaSource
from channels.channel import Button, Card, Form
from channels.outcome import OutcomeKind
from channels.wecom.app_messages import LIMITS, LONGEST_TASK, Shape, change, message, task_id
from tests.channels.conftest import Clock, a_letter
from tests.channels.test_wecom_app import ACCOUNT, KEY, App, a_driver

# An untyped library, used as an oracle only.
WeChatMessage: Any = importlib.import_module("wechatpy.work.client.api.message").WeChatMessage
CALLED = {"callback_token": "faketoken", "callback_key": KEY}
LINK = "https://alarm.example.cn/a/x"
BUTTONS = (Button("签收", "sign.k1"), Button("误报", "false_alarm.k2"), Button("详情", link=LINK))


def a_card(**other: Any) -> Card:
    given: dict[str, Any] = {
        "id": "A0231@1@s1-raised@d@1795197600000",
        "title": "高高报 须处置 A0231",
        "summary": "示例木业 1号除尘器",
        "body": "请核实现场并处置。",
        "rows": (("数值", "97.2℃，限95℃"),),
        "buttons": BUTTONS,
        "link": LINK,
    }
    return Card(**given | other)


class Posts:
    """What the oracle would post, by its own reading of the vendor's pages."""

    def __init__(self) -> None:
        self.body: dict[str, Any] = {}

    def post(self, _: str, data: dict[str, Any]) -> None:
        self.body = data


def oracle(name: str, *args: Any, **more: Any) -> dict[str, Any]:
    posts = Posts()
    api = WeChatMessage.__new__(WeChatMessage)
    api._post = posts.post
    getattr(api, name)(*args, **more)
    return {key: value for key, value in posts.body.items() if key not in ("toparty", "totag")}


def test_text_markdown_and_text_card_are_as_wechatpy_writes_them() -> None:
    letter = a_letter("一号井 CO 超限")
    assert message(letter, "zhangsan", 7, Shape.TEXT, 0) == oracle("send_text", 7, "zhangsan", "一号井 CO 超限")
    assert message(letter, "zhangsan", 7, Shape.MARKDOWN, 0) == oracle("send_markdown", 7, "zhangsan", letter.text)
    carded = a_letter(card=a_card(body="说明", buttons=()))
    said = message(carded, "zhangsan", 7, Shape.TEXTCARD, 0)
    assert said.pop("safe") == 0
    assert said == oracle("send_text_card", 7, "zhangsan", "高高报 须处置 A0231", "说明", LINK, btntxt="去办理")


def test_a_card_has_the_vendors_fields() -> None:
    said = message(a_letter(card=a_card()), "zhangsan", 1000002, Shape.CARD, 600)
    card = said["template_card"]
    assert (said["touser"], said["msgtype"], said["agentid"]) == ("zhangsan", "template_card", 1000002)
    assert (said["enable_duplicate_check"], 600 <= said["duplicate_check_interval"] <= 14_400) == (1, True)
    assert card == {
        "card_type": "button_interaction",
        "main_title": {"title": "高高报 须处置 A0231", "desc": "示例木业 1号除尘器"},
        "sub_title_text": "请核实现场并处置。",
        "horizontal_content_list": [{"keyname": "数值", "value": "97.2℃，限95℃"}],
        "task_id": "A0231@1@s1-raised@d@1795197600000",
        "button_list": [
            {"text": "签收", "style": 1, "key": "sign.k1"},
            {"text": "误报", "style": 3, "key": "false_alarm.k2"},
            {"text": "详情", "style": 4, "type": 1, "url": LINK},
        ],
    }


def test_a_change_puts_words_in_the_place_of_the_buttons_of_one_member() -> None:
    letter = a_letter("张三 08:01 已签收", changes="code")
    assert change(letter, "zhangsan", 1000002) == {
        "userids": ["zhangsan"],
        "agentid": 1000002,
        "response_code": "code",
        "button": {"replace_name": "张三 08:01 已签收"},
    }


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=400)


@given(
    title=TEXTS, summary=TEXTS, body=TEXTS, name=TEXTS, value=TEXTS, shape=st.sampled_from([Shape.CARD, Shape.TEXTCARD])
)
def test_every_field_is_within_its_bytes_and_whole_characters(
    title: str, summary: str, body: str, name: str, value: str, shape: Shape
) -> None:
    card = a_card(title=title, summary=summary, body=body, rows=((name, value),) * 9)
    said = message(a_letter(card=card), "zhangsan", 1, shape, 0)
    most = LIMITS[shape]
    if shape is Shape.TEXTCARD:
        lengths = [(said["textcard"]["title"], most.title), (said["textcard"]["description"], most.body)]
    else:
        part = said["template_card"]
        lengths = [(part["main_title"]["title"], most.title), (part["main_title"]["desc"], most.summary)]
        lengths += [(part["sub_title_text"], most.body)]
        lengths += [(row["keyname"], most.row_name) for row in part["horizontal_content_list"]]
        lengths += [(row["value"], most.row_value) for row in part["horizontal_content_list"]]
        assert len(part["horizontal_content_list"]) == most.rows
    for text, limit in lengths:
        assert len(text.encode()) <= limit
    # Valid on the wire, and by a vendor who counts.
    raw = orjson.loads(orjson.dumps(said))
    if title.strip() and name.strip() and body.strip() and value.strip():
        assert not read_message(raw).cut


def test_a_cards_id_is_of_the_vendors_characters_and_length() -> None:
    assert task_id("A0231.1.s3-phone_task.0a") == "A0231@1@s3-phone_task@0a"
    for wrong in ("", "x" * (LONGEST_TASK + 1)):
        with pytest.raises(ValueError, match="characters"):
            task_id(wrong)


@pytest.fixture
async def cards(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[App]:
    vendor = WecomApp(ACCOUNT, ["zhangsan", "LiSi"], clock, unlicensed=["wangwu"])
    async with listening(vendor.app()) as url:
        yield App(vendor, url, a_driver(session, url, form="card", **CALLED), clock)


async def test_a_card_is_sent_pressed_and_changed_once(cards: App, session: aiohttp.ClientSession) -> None:
    sent = await cards.send(card=a_card())
    assert sent.kind is OutcomeKind.ACCEPTED
    assert sent.handle
    ((_, card),) = cards.vendor.cards.cards.items()
    assert [each["text"] for each in card.buttons] == ["签收", "误报", "详情"]
    changed = await cards.send("张三 08:01 已签收", changes=sent.handle)
    assert changed.kind is OutcomeKind.ACCEPTED
    assert (card.replaced, card.buttons) == ("张三 08:01 已签收", [])
    assert len(cards.vendor.received) == 1, "a change is no message"
    again = await cards.send("x", changes=sent.handle)
    assert again.kind is OutcomeKind.REFUSED_CONTENT, "a handle is good for one change"


async def test_a_handle_ends_after_three_days(cards: App) -> None:
    sent = await cards.send(card=a_card())
    cards.clock.at += 72 * 3_600_000 + 1
    assert (await cards.send("晚了", changes=sent.handle)).kind is OutcomeKind.REFUSED_CONTENT


async def test_whoever_left_cannot_have_their_card_changed_and_hears_nothing(cards: App) -> None:
    sent = await cards.send(card=a_card())
    assert (await cards.send("x", to="LiSi", changes=sent.handle)).kind is OutcomeKind.REFUSED_RECIPIENT


@pytest.mark.parametrize(("code", "kind"), [(40058, "content"), (42014, "content"), (99999, "content"), (-1, "again")])
async def test_a_refused_change_is_final_unless_it_is_known_to_pass(cards: App, code: int, kind: str) -> None:
    sent = await cards.send(card=a_card())
    cards.vendor.change_faults.put(Fault.REFUSE, code=code)
    outcome = await cards.send("x", changes=sent.handle)
    assert outcome.kind is (OutcomeKind.REFUSED_CONTENT if kind == "content" else OutcomeKind.TRANSIENT)


async def test_a_card_whose_answer_was_lost_is_repeated_and_arrives_once(cards: App) -> None:
    """The vendor drops the same request; one that it does not drop (a later one) is known by its id."""
    cards.vendor.faults.put(Fault.DROP_AFTER)
    assert (await cards.send(card=a_card(), id="n1")).kind is OutcomeKind.UNCERTAIN
    assert (await cards.send(card=a_card(), id="n1", repeat=True)).kind is OutcomeKind.ACCEPTED
    cards.clock.at += 14_400_000
    late = await cards.send(card=a_card(), id="n1", repeat=True)
    assert (late.kind, late.handle) == (OutcomeKind.ACCEPTED, "")
    assert len(cards.vendor.received) == 1
    assert (await cards.send(card=a_card(), id="n2")).kind is OutcomeKind.REFUSED_CONTENT


@pytest.mark.parametrize(
    ("table", "form", "kind", "card"),
    [
        ({}, Form.TEXT, "text", False),
        ({"form": "markdown"}, Form.MARKDOWN, "markdown", False),
        ({"form": "textcard"}, Form.TEXT, "textcard", True),
        ({"form": "card"}, Form.TEXT, "text", False),
        ({"form": "card", **CALLED}, Form.TEXT, "template_card", True),
    ],
)
async def test_the_setting_decides_the_shape(
    session: aiohttp.ClientSession, clock: Clock, table: dict[str, Any], form: Form, kind: str, card: bool
) -> None:
    """A card with buttons makes no sense where no press comes back."""
    vendor = WecomApp(ACCOUNT, ["zhangsan"], clock)
    async with listening(vendor.app()) as url:
        driver = a_driver(session, url, **table)
        assert (driver.abilities.form, driver.abilities.card is not None) == (form, card)
        assert (await driver.send(a_letter(address="zhangsan", card=a_card()))).kind is OutcomeKind.ACCEPTED
        plain = await driver.send(a_letter(address="zhangsan", id="plain"))
        assert plain.kind is OutcomeKind.ACCEPTED
    kinds = [orjson.loads(each.raw)["msgtype"] for each in vendor.received]
    assert kinds == [kind, "markdown" if kind == "markdown" else "text"]


async def test_the_unlicensed_and_the_invalid_get_no_card_either(cards: App) -> None:
    for who in ("wangwu", "nobody"):
        assert (await cards.send(to=who, card=a_card(id=who))).kind is OutcomeKind.REFUSED_RECIPIENT
    assert cards.vendor.cards.cards == {}


PNG = b"\x89PNG\r\n\x1a\n" + bytes(5000)


async def fetched(cards: App, session: aiohttp.ClientSession, body: bytes = PNG) -> Any:
    media = next(iter(cards.vendor._files), "")
    if not media:
        cards.vendor._files[media := "m1"] = (body, "image/png", cards.clock.at + 3 * 86_400_000)
    return await cards.driver.fetch(media, cards.clock.at)


async def test_a_picture_is_fetched_byte_for_byte(cards: App, session: aiohttp.ClientSession) -> None:
    driver: object = cards.driver
    assert isinstance(driver, MediaSource)
    assert await fetched(cards, session) == Media(PNG)
    cards.vendor.revoke()
    assert await fetched(cards, session) == Media(PNG)
    assert cards.vendor.logins == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.STATUS_500, OutcomeKind.TRANSIENT),
        (Fault.STATUS_429, OutcomeKind.TRANSIENT),
        (Fault.HALF_BODY, OutcomeKind.TRANSIENT),
        (Fault.DROP_BEFORE, OutcomeKind.TRANSIENT),
        (Fault.REDIRECT, OutcomeKind.TRANSIENT),
    ],
)
async def test_a_file_that_did_not_come_may_be_asked_for_again(
    cards: App, session: aiohttp.ClientSession, fault: Fault, kind: OutcomeKind
) -> None:
    cards.vendor.media_faults.put(fault)
    assert (await fetched(cards, session)).kind is kind
    assert await fetched(cards, session) == Media(PNG)


async def test_a_file_that_is_gone_or_too_large_is_final(cards: App, session: aiohttp.ClientSession) -> None:
    large = PNG + bytes(10_000_000)
    assert (await fetched(cards, session, large)).kind is OutcomeKind.REFUSED_CONTENT
    cards.clock.at += 3 * 86_400_000
    gone = await fetched(cards, session)
    assert (gone.kind, "40007" in gone.detail) == (OutcomeKind.REFUSED_CONTENT, True)
