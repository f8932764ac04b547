"""What Alibaba Cloud pushes: batches as they are, half readable ones, and rubbish."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.callback import Call, Errand, Heard
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.aliyun_inbound import read_call
from tests.channels.conftest import NIGHT

REPORT = {
    "phone_number": "13800138000",
    "send_time": "2026-11-21 08:00:00",
    "report_time": "2026-11-21 08:00:03",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "2",
    "biz_id": "900619746936498440^0",
    "out_id": "A0231-n17",
}
UP = {
    "phone_number": "13800138000",
    "content": "1",
    "send_time": "2026-11-21 08:01:00",
    "dest_code": "90999",
    "sequence_id": "1234567890",
}


def heard(errand: Errand, body: Any) -> Heard:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return read_call("cloud", Call(errand, "POST", "", {"content-type": "application/json"}, raw), NIGHT)


def test_every_report_of_a_batch_finds_its_letter() -> None:
    failed = {**REPORT, "success": False, "err_code": "MK:0001", "err_msg": "空号", "out_id": "A0231-n18"}
    found = heard(Errand.REPORT, [REPORT, failed, {**REPORT, "success": "true"}])
    assert found.items[:2] == (
        Report(
            "cloud",
            "A0231-n17",
            "900619746936498440^0",
            ReceiptKind.DELIVERED,
            NIGHT,
            "已送达 DELIVERED 用户接收成功",
        ),
        Report("cloud", "A0231-n18", "900619746936498440^0", ReceiptKind.UNDELIVERED, NIGHT, "未送达 MK:0001 空号"),
    )
    assert orjson.loads(found.thanks.body) == {"code": 0, "msg": "成功"}
    assert (found.thanks.status, found.thanks.content_type) == (200, "application/json")


def test_an_answer_is_the_same_by_a_number_and_by_a_string() -> None:
    found = heard(Errand.UPLINK, [UP, {**UP, "sequence_id": 1234567890, "sign_name": "应急平台"}])
    assert found.items == (Uplink("cloud", "1234567890", "13800138000", "1", NIGHT),) * 2


def test_without_a_number_of_its_own_sender_time_and_text_identify() -> None:
    bare = {name: value for name, value in UP.items() if name != "sequence_id"}
    first, again, other = heard(Errand.UPLINK, [bare, bare, {**bare, "content": "2"}]).items
    assert first == again != other


def test_half_a_batch_is_taken_and_the_other_half_told() -> None:
    found = heard(Errand.UPLINK, [{**UP, "phone_number": "张三"}, UP, 7])
    assert [item.sender for item in found.items if isinstance(item, Uplink)] == ["13800138000"]
    assert [part.words.partition("：")[0] for part in found.unreadable] == ["第 1 条", "第 3 条"]
    assert [orjson.loads(part.raw) for part in found.unreadable] == [{**UP, "phone_number": "张三"}, 7]


def test_nothing_at_all_is_thanked_for() -> None:
    assert heard(Errand.REPORT, []).items == ()


@pytest.mark.parametrize(
    ("errand", "body", "word"),
    [
        (Errand.REPORT, b"", "JSON"),
        (Errand.REPORT, b"[", "JSON"),
        (Errand.REPORT, [7], "JSON 对象"),
        (Errand.REPORT, [{**REPORT, "out_id": ""}], "out_id"),
        (Errand.REPORT, [{**REPORT, "out_id": "n\x1b1"}], "编号"),
        (Errand.REPORT, [{**REPORT, "success": 1.5}], "success"),
        (Errand.REPORT, [{**REPORT, "biz_id": ["x"]}], "biz_id"),
        (Errand.UPLINK, [{**UP, "content": " \x00"}], "content"),
        (Errand.UPLINK, [{**UP, "content": "警" * 2001}], "2000"),
        (Errand.UPLINK, [{**UP, "sequence_id": "9" * 300}], "编号"),
        (Errand.UPLINK, UP | {"phone_number": None}, "phone_number"),
    ],
)
def test_what_is_no_push_says_why(errand: Errand, body: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        heard(errand, body)


values: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20)
rows = st.dictionaries(st.sampled_from([*REPORT, *UP, "x"]), values, max_size=6)


@given(errand=st.sampled_from(Errand), body=st.binary(max_size=80) | st.lists(rows | values, max_size=4))
def test_any_push_is_read_or_refused_in_words(errand: Errand, body: Any) -> None:
    words = ""
    try:
        found = heard(errand, body)
        assert all(isinstance(item, Report if errand is Errand.REPORT else Uplink) for item in found.items)
        words = "read"
    except ValueError as refused:
        words = str(refused)
    assert words
