"""A GSM modem through smstools' folders: files in, files out, and nothing lost between them."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError

from bot.demo.simulators.smstools import Smsd
from channels.callback import Errand
from channels.channel import Letter, ReceiptKind, Report, Uplink
from channels.collecting import Collected, Collector
from channels.outcome import OutcomeKind
from channels.sms.spool import Driver, dialled
from channels.sms.spool_files import read_file
from channels.sms.spool_settings import Settings
from tests.channels.conftest import Clock, a_letter

OK = "0,Ok,short message received by the SME"
MINUTE = 60_000


@pytest.fixture
def smsd(tmp_path: Path, clock: Clock) -> Smsd:
    return Smsd(tmp_path / "sms", clock)


@pytest.fixture
def driver(smsd: Smsd, session: aiohttp.ClientSession) -> Driver:
    return a_driver(smsd, session)


def a_driver(smsd: Smsd, session: aiohttp.ClientSession, **other: object) -> Driver:
    table = {"kind": "sms_spool", "spool": str(smsd.spool), **other}
    return Driver("modem", Settings.model_validate(table), session)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


async def looked(driver: Driver, clock: Clock, *, later: int = 2_000) -> Collected:
    """What is collected a moment later, taken away."""
    clock.at += later
    collected = await driver.collect(clock.at)
    await driver.forget(collected)
    return collected


async def test_a_message_leaves_as_one_whole_file_and_is_sent(smsd: Smsd, driver: Driver) -> None:
    outcome = await driver.send(a_letter())
    assert outcome.kind is OutcomeKind.ACCEPTED
    (path,) = (smsd.spool / "outgoing").iterdir()
    assert path.name == outcome.vendor_id == "fh.A0231-n17"
    head, text = path.read_bytes().split(b"\n\n")
    assert head == b"To: 8613800138000\nAlphabet: UCS2\nReport: yes\nFenghuo: A0231-n17"
    assert text.decode("utf-16-be") == "【红色】一号井 CO 31ppm（限值 24）A0231"
    assert path.stat().st_mode & 0o777 == 0o660, "the daemon is a user of its own, of the folder's group"
    assert names(smsd.spool / "fenghuo") == []
    assert await smsd.step() == 1
    assert [(each.address, each.text) for each in smsd.received] == [
        ("13800138000", "【红色】一号井 CO 31ppm（限值 24）A0231")
    ]


async def test_files_may_be_utf_8_and_critical_goes_first(smsd: Smsd, session: aiohttp.ClientSession) -> None:
    driver = a_driver(smsd, session, alphabet="UTF-8", signature="青河应急", queue="gsm", reports=False)
    await driver.send(a_letter("黄色", id="a"))
    await driver.send(a_letter("红色", id="b", critical=True))
    await smsd.step()
    assert [each.text for each in smsd.received] == ["【青河应急】红色", "【青河应急】黄色"]
    assert smsd.report(0) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (OK, ReceiptKind.DELIVERED),
        ("2,Ok,short message replaced by the SC", ReceiptKind.DELIVERED),
        ("1,Ok,forwarded but unable to confirm delivery", None),
        ("32,Still trying,congestion", None),
        ("70,Error,SM validity period expired", ReceiptKind.UNDELIVERED),
        ("96,Error,congestion", ReceiptKind.UNDELIVERED),
    ],
)
async def test_a_delivery_report_finds_its_letter(
    smsd: Smsd, driver: Driver, clock: Clock, status: str, kind: ReceiptKind | None
) -> None:
    await driver.send(a_letter(id="A0230-n1", address="13900139000"))
    await driver.send(a_letter())
    await smsd.step()
    smsd.report(1, status)
    collected = await looked(driver, clock)
    assert [(item.letter_id, item.kind) for item in collected.items if isinstance(item, Report)] == (
        [("A0231-n17", kind)] if kind else []
    )
    assert names(smsd.spool / "incoming") == []


async def test_the_modem_counts_to_255_and_begins_again(smsd: Smsd, driver: Driver, clock: Clock) -> None:
    """Two messages to one phone with the same number: the newer is meant."""
    await driver.send(a_letter(id="A0231-n1"))
    await smsd.step()
    clock.at, smsd.next_id = clock.at + MINUTE, 17
    await driver.send(a_letter(id="A0231-n2", at=clock.at))
    await smsd.step()
    smsd.report(1)
    (item,) = (await looked(driver, clock)).items
    assert isinstance(item, Report)
    assert item.letter_id == "A0231-n2"


@pytest.mark.parametrize("text", ["1", "签收 A0231", "第一行\n第二行"])
async def test_an_answer_comes_in_once_and_stays_until_it_is_on_disk(
    smsd: Smsd, driver: Driver, clock: Clock, text: str
) -> None:
    smsd.answer("13800138000", text)
    assert (await driver.collect(clock.at)).items == (), "it may still be written"
    clock.at += 2_000
    first, again = await driver.collect(clock.at), await driver.collect(clock.at)
    assert first.items == again.items
    (item,) = first.items
    assert isinstance(item, Uplink)
    assert (item.sender, item.text) == ("13800138000", text.replace("\n", " "))
    await driver.forget(again)
    await driver.forget(first)
    assert (await driver.collect(clock.at)).items == ()


async def test_the_same_words_twice_are_two_answers(smsd: Smsd, driver: Driver, clock: Clock) -> None:
    smsd.answer("13800138000", "1")
    smsd.answer("13800138000", "1")
    first, second = (await looked(driver, clock)).items
    assert isinstance(first, Uplink)
    assert isinstance(second, Uplink)
    assert first.message_id != second.message_id


async def test_what_the_modem_cannot_send_is_told(smsd: Smsd, driver: Driver, clock: Clock) -> None:
    smsd.failing = "Modem answered: +CMS ERROR: 38"
    await driver.send(a_letter())
    await smsd.step()
    (item,) = (await looked(driver, clock)).items
    assert isinstance(item, Report)
    assert (item.letter_id, item.kind) == ("A0231-n17", ReceiptKind.UNDELIVERED)
    assert "+CMS ERROR: 38" in item.detail
    assert names(smsd.spool / "failed") == []


async def test_what_the_daemon_does_not_fetch_is_withdrawn_and_nothing_more_is_given_to_it(
    smsd: Smsd, driver: Driver, clock: Clock
) -> None:
    smsd.working = False
    await driver.send(a_letter())
    (smsd.spool / "outgoing" / "of_another_program").write_bytes(b"To: 10086\n\nhello")
    clock.at += 3 * MINUTE
    outcome = await driver.send(a_letter(id="A0232-n1", at=clock.at))
    assert outcome.kind is OutcomeKind.TRANSIENT
    assert "fh.A0231-n17" in outcome.detail
    found = await driver.collect(clock.at)
    assert [(item.letter_id, item.kind) for item in found.items if isinstance(item, Report)] == [
        ("A0231-n17", ReceiptKind.UNDELIVERED)
    ]
    assert names(smsd.spool / "outgoing") == ["of_another_program"]
    assert (await driver.collect(clock.at)).items == found.items, "a hub that died here finds it again"
    await driver.forget(found)
    assert (await driver.collect(clock.at)).items == ()
    smsd.working = True
    (smsd.spool / "outgoing" / "of_another_program").unlink()
    assert await smsd.step() == 0, "it is not sent later, when somebody else has heard"


async def test_a_slow_modem_is_waited_for_and_a_dead_one_is_not(smsd: Smsd, driver: Driver, clock: Clock) -> None:
    await driver.send(a_letter(id="A0231-n1"))
    await smsd.step()
    smsd.modem = False
    await driver.send(a_letter(id="A0231-n2", at=clock.at))
    await smsd.step()
    os.utime(smsd.spool / "sent" / "fh.A0231-n1", ns=((clock.at + 2 * MINUTE) * 1_000_000,) * 2)
    assert (await looked(driver, clock, later=3 * MINUTE)).items == (), "another message has just left"
    (item,) = (await looked(driver, clock, later=3 * MINUTE)).items
    assert isinstance(item, Report)
    assert (item.letter_id, item.kind) == ("A0231-n2", ReceiptKind.UNDELIVERED)


@pytest.mark.parametrize("folder", ["outgoing", "checked", "sent"])
async def test_a_repeat_looks_where_the_message_is(smsd: Smsd, driver: Driver, folder: str) -> None:
    await driver.send(a_letter())
    smsd.modem = folder == "sent"
    if folder != "outgoing":
        await smsd.step()
    outcome = await driver.send(a_letter(repeat=True))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert folder in outcome.detail
    smsd.modem = True
    await smsd.step()
    assert len(smsd.received) == 1


async def test_a_repeat_of_what_failed_goes_another_way_and_of_what_never_was_is_written(
    smsd: Smsd, driver: Driver
) -> None:
    smsd.failing = "no network"
    await driver.send(a_letter())
    await smsd.step()
    assert (await driver.send(a_letter(repeat=True))).kind is OutcomeKind.REFUSED_RECIPIENT
    smsd.failing = ""
    assert (await driver.send(a_letter(id="A0232-n1", repeat=True))).kind is OutcomeKind.ACCEPTED
    assert await smsd.step() == 1


async def test_a_folder_that_is_not_there_is_misconfigured(smsd: Smsd, session: aiohttp.ClientSession) -> None:
    outcome = await a_driver(smsd, session, outgoing="nowhere").send(a_letter())
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert "nowhere" in outcome.detail


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        (a_letter(address="张三"), OutcomeKind.REFUSED_RECIPIENT),
        (a_letter(""), OutcomeKind.REFUSED_CONTENT),
        (a_letter("见 https://evil.example.com/a"), OutcomeKind.REFUSED_CONTENT),
        (a_letter("长" * 202), OutcomeKind.REFUSED_CONTENT),
        (a_letter("半\ud800"), OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_what_cannot_be_sent_says_so(smsd: Smsd, driver: Driver, letter: Letter, kind: OutcomeKind) -> None:
    assert (await driver.send(letter)).kind is kind
    assert names(smsd.spool / "outgoing") == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"From: 8613800138000\n\n", b"From: \n\n1", b"From: x\nAlphabet: UCS2\n\n\x00", b"\xff" * 70_000],
)
async def test_rubbish_is_put_aside_and_told_and_holds_nothing_up(
    smsd: Smsd, driver: Driver, clock: Clock, raw: bytes
) -> None:
    path = smsd.answer("13800138000", "1")
    path.with_name("smsd_script.Ab12Cd").write_bytes(b"#!/bin/sh")
    rubbish = path.with_name("GSM1.zzzzzz")
    rubbish.write_bytes(raw)
    os.utime(rubbish, ns=(clock.at * 1_000_000,) * 2)
    collected = await looked(driver, clock)
    assert len(collected.items) == 1
    (odd,) = collected.unreadable
    assert (odd.errand, odd.part.words.partition("：")[0]) == (Errand.UPLINK, "GSM1.zzzzzz")
    assert odd.part.raw == raw[: 64 * 1024].decode("utf-8", "replace")
    assert names(smsd.spool / "fenghuo" / "unreadable") == ["GSM1.zzzzzz"]


async def test_old_files_of_ours_leave_the_folder_of_what_was_sent(smsd: Smsd, driver: Driver, clock: Clock) -> None:
    await driver.send(a_letter())
    await smsd.step()
    (smsd.spool / "sent" / "of_another_program").write_bytes(b"To: 10086\n\nhello")
    os.utime(smsd.spool / "sent" / "of_another_program", ns=(clock.at * 1_000_000,) * 2)
    await looked(driver, clock, later=6 * 24 * 60 * MINUTE)
    assert len(names(smsd.spool / "sent")) == 2
    await looked(driver, clock, later=25 * 60 * MINUTE)
    assert names(smsd.spool / "sent") == ["of_another_program"]


def test_headers_end_where_the_daemon_says_and_bodies_are_bytes() -> None:
    found = read_file(b"From: 1\r\nAlphabet: UCS2\r\n\r\n\x4e\x00\x0a\x0a")
    assert (found.first("From"), found.text) == ("1", "一\u0a0a")


@pytest.mark.parametrize(
    ("number", "to"),
    [
        ("13800138000", "8613800138000"),
        ("+85291234567", "85291234567"),
        ("10086", "s10086"),
        ("106900001234", "106900001234"),
    ],
)
def test_numbers_as_the_daemon_wants_them(number: str, to: str) -> None:
    assert dialled(number, "86") == to


async def test_abilities_and_the_contract(smsd: Smsd, session: aiohttp.ClientSession) -> None:
    driver = a_driver(smsd, session, signature="青河应急", max_parts=2, reports=False, uplink=False, look_seconds=2)
    assert isinstance(driver, Collector)
    assert driver.every == 2
    assert (driver.abilities.max_chars, driver.abilities.first_chars) == (2 * 67 - 6, 64)
    assert driver.abilities.receipts == {ReceiptKind.UNDELIVERED}
    assert not driver.abilities.replies


@pytest.mark.parametrize(
    "change", [{"spool": "relative"}, {"incoming": "../etc"}, {"alphabet": "GBK"}, {"queue": "a b"}]
)
def test_a_wrong_table_says_so_at_the_start(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        Settings.model_validate({"kind": "sms_spool", **change})
