"""Rows without an incident: what cannot be read, answers, words about the hub itself. They too never end in silence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bot.demo.simulators.vendor import Fault
from bot.intake.gate import ItemVerdict
from bot.intake.problems import FieldError
from bot.intake.reading import Unreadable
from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from channels.channel import Uplink
from escalation.vocabulary import Mode, Verdict
from tests.workers.house import DUST, HOUR, KEEPER, KEEPER_MAIL, MINUTE, PARTITIONS, SECOND, House, house_on

STRANGER = "13900130099"
ROOM = "county-group"
ROOM_PHONE = "13800130031"
EARLY = 'people = ["qinghe-duty-a"], start = "08:00", end = "19:00"'
REFUSED = "550 5.1.1 no such user"


def unreadable(number: int = 1, mode: Mode = Mode.ACTUAL) -> Unreadable:
    return Unreadable(
        source="demo",
        index=0,
        id=f"x{number}",
        problems=(FieldError("/type", "不认识“boom”", "Unknown “boom”"),),
        received_at=0,
        body_hash=f"hash {number}",
        raw='{"type":"boom"}',
        mode=mode,
        gist="boom 明木家具 DC01-T01",
    )


async def post(house: House, number: int = 1, mode: Mode = Mode.ACTUAL) -> Verdict:
    (result,) = await house.engine.take([unreadable(number, mode)])
    assert isinstance(result, ItemVerdict)
    await house.engine.rest()
    return result.verdict


async def kept(house: House) -> list[Unreadable]:
    rows = [row for number in range(PARTITIONS) for row in (await house.engine.ledger.quarantined(number)).values()]
    return [msgspec.json.decode(row, type=Unreadable) for row in rows]


async def test_what_cannot_be_read_is_kept_and_told_once(house: House) -> None:
    assert await post(house) is Verdict.QUARANTINED
    assert await post(house) is Verdict.DUPLICATE
    assert await kept(house) == [unreadable()]
    assert [len(house.at(each)) for each in (KEEPER_MAIL, ROOM, ROOM_PHONE, KEEPER)] == [1, 1, 1, 0]
    assert "/type" in house.texts(KEEPER_MAIL)[0]
    assert "可能是真实报警" in house.texts(ROOM)[0]
    assert "明木家具" in house.texts(ROOM_PHONE)[0]
    assert len(await house.loose_journal("unreadable")) == 1
    assert await post(house, 2) is Verdict.QUARANTINED
    assert [len(house.at(each)) for each in (KEEPER_MAIL, ROOM)] == [2, 2]


@pytest.mark.parametrize(
    ("gist", "said"),
    [
        (f"alarm.raised · {DUST} · 三号罐", "请核实：监测报警 · 青河区明木家具有限公司 · 三号罐（隔离号 "),
        ("", "请核实：看不出是哪里的，请联系系统维护员看原文（隔离号 "),
    ],
)
async def test_the_room_reads_what_it_is_about_in_words(house: House, gist: str, said: str) -> None:
    await house.engine.take([msgspec.structs.replace(unreadable(), gist=gist)])
    await house.engine.rest()
    (row,) = [row for number in range(PARTITIONS) for row in await house.engine.ledger.quarantined(number)]
    for text in (*house.texts(ROOM), *house.texts(ROOM_PHONE)):
        assert f"{said}{row[:6]}）" in text
    assert row[:6] in house.texts(KEEPER_MAIL)[0], "the room and the maintainers speak of the same number"


async def test_a_drills_unreadable_item_is_marked(house: House) -> None:
    await post(house, mode=Mode.EXERCISE)
    said = [house.texts(each)[0].removeprefix("【青河应急】") for each in (KEEPER_MAIL, ROOM, ROOM_PHONE)]
    assert [text.startswith("【演练】") for text in said] == [True] * 3


async def test_whoever_maintains_and_stands_in_the_room_hears_that_it_may_be_real(store: Store, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        return text.replace('people = ["keeper"]', 'people = ["qinghe-duty-a"]')

    async with house_on(store, tmp_path, edit) as house:
        await post(house)
        (text,) = house.texts(ROOM_PHONE)
        assert "可能是真实报警" in text


async def test_nobody_in_the_duty_room_and_its_leader_hears(store: Store, tmp_path: Path) -> None:
    def edit(text: str) -> str:
        text = text.replace('contacts = [{ channel = "county-group" }]\n', "")
        return text.replace('people = ["qinghe-duty-a"], start = "08:00", end = "20:00"', EARLY)

    async with house_on(store, tmp_path, edit) as house:
        await post(house)
        assert ["可能是真实报警" in text for text in house.texts("13800130033")] == [True]


async def test_a_refused_quarantine_notice_goes_to_the_next_contact(house: House) -> None:
    house.vendors.mail.refuses[KEEPER_MAIL] = REFUSED
    await post(house)
    assert ["/type" in text for text in house.texts(KEEPER)] == [True]
    assert await house.loose_journal("dead_letter") == []


async def test_a_vendor_that_is_down_is_gone_around_after_three_tries(house: House) -> None:
    house.vendors.mail.faults.put(Fault.STATUS_500, times=3)
    await post(house)
    await house.wait(MINUTE)
    assert [len(house.texts(each)) for each in (KEEPER_MAIL, KEEPER)] == [1, 1]


async def test_maintainers_who_cannot_be_reached_end_in_the_journal_and_in_no_loop(house: House) -> None:
    house.vendors.mail.refuses[KEEPER_MAIL] = REFUSED
    house.vendors.sms.faults.put(Fault.REFUSE, times=50, code=400)
    await post(house)
    dead = await house.loose_journal("dead_letter")
    assert sorted(str(entry.detail["kind"]) for entry in dead) == ["quarantine"] * len(dead)
    assert {str(entry.detail["channel"]) for entry in dead} == {"sms"}
    assert len({entry.notice for entry in dead}) == len(dead)
    assert not [entry.notice for entry in dead if entry.notice.startswith("dead.dead.")], "no words about words"
    assert house.at(KEEPER) == []
    assert "可能是真实报警" in house.texts(ROOM)[0]
    assert await house.engine.mailboxes.next_at() is None


async def ask(house: House) -> None:
    """A stranger asks for help, whose number then refuses the answer."""
    uplink = Uplink(channel="sms", message_id="m1", sender=STRANGER, text="帮助", at=house.clock.now())
    await house.engine.answering.take([uplink], house.clock.now())
    house.vendors.sms.faults.put(Fault.REFUSE, code=400)
    await house.engine.rest()


async def test_an_answer_that_is_refused_is_a_dead_letter_that_maintainers_hear_of(house: House) -> None:
    await ask(house)
    (dead,) = await house.loose_journal("dead_letter")
    assert (dead.detail["kind"], dead.detail["channel"]) == ("answer", "sms")
    assert STRANGER not in str(dead)
    (mail,) = house.at(KEEPER_MAIL)
    assert "无法送达" in mail.text
    assert mail.subject == "一条消息无法送达"
    assert STRANGER not in mail.text


async def test_a_day_without_an_answer_of_the_vendor_is_a_dead_letter_too(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=3)
    uplink = Uplink(channel="sms", message_id="m1", sender=STRANGER, text="帮助", at=house.clock.now())
    await house.engine.answering.take([uplink], house.clock.now())
    await house.engine.rest()
    house.push(24 * HOUR)
    await house.engine.rest()
    (dead,) = await house.loose_journal("dead_letter")
    assert dead.detail["result"] == "undelivered"


@pytest.mark.parametrize("what", ["commit", "mailbox:put", "mailbox:settle"])
async def test_the_store_fails_while_a_dead_letter_is_written(house: House, what: str) -> None:
    """It is written once and told once."""
    uplink = Uplink(channel="sms", message_id="m1", sender=STRANGER, text="帮助", at=house.clock.now())
    await house.engine.answering.answer(uplink, house.clock.now())
    house.vendors.sms.faults.put(Fault.REFUSE, code=400)
    await house.engine.courier.step(house.clock.now(), everywhere=True)
    await house.engine.courier.sender.idle()
    house.door.failing = [what]
    with pytest.raises(StoreUnavailableError):
        await house.record()
    await house.engine.rest()
    assert len(await house.loose_journal("dead_letter")) == 1
    assert len(house.at(KEEPER_MAIL)) == 1


async def test_a_crash_between_a_refusal_and_its_record(house: House) -> None:
    await post(house)
    house.vendors.mail.received.clear()
    house.vendors.mail.refuses[KEEPER_MAIL] = REFUSED
    await house.engine.take([unreadable(2)])
    await house.engine.fanout.step(house.clock.now())
    await house.engine.courier.step(house.clock.now(), everywhere=True)
    await house.engine.courier.sender.idle()
    house.door.failing = ["mailbox:settle"]
    with pytest.raises(StoreUnavailableError):
        await house.record()
    await house.crash()
    await house.wait(61 * SECOND)
    assert len(house.texts(KEEPER)) == 1


async def test_both_of_a_maintainers_ways_are_broken(house: House) -> None:
    """Nobody can be told that SMS is broken but the duty room's group stands; the words about words end."""
    house.vendors.mail.refuses[KEEPER_MAIL] = REFUSED

    def edit(text: str) -> str:
        return text.replace('username = "fenghuo"', 'username = "stranger"')

    house.reload(edit)
    await house.alarm()
    dead = await house.loose_journal("dead_letter")
    assert any(entry.notice.startswith("broken.sms.") for entry in dead)
    assert await house.engine.mailboxes.next_at() is None


async def test_a_maintainer_with_one_way_only_and_it_is_broken(store: Store, tmp_path: Path) -> None:
    """Then the duty room's group hears that the channel is broken."""

    def edit(text: str) -> str:
        text = text.replace('{ channel = "mail", address = "keeper@example.cn" }, ', "")
        return text.replace('username = "fenghuo"', 'username = "stranger"')

    async with house_on(store, tmp_path, edit) as house:
        await house.alarm()
        await house.alarm(point="DC01-P01")
        assert len([text for text in house.texts(ROOM) if "渠道 sms 无法使用" in text]) == 1


async def test_thirty_unreadable_items_are_few_messages_for_a_group(house: House) -> None:
    """Every one of them is told, within the vendor's window."""
    await house.engine.take([unreadable(number) for number in range(30)])
    await house.engine.rest()
    await house.wait(2 * MINUTE)
    assert sum(text.count("可能是真实报警") for text in house.texts(ROOM)) == 30
    assert len(house.at(ROOM)) < 18
    assert len(house.at(KEEPER_MAIL)) == 30


async def test_two_people_who_share_a_way_are_not_lost_between_them(store: Store, tmp_path: Path) -> None:
    """One's second way is the other's third: where all are refused, each fall is seen to its own end."""

    def edit(text: str) -> str:
        text = text.replace('people = ["keeper"]', 'people = ["keeper", "other"]')
        ways = [("sms", "13800130052"), ("mail", "other@example.cn"), ("sms", KEEPER)]
        listed = ", ".join(f'{{ channel = "{channel}", address = "{address}" }}' for channel, address in ways)
        return f'{text}\n[[people]]\nid = "other"\nname = "维护二"\ncontacts = [{listed}]\n'

    async with house_on(store, tmp_path, edit) as house:
        house.vendors.mail.refuses = {KEEPER_MAIL: REFUSED, "other@example.cn": REFUSED}
        house.vendors.sms.faults.put(Fault.REFUSE, times=50, code=400)
        await post(house)
        dead = [entry.notice for entry in await house.loose_journal("dead_letter") if entry.notice.startswith("q.")]
        assert {"1", "2"} <= {notice.rpartition(".")[2] for notice in dead}
        assert await house.engine.mailboxes.next_at() is None
