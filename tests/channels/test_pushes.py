"""What Tencent Cloud and 云MAS push: whole, half readable, and rubbish."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.simulators.tencent import taken_by_tencent
from channels.callback import Call, Errand, Heard
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms import mas_inbound, tencent_inbound
from channels.sms.extension import extension, incident_of
from tests.channels import tencent_account, test_mas
from tests.channels.conftest import NIGHT
from tests.channels.test_mas import a_driver as mas_driver
from tests.channels.test_tencent import a_driver as tencent_driver

STATUS = {
    "user_receive_time": "2026-11-21 08:00:04",
    "nationcode": "86",
    "mobile": "13800138000",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "2640:1234567890",
}
REPLY = {
    "extend": "",
    "mobile": "13800138000",
    "nationcode": "86",
    "sign": "应急平台",
    "text": "1",
    "time": 1795219260,
}
MO = {"mobile": "13800138000", "smsContent": "1", "sendTime": "2026-11-21 08:01:00", "addSerial": "01"}
MAS_REPORT = {
    "reportStatus": "CM:2007",
    "mobile": "13800138000",
    "submitDate": "20210906144506",
    "receiveDate": "20210906144507",
    "errorCode": "CM:2007",
    "msgGroup": "0906144506000001364223",
}
DELIVERED = ("DELIVRD", "CM:0000")


def heard(vendor: str, errand: Errand, body: Any, digits: int = 0) -> Heard:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    call = Call(errand, "POST", "", {"content-type": "application/json"}, raw)
    if vendor == "tencent":
        return tencent_inbound.read_call("cloud", call, NIGHT, digits)
    return mas_inbound.read_call("cloud", call, NIGHT, digits=digits, delivered=DELIVERED)


def test_tencents_reports_are_tied_by_its_number_of_the_send() -> None:
    failed = {**STATUS, "report_status": "FAIL", "errmsg": "MK:0001", "description": "空号", "sid": "2640:2"}
    found = heard("tencent", Errand.REPORT, [STATUS, failed])
    assert found.items == (
        Report("cloud", "", "2640:1234567890", ReceiptKind.DELIVERED, NIGHT, "已送达 DELIVRD 用户短信送达成功"),
        Report("cloud", "", "2640:2", ReceiptKind.UNDELIVERED, NIGHT, "未送达 MK:0001 空号"),
    )
    assert taken_by_tencent(found.thanks.body)


def test_tencents_answers_without_an_id_are_known_by_sender_time_and_text() -> None:
    (first,), (again,), (other,) = (
        heard("tencent", Errand.UPLINK, {**REPLY, **change}).items for change in ({}, {"extend": "9"}, {"time": 1})
    )
    assert isinstance(first, Uplink)
    assert (first.sender, first.text, first.about) == ("13800138000", "1", "")
    assert isinstance(again, Uplink)
    assert isinstance(other, Uplink)
    assert first.message_id == again.message_id != other.message_id


def test_the_number_from_abroad_keeps_its_country() -> None:
    (item,) = heard("tencent", Errand.UPLINK, {**REPLY, "nationcode": "852", "mobile": "91234567"}).items
    assert isinstance(item, Uplink)
    assert item.sender == "+85291234567"


@pytest.mark.parametrize(
    ("state", "kind"), [("DELIVRD", ReceiptKind.DELIVERED), ("CM:0000", ReceiptKind.DELIVERED), ("UNDELIV", None)]
)
def test_the_state_of_a_mas_report_decides(state: str, kind: ReceiptKind | None) -> None:
    (item,) = heard("mas", Errand.REPORT, {**MAS_REPORT, "reportStatus": state}).items
    assert isinstance(item, Report)
    assert item.kind is (kind or ReceiptKind.UNDELIVERED)
    assert item.vendor_id == "0906144506000001364223"
    assert state in item.detail


@pytest.mark.parametrize(
    ("vendor", "errand", "row", "name"),
    [("tencent", Errand.UPLINK, REPLY, "extend"), ("mas", Errand.UPLINK, MO, "addSerial")],
)
@pytest.mark.parametrize(
    ("number", "digits", "code"),
    [("90100231", 6, "A0231"), ("200045", 6, "W0045"), ("90000000", 6, ""), ("100231", 0, ""), ("900231", 6, "")],
)
def test_the_extension_says_which_message_is_answered(
    vendor: str, errand: Errand, row: dict[str, Any], name: str, number: str, digits: int, code: str
) -> None:
    (item,) = heard(vendor, errand, {**row, name: number}, digits).items
    assert isinstance(item, Uplink)
    assert item.about == code


@given(letter=st.sampled_from("AW"), number=st.integers(1, 10**9), digits=st.integers(5, 12))
def test_an_extension_comes_back_as_the_code_it_was_made_of(letter: str, number: int, digits: int) -> None:
    code = f"{letter}{number:04d}"
    made = extension(f"{code}.1.s1-raised.abc", digits)
    assert len(made) == digits
    assert incident_of(f"9{made}", digits) == (code if len(str(number)) < digits else "")


async def test_the_drivers_read_what_comes_to_their_doors(session: aiohttp.ClientSession) -> None:
    for driver, row in (
        (tencent_driver(session, extend_digits=6), {**REPLY, "extend": "100231"}),
        (mas_driver(session, extend_digits=6), {**MO, "addSerial": "100231"}),
    ):
        (item,) = driver.read_call(Call(Errand.UPLINK, "POST", "", {}, orjson.dumps(row)), NIGHT).items
        assert isinstance(item, Uplink)
        assert item.about == "A0231"
        assert driver.callback_errands == {Errand.UPLINK, Errand.REPORT}
    assert tencent_account.table()["callback_token"] == test_mas.table()["callback_token"]


@pytest.mark.parametrize(
    ("vendor", "errand", "body", "word"),
    [
        ("tencent", Errand.REPORT, b"[", "JSON"),
        ("tencent", Errand.REPORT, [7], "JSON 对象"),
        ("tencent", Errand.REPORT, [{**STATUS, "sid": ""}], "sid"),
        ("tencent", Errand.REPORT, [{**STATUS, "report_status": "MAYBE"}], "SUCCESS 或 FAIL"),
        ("tencent", Errand.UPLINK, {**REPLY, "mobile": "张三"}, "电话号码"),
        ("tencent", Errand.UPLINK, {**REPLY, "text": "\x00"}, "短信内容为空"),
        ("tencent", Errand.UPLINK, {**REPLY, "text": "警" * 2001}, "2000"),
        ("mas", Errand.REPORT, {**MAS_REPORT, "msgGroup": ""}, "msgGroup"),
        ("mas", Errand.REPORT, {"msgGroup": "1"}, "reportStatus"),
        ("mas", Errand.UPLINK, {**MO, "mobile": ""}, "mobile"),
        ("mas", Errand.UPLINK, {**MO, "smsContent": ["1"]}, "smsContent"),
    ],
)
def test_what_is_no_push_says_why(vendor: str, errand: Errand, body: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        heard(vendor, errand, body)


def test_half_a_batch_is_taken_and_the_other_half_told() -> None:
    found = heard("mas", Errand.UPLINK, [{**MO, "mobile": "张三"}, MO, 7])
    assert len(found.items) == 1
    assert [each.words.partition("：")[0] for each in found.unreadable] == ["第 1 条", "第 3 条"]
    assert [orjson.loads(each.raw) for each in found.unreadable] == [{**MO, "mobile": "张三"}, 7], "as it came"


values: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20)
rows = st.dictionaries(st.sampled_from([*STATUS, *REPLY, *MO, *MAS_REPORT, "x"]), values, max_size=6)


@given(
    vendor=st.sampled_from(["tencent", "mas"]),
    errand=st.sampled_from(Errand),
    body=st.binary(max_size=80) | st.lists(rows | values, max_size=4),
)
def test_any_push_is_read_or_refused_in_words(vendor: str, errand: Errand, body: Any) -> None:
    words = ""
    try:
        found = heard(vendor, errand, body, 6)
        assert all(isinstance(item, Report if errand is Errand.REPORT else Uplink) for item in found.items)
        words = "read"
    except ValueError as refused:
        words = str(refused)
    assert words
