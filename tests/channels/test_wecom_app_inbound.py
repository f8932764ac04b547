"""What members write to an app, from sealed call-backs: known kinds, unknown ones, and what is not the vendor's."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.callback import Call, Errand, Heard, NotOursError, Thanks
from channels.channel import Press, Uplink
from channels.wecom.app_inbound import read_call
from channels.wecom.callback_crypto import Seal
from tests.channels.conftest import NIGHT

TOKEN, CORP = "faketoken", "wwdemo0000000001"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
# An untyped library, used as an oracle only.
WeChatCrypto: Any = importlib.import_module("wechatpy.work.crypto").WeChatCrypto
SEAL = Seal.of(TOKEN, KEY, CORP)
SECONDS = str(NIGHT // 1000)
WINDOW = 300


def message(**fields: str) -> str:
    whole = {"ToUserName": CORP, "FromUserName": "zhangsan", "CreateTime": SECONDS, "AgentID": "1000002"} | fields
    return "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in whole.items()) + "</xml>"


def call(method: str, query: str, body: bytes = b"") -> Call:
    return Call(Errand.UPLINK, method, query, {}, body)


def sealed(plain: str, *, seal: Seal = SEAL, timestamp: str = SECONDS) -> Call:
    text, signature = seal.close(plain, timestamp, "n", b"0123456789abcdef")
    query = urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": "n"})
    return call("POST", query, f"<xml><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode())


def heard(came: Call, at: int = NIGHT) -> Heard:
    return read_call(SEAL, "app", came, at, WINDOW)


def uplinks(came: Call, at: int = NIGHT) -> list[Uplink]:
    found = heard(came, at)
    assert found.thanks == Thanks()
    return [item for item in found.items if isinstance(item, Uplink)]


def the_uplink(**fields: str) -> Uplink:
    (uplink,) = uplinks(sealed(message(**fields)))
    return uplink


def test_a_text_is_an_answer() -> None:
    uplink = the_uplink(MsgType="text", Content=" 签收\nA0231 ", MsgId="4561255354251345929")
    assert uplink == Uplink("app", "4561255354251345929", "zhangsan", "签收 A0231", NIGHT)


def test_wechatpys_own_sealing_is_read() -> None:
    envelope = WeChatCrypto(TOKEN, KEY, CORP).encrypt_message(
        message(MsgType="text", Content="收到", MsgId="7"), "n9", SECONDS
    )
    sign = WeChatCrypto(TOKEN, KEY, CORP)
    from_envelope = envelope.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    query = urlencode({"msg_signature": from_envelope, "timestamp": SECONDS, "nonce": "n9"})
    (uplink,) = uplinks(call("POST", query, envelope.encode()))
    assert (uplink.text, uplink.message_id) == ("收到", "7")
    # The answer to the address check, both ways.
    echo, signature = SEAL.close("1616140317555161061", SECONDS, "n", b"0123456789abcdef")
    assert sign.check_signature(signature, SECONDS, "n", echo) == "1616140317555161061"


@pytest.mark.parametrize("escaped", [True, False])
def test_the_address_check_is_answered_bare(escaped: bool) -> None:
    # A random part that gives the sealed text a plus.
    made = (SEAL.close("1616140317555161061", SECONDS, "n", n.to_bytes(16, "big")) for n in range(200))
    echo, signature = next(pair for pair in made if "+" in pair[0])
    written = quote(echo, safe="") if escaped else echo
    query = f"msg_signature={signature}&timestamp={SECONDS}&nonce=n&echostr={written}"
    assert heard(call("GET", query)) == Heard((), Thanks(b"1616140317555161061", "text/plain"))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"MsgType": "image", "PicUrl": "http://127.0.0.1/x", "MediaId": "m"}, "图片"),
        ({"MsgType": "voice", "MediaId": "m", "Format": "amr"}, "语音"),
        ({"MsgType": "video", "MediaId": "m"}, "视频"),
        ({"MsgType": "location", "Location_X": "30.1", "Location_Y": "120.1", "Label": "爆炸路 签收 A0231"}, "位置"),
        ({"MsgType": "link", "Title": "签收 A0231", "Url": "http://127.0.0.1/"}, "链接"),
        ({"MsgType": "hologram"}, "hologram消息"),
        ({"MsgType": "text", "Content": " "}, "空消息"),
    ],
)
def test_what_is_no_text_is_named_and_says_nothing(fields: dict[str, str], word: str) -> None:
    """A place's label or a link's title is not the member's word: it must neither sign nor raise an accident."""
    uplink = the_uplink(MsgId="8", **fields)
    assert (uplink.text, uplink.other, uplink.sender) == ("", word, "zhangsan")


@pytest.mark.parametrize("event", ["subscribe", "unsubscribe", "LOCATION", "view"])
def test_events_that_want_no_answer_get_none(event: str) -> None:
    assert heard(sealed(message(MsgType="event", Event=event))) == Heard((), Thanks())


def test_a_menu_button_stands_for_its_words_once() -> None:
    first = the_uplink(MsgType="event", Event="click", EventKey="查询")
    assert (first.text, first.sender) == ("查询", "zhangsan")
    assert the_uplink(MsgType="event", Event="click", EventKey="查询").message_id == first.message_id
    assert the_uplink(MsgType="event", Event="click", EventKey="帮助").message_id != first.message_id
    other = the_uplink(MsgType="event", Event="click", EventKey="查询", FromUserName="lisi")
    assert other.message_id != first.message_id


def test_a_message_without_an_id_is_known_by_sender_and_time() -> None:
    one = the_uplink(MsgType="text", Content="收到")
    assert one.message_id == the_uplink(MsgType="text", Content="收到").message_id
    assert one.message_id != the_uplink(MsgType="text", Content="收到", CreateTime="1").message_id


@pytest.mark.parametrize(("off", "right"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_stale_call_is_not_let_in(off: int, right: bool) -> None:
    came = sealed(message(MsgType="text", Content="收到", MsgId="1"))
    if right:
        assert uplinks(came, NIGHT + off * 1000)
    else:
        with pytest.raises(NotOursError, match="时间戳"):
            heard(came, NIGHT + off * 1000)


@pytest.mark.parametrize("timestamp", ["", "abc", "１７００", "9" * 400])
def test_a_time_that_is_none_is_not_let_in(timestamp: str) -> None:
    with pytest.raises(NotOursError):
        heard(sealed(message(MsgType="text", Content="x"), timestamp=timestamp))


@pytest.mark.parametrize(
    "seal", [Seal.of("other", KEY, CORP), Seal.of(TOKEN, "A" * 43, CORP), Seal.of(TOKEN, KEY, "wwother")]
)
def test_another_seal_is_not_let_in(seal: Seal) -> None:
    with pytest.raises(NotOursError):
        heard(sealed(message(MsgType="text", Content="签收", MsgId="1"), seal=seal))


@pytest.mark.parametrize(
    "plain", ["", "no xml", "<xml></xml>", message(MsgType="text", Content="x", FromUserName=""), message(Content="x")]
)
def test_what_is_no_message_is_kept_as_it_came_with_words(plain: str) -> None:
    """It bears the vendor's seal: somebody may have meant something by it."""
    found = heard(sealed(plain))
    (part,) = found.unreadable
    assert (part.raw, part.errand, found.items) == (plain, None, ())
    assert part.words


def test_an_event_that_nobody_knows_is_kept_as_one() -> None:
    plain = message(MsgType="event", Event="licence_expires", EventKey="")
    found = heard(sealed(plain))
    (part,) = found.unreadable
    assert (part.raw, part.errand, found.items) == (plain, Errand.EVENT, ())
    assert "licence_expires" in part.words


@given(st.text(max_size=120), st.binary(max_size=120), st.sampled_from(["GET", "POST"]))
def test_any_call_is_refused(query: str, body: bytes, method: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        heard(call(method, query, body))


@given(st.dictionaries(st.sampled_from(["MsgType", "Content", "MsgId", "Event", "EventKey", "CreateTime"]), st.text()))
def test_any_sealed_message_gives_clean_rows_or_is_refused(fields: dict[str, Any]) -> None:
    inside = {name: value.replace("]]>", "") for name, value in fields.items()}
    try:
        found = uplinks(sealed(message(**inside)))
    except ValueError:
        return
    for uplink in found:
        assert (len(uplink.text) <= 2000, len(uplink.message_id) <= 128) == (True, True)
        assert uplink.text or uplink.other or uplink.press or uplink.entered
        assert not any(mark < " " for mark in uplink.text + uplink.message_id + uplink.other)


CARD_EVENT = {
    "MsgType": "event",
    "Event": "template_card_event",
    "EventKey": "sign.k1",
    "TaskId": "A0231@1",
    "CardType": "button_interaction",
    "ResponseCode": "RESPONSE_CODE",
}


def test_a_pressed_button_is_told_with_its_card_and_handle() -> None:
    uplink = the_uplink(**CARD_EVENT)
    assert uplink.press == Press("A0231@1", "sign.k1", "RESPONSE_CODE")
    assert (uplink.text, uplink.other, uplink.sender) == ("", "", "zhangsan")


def test_the_shape_of_the_reference_is_read() -> None:
    shapes = json.loads((Path(__file__).parent / "vectors" / "wecom_inbound.json").read_bytes())
    (pressed,) = uplinks(sealed(shapes["wecom_template_card_event"]))
    assert pressed.press == Press("A-0001_1", "ack", "RESPONSE_CODE")
    (entered,) = uplinks(sealed(shapes["wecom_enter_agent"]))
    assert entered.entered
    (text,) = uplinks(sealed(shapes["wecom_text"]))
    assert text.text == "签收 A-0001"


def test_the_vendors_repeat_of_a_press_is_one_press_and_another_button_is_another() -> None:
    first = the_uplink(**CARD_EVENT)
    assert the_uplink(**CARD_EVENT).message_id == first.message_id
    others = ({"EventKey": "false_alarm.k2"}, {"TaskId": "A0232@1"}, {"CreateTime": "1"}, {"FromUserName": "lisi"})
    assert all(the_uplink(**CARD_EVENT | other).message_id != first.message_id for other in others)


def test_who_comes_in_is_heard_once_an_hour_and_says_nothing() -> None:
    first = the_uplink(MsgType="event", Event="enter_agent")
    assert (first.entered, first.text, first.other) == (True, "", "")
    assert the_uplink(MsgType="event", Event="enter_agent", CreateTime=str(NIGHT // 1000 + 60)).message_id == (
        first.message_id
    )
    later = the_uplink(MsgType="event", Event="enter_agent", CreateTime=str(NIGHT // 1000 + 3600))
    assert later.message_id != first.message_id


def test_a_picture_brings_by_what_it_can_be_fetched() -> None:
    uplink = the_uplink(MsgType="image", PicUrl="http://127.0.0.1/x", MediaId="media-1", MsgId="8")
    assert (uplink.media, uplink.other, uplink.text) == ("media-1", "图片", "")
    assert the_uplink(MsgType="voice", MediaId="media-1", MsgId="9").media == ""
