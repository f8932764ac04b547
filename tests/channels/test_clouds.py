"""What holds of every cloud that sends text messages: its templates, its faults, what is asked before a repeat."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from bot.demo.simulators.vendor import Fault
from channels.channel import Letter, ReceiptKind
from channels.outcome import OutcomeKind
from tests.channels.aliyun_account import TOKEN, a_notice
from tests.channels.clouds import Cloud, cloud, now
from tests.channels.conftest import a_letter, closed_port
from tests.channels.faults import HTTP_FAULTS, REFUSED

__all__ = ["cloud"]


async def test_a_notice_leaves_by_the_parts_of_its_template(cloud: Cloud) -> None:
    outcome = await cloud.opened().send(a_notice(at=now()))
    assert outcome.kind is OutcomeKind.ACCEPTED
    (message,) = cloud.vendor.received
    assert message.address == "13800138000"
    assert message.text == (
        "【青河应急】红色高高报（新警情）：明木家具 1号除尘器灰斗温度 97.2限95℃，无。回1签收，编号A0231。"
    )
    assert b'"A0231-n17"' in message.raw, "by which the vendor is asked about it"
    assert outcome.vendor_id


async def test_a_sentence_runs_through_the_other_template(cloud: Cloud) -> None:
    text = "A0231 已记录签收：白木匠 02:01。还须：02:30前核查，05:00前消警。"
    assert (await cloud.opened().send(a_letter(text, at=now()))).kind is OutcomeKind.ACCEPTED
    assert cloud.vendor.received[0].text == (
        "【青河应急】预警系统消息：A0231 已记录签收：白木匠 02:01。还须：02:30前核查，05:00前消警，无。"
    )


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        (a_notice(address="张三"), OutcomeKind.REFUSED_RECIPIENT),
        (a_notice(address="13800"), OutcomeKind.REFUSED_RECIPIENT),
        (a_letter(""), OutcomeKind.REFUSED_CONTENT),
        (a_letter("见 https://evil.example.com/a"), OutcomeKind.REFUSED_CONTENT),
        (a_notice(parts={"place": "www.example.com"}), OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_what_cannot_be_sent_says_so(cloud: Cloud, letter: Letter, kind: OutcomeKind) -> None:
    assert (await cloud.opened().send(replace(letter, at=now()))).kind is kind
    assert cloud.vendor.received == []


@pytest.mark.parametrize(("fault", "kind", "taken"), [REFUSED, *HTTP_FAULTS])
async def test_each_fault_has_its_outcome(cloud: Cloud, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    cloud.vendor.faults.put(fault)
    outcome = await cloud.opened().send(a_notice(at=now()))
    assert outcome.kind is kind
    assert cloud.vendor.faults.happened == {fault: 1}
    assert len(cloud.vendor.received) == taken
    if kind is OutcomeKind.UNCERTAIN:
        assert outcome.retry_after == cloud.waits


async def test_without_an_answer_to_the_question_nothing_is_sent_again(cloud: Cloud) -> None:
    away = cloud.opened(endpoint=f"http://127.0.0.1:{closed_port()}")
    outcome = await away.send(a_notice(at=now(), repeat=True))
    assert outcome.kind is OutcomeKind.TRANSIENT
    assert "重发前查询未成" in outcome.detail
    wrong = await cloud.opened(**{cloud.keys[1]: "wrong"}).send(a_notice(at=now(), repeat=True))
    assert wrong.kind is OutcomeKind.MISCONFIGURED
    assert cloud.vendor.sent == []


async def test_abilities_say_what_comes_back(cloud: Cloud) -> None:
    abilities = cloud.opened().abilities
    assert abilities.receipts == {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}
    assert (abilities.replies, abilities.personal, abilities.links) == (True, True, False)
    deaf = cloud.opened(callback_token="", per_minute=0, per_hour=50, per_day=60).abilities
    assert (deaf.receipts, deaf.replies) == (frozenset(), False)
    assert [(each.count, each.per) for each in deaf.windows] == [(50, 3600), (60, 86_400)]
    assert not cloud.opened(uplink=False).abilities.replies


async def test_no_secret_is_ever_shown(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # The vendor's own words repeat what it was sent.
    cloud.vendor.refusal = f"x {' '.join(_secrets(cloud))} 13800138000"
    cloud.vendor.faults.put(Fault.REFUSE)
    driver = cloud.opened()
    told = await driver.send(a_notice(at=now()))
    assert told.detail.startswith("x ")
    away = await cloud.opened(endpoint=f"http://127.0.0.1:{closed_port()}").send(a_notice(at=now()))
    shown = f"{told!r} {away!r} {driver!r} {caplog.text}"
    assert not any(secret in shown for secret in (*_secrets(cloud), "13800138000"))


def _secrets(cloud: Cloud) -> tuple[str, ...]:
    table = cloud.ours.table()
    return table[cloud.keys[0]], table[cloud.keys[1]], TOKEN


async def test_a_notice_whose_template_is_refused_can_leave_in_the_one_for_sentences(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is reached by text messages alone must hear it all the same."""
    cloud.vendor.reviews[cloud.ours.NOTICE] = (cloud.refused, "")
    driver = cloud.opened()
    refused = await driver.send(a_notice(at=now()))
    assert (refused.kind, f"模板 {cloud.ours.NOTICE}" in refused.detail) == (OutcomeKind.REFUSED_CONTENT, True)
    assert "it: a template is refused, its messages leave in the one for sentences" in caplog.text
    plainest = a_notice(at=now())
    assert (await driver.send(replace(plainest, parts={}, topic=""))).kind is OutcomeKind.ACCEPTED
    cloud.vendor.reviews[cloud.ours.SENTENCE] = (cloud.refused, "")
    wrong = await driver.send(replace(plainest, parts={}, topic=""))
    assert (wrong.kind, f"模板 {cloud.ours.SENTENCE}" in wrong.detail) == (OutcomeKind.MISCONFIGURED, True)
