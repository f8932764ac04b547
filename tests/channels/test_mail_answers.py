"""What comes into the mailbox: answers of every program in use here, machines, strangers, and forged names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.chat.orders import orders_in
from channels.channel import Uplink
from channels.mail.headers import Headers, parsed
from channels.mail.message import compose
from escalation.vocabulary import Verb
from tests.channels.conftest import NIGHT
from tests.channels.mails import HUB, LETTER_ID, SEAL, ZHANG, answer, letter, proof_line, read, sent, settings

CORPUS = tomllib.loads((Path(__file__).parent / "mail_corpus.toml").read_text("utf-8"))["mail"]


@pytest.mark.parametrize("case", CORPUS, ids=[case["name"] for case in CORPUS])
def test_the_corpus(case: dict[str, Any]) -> None:
    incoming = read(answer(case))
    if "ignored" in case:
        assert incoming.items == ()
        assert case["ignored"] in incoming.why
        return
    (uplink,) = incoming.items
    assert isinstance(uplink, Uplink)
    assert (uplink.text, uplink.other) == (case["words"], case.get("other", ""))
    assert uplink.unproven is case.get("unproven", False)
    assert uplink.about == ("" if uplink.unproven else "A0231")
    assert (uplink.channel, uplink.sender, uplink.at) == ("mail", case.get("sender", ZHANG), NIGHT)
    assert uplink.message_id == "reply-1@example.com"
    if not uplink.unproven:
        # Nothing of what was answered is taken for the person's own words.
        assert not any(order.emergency for order in orders_in(uplink.text))


def test_the_orders_of_signed_mails_are_understood() -> None:
    """Signatures and politeness around an order do not hide it."""
    for case in CORPUS:
        if case.get("words", "").startswith(("签收", "1", "处置", "核查")) and not case.get("unproven"):
            (uplink,) = read(answer(case)).items
            verb = orders_in(uplink.text)[0].verb
            assert verb in (Verb.SIGN, Verb.DISPOSE, Verb.VERIFY), case["name"]


def test_every_id_of_a_mail_proves_for_its_addressee_alone() -> None:
    mail = sent()
    for name in ("Message-ID", "References"):
        word = mail[name].strip("<>").partition("@")[0]
        (proof,) = SEAL.proofs([word], ZHANG)
        assert proof.code == "A0231"
        assert SEAL.proofs([word], ZHANG.upper())
        assert SEAL.proofs([word], "li.si@example.com") == []
        assert SEAL.proofs([word[:-1] + ("a" if word[-1] != "a" else "b")], ZHANG) == []
        assert SEAL.proofs([word.replace("A0231", "A0232")], ZHANG) == []


def test_a_proof_behind_the_plus_is_enough() -> None:
    mail = sent(imap={"plus": True})
    address = mail["Reply-To"].addresses[0].addr_spec
    assert address.startswith("fenghuo+A0231.")
    case = {"subject": "Re: x", "text": "1\n", "no_ids": True}
    for name, to in (("To", address), ("To", address.lower()), ("Delivered-To", f"<{address}>")):
        headers = {} if name == "To" else {name: to}
        (uplink,) = read(answer({**case, "to": to if name == "To" else HUB, "headers": headers})).items
        assert (uplink.about, uplink.unproven) == ("A0231", False)


def test_only_ids_or_only_the_line_are_enough() -> None:
    (by_ids,) = read(answer({"subject": "Re: x", "text": "1\n"})).items
    (by_line,) = read(answer({"subject": "Re: x", "text": "1\n> {line}\n", "no_ids": True})).items
    assert (by_ids.about, by_ids.unproven) == (by_line.about, by_line.unproven) == ("A0231", False)


def test_an_answer_to_a_mail_of_no_incident_is_proven_and_its_subject_may_name_one() -> None:
    digest = letter(id="sms\x1fx.0", thread="sms\x1fx.0", subject="汇总 3 条")
    (uplink,) = read(answer({"subject": "Re: 汇总", "text": "查询\n"}, digest)).items
    assert (uplink.about, uplink.unproven) == ("", False)
    (uplink,) = read(answer({"subject": "Re: 汇总 [A0299]", "text": "查询\n"}, digest)).items
    assert uplink.about == "A0299"
    (uplink,) = read(answer({"subject": "Re: [A0299][A0300]", "text": "查询\n"}, digest)).items
    assert uplink.about == ""


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "张三",
        "a@b.cn, c@d.cn",
        "<a@b.cn> <c@d.cn",
        "a@b.cn\r\nFrom: c@d.cn",
        "=?utf-8?B?PGFAYi5jbj4=?=",
        "@",
        "张三@例子.cn",
    ],
)
def test_a_sender_that_is_not_exactly_one_address_is_nobody(sender: str) -> None:
    raw = f"From: {sender}\r\nSubject: x\r\n\r\n1\r\n".encode()
    assert read(raw).items == ()
    assert Headers(parsed(raw)).sender == ""


def test_a_name_that_looks_like_an_address_does_not_speak_for_it() -> None:
    raw = f'From: "{ZHANG}" <thief@example.com>\r\nSubject: x\r\n\r\n1\r\n'.encode()
    (uplink,) = read(raw).items
    assert (uplink.sender, uplink.unproven) == ("thief@example.com", True)


def test_a_mail_without_an_id_has_one_of_its_own() -> None:
    first, again = (read(answer({"subject": "Re: x", "text": "1\n", "message_id": ""})).items[0] for _ in range(2))
    other = read(answer({"subject": "Re: x", "text": "2\n", "message_id": ""})).items[0]
    assert first.message_id == again.message_id != other.message_id
    assert first.message_id.startswith("hash-")


def test_without_a_mailbox_a_mail_is_as_before() -> None:
    bare = compose(letter(), settings().model_copy(update={"imap": None}))
    assert f"Message-ID: <{LETTER_ID}@example.gov.cn>".encode() in bare
    assert proof_line().encode() not in bare
