"""Returned mails: hard, soft, delivered, in the forms of standards and of Chinese mailboxes; and bytes of any kind."""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.channel import ReceiptKind, Report, Uplink
from channels.mail.charsets import header_of, text_of
from channels.mail.message import PROOF_LINE, compose
from channels.mail.quoting import own_words
from tests.channels.conftest import NIGHT
from tests.channels.mails import HUB, LETTER_ID, READER, SEAL, ZHANG, answer, letter, read, sent, settings

VECTORS = json.loads((Path(__file__).parent / "vectors" / "email_dsn.json").read_text("utf-8"))["cases"]


def standard(
    action: str, status: str, *, whole: bool = False, envelope: bool = False, to: str = ZHANG, ids: bool = True
) -> bytes:
    """A report of RFC 3464 about the letter, with its headers or all of it."""
    mail = sent()
    head = [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.com>",
        f"To: {HUB}",
        "Subject: Undelivered Mail Returned to Sender",
        "Return-Path: <>",
        "Auto-Submitted: auto-replied",
        "Message-ID: <dsn-1@mx.example.com>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B1"',
        "",
    ]
    report = ["Reporting-MTA: dns; mx.example.com"]
    if envelope:
        report.append(f"Original-Envelope-Id: {mail['Message-ID'].strip('<>').partition('@')[0]}")
    report += ["", f"Final-Recipient: rfc822; {to}", f"Action: {action}", f"Status: {status}"]
    report.append("Diagnostic-Code: smtp; 550 5.1.1 User unknown")
    original = compose(letter(), settings(), SEAL).decode("ascii")
    if not whole:
        original = original.partition("\r\n\r\n")[0] if ids else "Subject: x"
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    parts = [("text/plain; charset=utf-8", ["undelivered"]), ("message/delivery-status", report), (kind, [original])]
    body = [line for name, lines in parts for line in ("--B1", f"Content-Type: {name}", "", *lines)]
    return "\r\n".join([*head, *body, "--B1--", ""]).encode()


@pytest.mark.parametrize("other", [{}, {"whole": True}, {"envelope": True, "ids": False}])
def test_a_hard_return_says_which_letter_reached_nobody(other: dict[str, Any]) -> None:
    (report,) = read(standard("failed", "5.1.1", **other)).items
    assert report == Report("mail", LETTER_ID, "", ReceiptKind.UNDELIVERED, NIGHT, "退信 5.1.1 550 5.1.1 User unknown")


def test_a_letter_that_was_given_up_after_days_reached_nobody_either() -> None:
    (report,) = read(standard("failed", "4.4.7")).items
    assert report.kind is ReceiptKind.UNDELIVERED


def test_a_soft_return_says_nothing_yet() -> None:
    incoming = read(standard("delayed", "4.4.1"))
    assert incoming.items == ()
    assert "仍在投递" in incoming.why


def test_a_delivery_report_is_a_receipt() -> None:
    (report,) = read(standard("delivered", "2.1.5")).items
    assert report.kind is ReceiptKind.DELIVERED
    assert read(standard("relayed", "2.0.0")).items == ()


def test_whoever_forwards_is_named_instead_of_the_addressee() -> None:
    (report,) = read(standard("failed", "5.1.1", to="elsewhere@example.org", whole=True)).items
    assert report.letter_id == LETTER_ID


def test_a_forged_return_marks_nobody() -> None:
    """Without the letter's sealed id, or with one of somebody else's mail."""
    assert read(standard("failed", "5.1.1", ids=False)).items == ()
    stolen = standard("failed", "5.1.1").replace(ZHANG.encode(), b"li.si@example.com")
    incoming = read(stolen)
    assert incoming.items == ()
    assert "找不到对应的通知" in incoming.why


@pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])
def test_the_reference_returns_are_known_as_returns(case: dict[str, Any]) -> None:
    """Of another hub's letters: nothing follows, and the difference of hard and soft is seen."""
    incoming = read(base64.b64decode(case["raw_base64"]))
    assert incoming.items == ()
    assert ("仍在投递" in incoming.why) is (case["name"] == "delayed")


def sentences(subject: str, words: str, *, attach: bool = True, sender: str = "PostMaster@qq.com") -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, HUB, subject
    original = compose(letter(), settings(), SEAL)
    quoted = "" if attach else original.partition(b"\r\n\r\n")[0].decode("ascii")
    mail.set_content(f"{words}\n收件人：{ZHANG}\n{quoted}", charset="gb18030", cte="base64")
    if attach:
        mail.add_attachment(message_from_bytes(original))
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("subject", "words", "hard"),
    [
        ("系统退信", "您发送的邮件被退回：对方邮箱不存在，550 Mailbox not found", True),
        ("来自mx.example.com的退信", "抱歉，您的邮件无法投递到以下地址，对方拒收。", True),
        ("Undelivered Mail Returned to Sender", "550 5.2.2 over quota", True),
        ("邮件投递延迟通知", "您的邮件暂未送达，系统稍后将继续投递，无需重发。", False),
        ("Delivery Status Notification (Delay)", "Delivery to the following recipient has been delayed.", False),
    ],
)
@pytest.mark.parametrize("attach", [True, False])
def test_returns_in_sentences(subject: str, words: str, hard: bool, attach: bool) -> None:
    incoming = read(sentences(subject, words, attach=attach))
    kinds = [(each.letter_id, each.kind) for each in incoming.items if isinstance(each, Report)]
    assert kinds == ([(LETTER_ID, ReceiptKind.UNDELIVERED)] if hard else [])


def test_a_person_who_writes_of_a_return_is_a_person() -> None:
    (uplink,) = read(answer({"subject": "Re: 系统退信", "text": "签收，设备已退回厂家\n"})).items
    assert isinstance(uplink, Uplink)


def test_a_read_receipt_means_nothing() -> None:
    raw = standard("failed", "5.1.1").replace(b"delivery-status", b"disposition-notification")
    assert read(raw).items == ()


_HEADS = st.sampled_from(
    [b"From: a@b.cn\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n", b"\r\n", b"--x\r\n", b""]
)


@given(
    st.lists(st.one_of(st.binary(max_size=60), _HEADS, st.sampled_from([b"\r\n--x\r\n", b"=?gb2312?B?"])), max_size=12)
)
def test_any_bytes_give_an_answer_or_a_clean_refusal(pieces: list[bytes]) -> None:
    try:
        incoming = READER.read(b"".join(pieces), NIGHT)
    except ValueError:
        return
    for each in incoming.items:
        assert isinstance(each, Uplink)
        assert each.unproven
        assert len(each.text) <= 2000
    assert incoming.items or incoming.why


@given(st.data())
def test_a_mail_with_anything_changed_never_proves_for_another(data: st.DataObject) -> None:
    raw = bytearray(answer({"subject": "Re: [A0231]", "text": "1\n"}))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        items = READER.read(bytes(raw), NIGHT).items
    except ValueError:
        return
    for each in items:
        if isinstance(each, Uplink) and not each.unproven:
            assert each.sender == ZHANG


@given(st.text())
def test_own_words_are_a_part_of_what_came(text: str) -> None:
    own = own_words(text)
    assert PROOF_LINE not in own
    flat = "".join(text.replace("\ufeff", "").split())
    position = 0
    for line in own.split("\n"):
        found = flat.find("".join(line.split()), position)
        assert found >= 0
        position = found


@given(st.binary(), st.text(max_size=20))
def test_any_bytes_and_any_charset_are_some_text(data: bytes, charset: str) -> None:
    assert isinstance(text_of(data, charset), str)
    assert isinstance(header_of(data.decode("ascii", "surrogateescape")), str)


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
def test_text_in_the_charsets_in_use_comes_back(text: str) -> None:
    assert text_of(text.encode("gb18030"), "gb2312") == text
    assert text_of(text.encode("utf-8"), "utf-8") == text


def test_a_sign_torn_between_two_words_of_a_header_is_whole_again() -> None:
    raw = "着火".encode("gb18030")
    words = " ".join(f"=?gb2312?B?{base64.b64encode(part).decode()}?=" for part in (raw[:1], raw[1:]))
    assert header_of(words) == "着火"
    assert header_of("=?utf-8?q?=E7=AD=BE?= x =?utf-8?q?=E6=94=B6?=") == "签 x 收"
    assert header_of("签收".encode("gbk").decode("ascii", "surrogateescape")) == "签收"
