"""What a DingTalk app hears: recorded messages, every kind of them, signed calls, and people from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.grammar import quoted_codes
from channels.callback import Call, Errand, Heard, NotOursError
from channels.channel import Uplink
from channels.dingtalk.app_inbound import CARDS, MESSAGES, Hearing, read_call, read_pushed
from channels.dingtalk.outsiders import PREFIX, Outsiders
from tests.channels.conftest import NIGHT

VECTORS = Path(__file__).parent / "vectors"
PUSHED = json.loads((VECTORS / "dingtalk_stream.json").read_text("utf-8"))["server_push"]
FRAMES = {each["headers"]["messageId"]: each for each in PUSHED}
SIGNED = json.loads((VECTORS / "dingtalk_sign.json").read_text("utf-8"))["inbound_http_robot"]
ORIGIN = "https://oapi.dingtalk.com"
SECRET = "fake-client-secret"
OUTSIDERS = Outsiders(SECRET, ORIGIN)
HEARING = Hearing("ding", OUTSIDERS)
RECORDED: dict[str, Any] = json.loads(FRAMES["m-cb"]["data"])


def pushed(topic: str, data: Any, identity: str = "m-1") -> Heard:
    return read_pushed(HEARING, topic, identity, data if isinstance(data, str) else json.dumps(data), NIGHT)


def uplinks(**changed: Any) -> list[Uplink]:
    said = {name: value for name, value in {**RECORDED, **changed}.items() if value is not None}
    heard = pushed(MESSAGES, said)
    assert heard.unreadable == ()
    return [each for each in heard.items if isinstance(each, Uplink)]


def test_the_recorded_message_is_read() -> None:
    heard = pushed(MESSAGES, FRAMES["m-cb"]["data"])
    assert heard.items == (Uplink("ding", "msg0001==", "user123", "签收 A-0001", NIGHT),)


def test_the_recorded_press_is_read_and_needs_our_value() -> None:
    heard = pushed(CARDS, FRAMES["m-card"]["data"])
    assert heard.items == ()
    assert "code" in heard.unreadable[0].words
    said = json.loads(FRAMES["m-card"]["data"])
    said["content"] = json.dumps({"cardPrivateData": {"actionIds": ["x"], "params": {"code": "sign.abc"}}})
    (press,) = pushed(CARDS, said, "m-card").items
    assert isinstance(press, Uplink)
    assert press.press is not None
    assert (press.sender, press.message_id) == ("user123", "press.m-card")
    assert (press.press.card, press.press.code, press.press.handle) == ("A-0001", "sign.abc", "A-0001")


@pytest.mark.parametrize(
    ("kind", "part", "text", "other"),
    [
        ("text", {"text": {"content": "  1 "}}, "1", ""),
        ("text", {"text": {"content": " "}}, "", "空消息"),
        ("audio", {"content": {"duration": 4000, "downloadCode": "x", "recognition": "签收"}}, "", "语音"),
        ("video", {"content": {"downloadCode": "x"}}, "", "视频"),
        ("file", {"content": {"fileName": "a.doc"}}, "", "文件"),
        ("neverHeardOf", {"content": {"x": 1}}, "", "暂不支持的消息"),
        ("picture", {"content": {}}, "", "无法取回的图片"),
        ("richText", {"content": {"richText": [{"text": "已处置 "}, {"text": "A0231"}]}}, "已处置 A0231", ""),
    ],
)
def test_every_kind_is_told(kind: str, part: dict[str, Any], text: str, other: str) -> None:
    (found,) = uplinks(msgtype=kind, **{"text": None, **part})
    assert (found.text, found.other, found.media, found.sender) == (text, other, "", "user123")


def test_pictures_are_evidence_also_inside_rich_text() -> None:
    (one,) = uplinks(msgtype="picture", text=None, content={"downloadCode": "code-1"})
    assert (one.media, one.other, one.message_id) == ("code-1", "图片", "msg0001==")
    parts = [{"type": "picture", "downloadCode": "code-1"}, {"text": "A0231 现场"}, {"downloadCode": "code-2"}]
    first, second, words = uplinks(msgtype="richText", text=None, content={"richText": parts})
    assert [each.media for each in (first, second, words)] == ["code-1", "code-2", ""]
    assert words.text == "A0231 现场"
    assert len({each.message_id for each in (first, second, words)}) == 3


def test_an_answer_to_a_message_names_what_it_answers() -> None:
    replied = {"msgType": "text", "content": {"text": "须处置 A0231「一号井」"}}
    (found,) = uplinks(text={"content": "签收", "isReplyMsg": True, "repliedMsg": replied})
    assert found.text.endswith("\n签收")
    assert quoted_codes(found.text) == ("A0231",)


@pytest.mark.parametrize("changed", [{"senderStaffId": None}, {"senderStaffId": ""}, {"senderCorpId": "other"}])
def test_somebody_from_outside_is_no_member_and_can_be_answered_for_a_while(changed: dict[str, Any]) -> None:
    (found,) = uplinks(**changed)
    assert found.sender.startswith(PREFIX)
    assert "xxxx" not in found.sender
    session = OUTSIDERS.session(found.sender)
    assert session is not None
    assert str(session.url) == RECORDED["sessionWebhook"]
    assert session.until == RECORDED["sessionWebhookExpiredTime"]
    assert uplinks(**changed) == [found]
    assert Outsiders("another secret", ORIGIN).session(found.sender) is None
    assert OUTSIDERS.session(found.sender[:-2] + "AA") is None


@pytest.mark.parametrize(
    "webhook",
    [
        "https://evil.example.cn/robot/sendBySession?session=x",
        "http://oapi.dingtalk.com/robot/sendBySession?session=x",
        "https://oapi.dingtalk.com:8443/robot/sendBySession?session=x",
        "https://oapi.dingtalk.com@evil.example.cn/robot/sendBySession?session=x",
        "https://oapi.dingtalk.com/robot/send?access_token=x",
        "https://oapi.dingtalk.com/robot/sendBySession?session=x&to=y",
        "//oapi.dingtalk.com/robot/sendBySession?session=x",
        "",
    ],
)
def test_no_other_host_is_ever_called(webhook: str) -> None:
    (found,) = uplinks(senderStaffId=None, sessionWebhook=webhook)
    assert found.sender == ""


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        (MESSAGES, "not json"),
        (MESSAGES, "[]"),
        (MESSAGES, {"msgtype": "text"}),
        (MESSAGES, {"msgId": "x"}),
        (MESSAGES, {"msgId": "x", "msgtype": "richText", "content": {"richText": "x"}}),
        (CARDS, {"outTrackId": "x", "userId": "u", "content": "not json"}),
        (CARDS, {"outTrackId": "x", "content": "{}"}),
        ("/v1.0/other", {"x": 1}),
    ],
)
def test_what_cannot_be_read_is_kept_as_it_is(topic: str, data: Any) -> None:
    heard = pushed(topic, data)
    assert heard.items == ()
    (part,) = heard.unreadable
    assert part.raw == data or orjson.loads(part.raw) == data
    assert part.words


@given(
    st.sampled_from([MESSAGES, CARDS, "x"]),
    st.text(max_size=60) | st.binary(max_size=60).map(lambda x: x.decode("utf-8", "replace")),
)
def test_nothing_that_is_pushed_raises(topic: str, data: str) -> None:
    heard = read_pushed(HEARING, topic, "m", data, NIGHT)
    assert bool(heard.items) != bool(heard.unreadable)


@given(
    st.dictionaries(
        st.sampled_from([*RECORDED, "content"]),
        st.none() | st.integers() | st.text(max_size=9) | st.just({}) | st.just([]),
    )
)
def test_no_odd_field_raises(changed: dict[str, Any]) -> None:
    heard = pushed(MESSAGES, {**RECORDED, **changed})
    assert bool(heard.items) != bool(heard.unreadable)


def signed(vector: dict[str, Any], body: Any, **headers: str) -> Call:
    given_headers = {"timestamp": vector["headers"]["timestamp"], "sign": vector["headers"]["sign"], **headers}
    return Call(Errand.UPLINK, "POST", "", given_headers, orjson.dumps(body))


@pytest.mark.parametrize("vector", SIGNED)
def test_a_signed_call_is_let_in_within_the_hour(vector: dict[str, Any]) -> None:
    at = int(vector["headers"]["timestamp"])
    secret = vector["app_secret"]
    for off in (0, 3_600_000, -3_600_000):
        heard = read_call(HEARING, secret, signed(vector, RECORDED), at + off, 3600)
        assert [each.message_id for each in heard.items if isinstance(each, Uplink)] == ["msg0001=="]
    for off, other, headers in (
        (3_600_001, secret, {}),
        (-3_600_001, secret, {}),
        (0, secret + "x", {}),
        (0, secret, {"sign": "AAAA"}),
        (0, secret, {"timestamp": str(at + 1)}),
        (0, secret, {"timestamp": "soon"}),
    ):
        with pytest.raises(NotOursError):
            read_call(HEARING, other, signed(vector, RECORDED, **headers), at + off, 3600)


def test_a_cards_call_bears_no_signature_but_our_value() -> None:
    content = json.dumps({"cardPrivateData": {"params": {"code": "sign.abc"}}})
    said = {"outTrackId": "A0231@x@1", "userId": "user123", "content": content, "type": "actionCallback"}
    call = Call(Errand.UPLINK, "POST", "", {}, orjson.dumps(said))
    (press,) = read_call(HEARING, SECRET, call, NIGHT, 3600).items
    (same,) = read_call(HEARING, SECRET, call, NIGHT + 999, 3600).items
    (later,) = read_call(HEARING, SECRET, call, NIGHT + 5000, 3600).items
    assert isinstance(press, Uplink)
    assert isinstance(same, Uplink)
    assert isinstance(later, Uplink)
    assert press.message_id == same.message_id != later.message_id
    with pytest.raises(ValueError, match="code"):
        read_call(
            HEARING, SECRET, Call(Errand.UPLINK, "POST", "", {}, orjson.dumps({**said, "content": "{}"})), NIGHT, 1
        )
