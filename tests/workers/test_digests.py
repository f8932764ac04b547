"""Many notices for one group: digests within the vendor's window, frozen at the claim; critical ones always single."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from bot.demo.simulators.vendor import Fault, Received
from bot.store.client import Store
from bot.storehouse import SHARDS
from bot.workers.letters import FrozenDigest
from escalation.event import EventType
from escalation.ledger.keys import Mailbox, mailbox_keys, shard_of
from escalation.vocabulary import Level, Mode
from tests.workers.house import MINUTE, OFFICER, SECOND, House, codes_of, house_on, with_works, works

LEASE = 61 * SECOND
PER_MINUTE = 18


async def issue(house: House, level: Level, enterprises: Sequence[str], mode: Mode = Mode.ACTUAL) -> list[str]:
    """Warnings of one level, all at this moment, not sent yet; their codes."""
    kind = EventType.WARNING_ISSUED
    return await house.take([house.event(kind, each, level=level, mode=mode) for each in enterprises])


def busiest(received: Sequence[Received]) -> int:
    """The most messages in any minute."""
    times = sorted(each.at for each in received)
    return max(sum(1 for at in times if start <= at < start + MINUTE) for start in times)


def without_county_group(text: str) -> str:
    assert text.count('contacts = [{ channel = "county-group" }]\n') == 1
    return text.replace('contacts = [{ channel = "county-group" }]\n', "")


async def test_sixty_warnings_of_one_town_are_told_in_a_few_messages(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(60)) as house:
        codes = await issue(house, Level.YELLOW, works(60))
        await house.engine.rest()
        await house.wait(5 * MINUTE)
        for group in ("hedong-group", "county-group"):
            assert sorted(codes_of(house.texts(group))) == sorted(codes)
            assert len(house.at(group)) < 10
            assert busiest(house.at(group)) <= PER_MINUTE
        for code in codes:
            assert not await house.journal(code, "receipt_throttled")
            assert all(each.state.reached_vendor for each in (await house.incident(code)).notices.values())


def few_texts(text: str) -> str:
    """Six text messages a minute to one number."""
    return text.replace('kind = "sms_kannel"\n', 'kind = "sms_kannel"\nper_minute = 6\nreserve = 2\n')


async def test_a_phone_that_takes_few_texts_gets_red_first_and_the_rest_merged(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(21), few_texts) as house:
        yellow = await issue(house, Level.YELLOW, works(21)[:20])
        red = await issue(house, Level.RED, works(21)[20:])
        await house.engine.rest()
        assert red[0] in codes_of(house.texts(OFFICER)), "at once"
        assert len(set(codes_of(house.texts(OFFICER)))) < 21, "the others wait for the next minute"
        await house.wait(5 * MINUTE)
        texts = house.at(OFFICER)
        told = [code for code in codes_of(each.text for each in texts) if code not in red]
        assert sorted(told) == sorted(yellow), "each once"
        assert busiest(texts) <= 6
        assert len(texts) < 12


async def test_critical_ones_are_single_and_at_once_beside_a_flood(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(43)) as house:
        copied = await issue(house, Level.ORANGE, works(43)[:40])
        red = await issue(house, Level.RED, works(43)[40:])
        await house.engine.rest()
        single = {code: each for each in house.at("city-group") for code in [",".join(codes_of([each.text]))]}
        assert [single[code].at for code in red] == [house.clock.now()] * 3
        await house.wait(2 * MINUTE)
        together = [text for text in house.texts("city-group") if len(codes_of([text])) > 1]
        assert together
        assert not set(codes_of(together)) & set(red)
        assert sorted(codes_of(house.texts("city-group"))) == sorted([*copied, *red])


async def test_more_critical_ones_than_the_window_holds_are_listed_and_then_told_singly(
    store: Store, tmp_path: Path
) -> None:
    async with house_on(store, tmp_path, with_works(25)) as house:
        codes = await issue(house, Level.RED, works(25))
        await house.engine.rest()
        first = house.texts("city-group")
        (listing,) = [text for text in first if "发送受限" in text]
        told = codes_of(text for text in first if text is not listing)
        assert len(first) == PER_MINUTE
        assert sorted([*told, *codes_of([listing])]) == sorted(codes)
        await house.wait(2 * MINUTE)
        assert sorted(codes_of(text for text in house.texts("city-group") if text is not listing)) == sorted(codes)
        assert busiest(house.at("city-group")) <= PER_MINUTE


async def test_a_listing_never_mixes_a_drill_with_what_is_real(store: Store, tmp_path: Path) -> None:
    """The real ones are listed; what is signed meanwhile is not."""
    async with house_on(store, tmp_path, with_works(40)) as house:
        drill = await issue(house, Level.RED, works(40)[:20], Mode.EXERCISE)
        real = await issue(house, Level.RED, works(40)[20:])
        house.push(SECOND)
        await house.says("13800130041", f"签收 {real[-1]}")
        await house.engine.rest()
        (listing,) = [text for text in house.texts("city-group") if "发送受限" in text]
        assert not listing.startswith("【演练】")
        assert codes_of([listing])
        assert set(codes_of([listing])) <= set(real[:-1])
        await house.wait(3 * MINUTE)
        singles = [text for text in house.texts("city-group") if "须处置" in text]
        assert {code for text in singles if text.startswith("【演练】") for code in codes_of([text])} == set(drill)
        assert {code for text in singles if not text.startswith("【") for code in codes_of([text])} == set(real[:-1])


@pytest.mark.parametrize("fault", [Fault.HANG, None], ids=["before the send", "between send and record"])
async def test_a_digest_is_the_same_after_a_crash(store: Store, tmp_path: Path, fault: Fault | None) -> None:
    """The hub dies with a digest in flight. One of its warnings is signed before the claim runs out: its members and
    its bytes stay what they were."""
    async with house_on(store, tmp_path, with_works(30), without_county_group) as house:
        codes = await issue(house, Level.YELLOW, works(30))
        await house.engine.fanout.step(house.clock.now())
        if fault is not None:
            house.vendors.wecom.faults.put(fault)
        await house.engine.courier.step(house.clock.now(), everywhere=True)
        frozen = (await frozen_at(house, "hedong-group")).letters
        assert all(each.id.isprintable() for each in frozen), "a vendor writes it back into its report"
        if fault is not None:
            await house.vendors.wecom.faults.wait_for(fault)
        else:
            await house.vendors.wecom.inbox.wait_for(1)
            await house.engine.courier.sender.idle()
        await house.crash()
        house.push(SECOND)
        signed = frozen[0].notices[0][0]
        await house.says("13800130021", f"签收 {signed}")
        await house.wait(LEASE)
        sent = [text for text in house.texts("hedong-group") if signed in text and "须处置" in text]
        assert sent == [frozen[0].text] * (1 if fault is not None else 2)
        assert codes_of(sent[:1]) == [code for code, _ in frozen[0].notices]
        assert set(codes_of(house.texts("hedong-group"))) == set(codes)


async def test_a_digest_is_one_message_and_never_mixes_a_drill_with_what_is_real(store: Store, tmp_path: Path) -> None:
    """It took one token. What does not stand in it takes its own, and waits for it."""
    async with house_on(store, tmp_path, with_works(30), without_county_group) as house:
        real = await issue(house, Level.YELLOW, works(30))
        drill = await issue(house, Level.YELLOW, works(30), Mode.EXERCISE)
        house.vendors.wecom.faults.put(Fault.STATUS_500, times=2)
        await house.engine.rest()
        await house.wait(5 * MINUTE)
        texts = house.texts("hedong-group")
        assert sorted(codes_of(texts)) == sorted([*real, *drill]), "each once"
        assert house.vendors.wecom.faults.happened[Fault.STATUS_500] == 2
        assert busiest(house.at("hedong-group")) <= PER_MINUTE
        for text in texts:
            assert set(codes_of([text])) <= set(drill if text.startswith("【演练】") else real)


async def test_a_throttled_digest_keeps_what_does_not_stand_in_it_back(store: Store, tmp_path: Path) -> None:
    """The vendor said that it is enough: what else waits there waits for the end of the rest as well."""
    async with house_on(store, tmp_path, with_works(10), without_county_group) as house:
        codes = await issue(house, Level.YELLOW, works(10)) + await issue(house, Level.YELLOW, works(10), Mode.EXERCISE)
        house.vendors.wecom.faults.put(Fault.REFUSE, code=45009)
        await house.engine.rest()
        assert house.texts("hedong-group") == []
        await house.wait(2 * MINUTE)
        assert sorted(codes_of(house.texts("hedong-group"))) == sorted(codes)


async def test_a_call_by_name_is_a_message_of_the_window(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages go before calls: together they are never more than the vendor takes in a minute."""
    # No pauses: else the window would not be full before what waits shares a message.
    monkeypatch.setattr("bot.workers.limits.UNPACED", 18)
    async with house_on(store, tmp_path, with_works(16), without_county_group, with_officer_in_group) as house:
        codes = await issue(house, Level.YELLOW, works(16)[:1])
        await house.engine.rest()
        told, called = house.texts("hedong-group")
        assert (codes_of([told]), "@13800130021" in told, "@13800130021" in called) == (codes, False, True)
        codes += await issue(house, Level.YELLOW, works(16)[1:12])
        await house.engine.rest()
        texts = house.texts("hedong-group")
        reserve = 4
        assert len(texts) == PER_MINUTE - reserve, "no more than what normal messages may use"
        assert set(codes_of(text for text in texts if "@" not in text)) == set(codes), (
            "each is told; calls are left out"
        )


async def test_a_digest_of_which_all_was_done_meanwhile_is_not_sent(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(16), without_county_group) as house:
        codes = await issue(house, Level.YELLOW, works(16))
        house.vendors.wecom.faults.put(Fault.REFUSE, code=45009)
        await house.engine.rest()
        house.push(SECOND)
        for code in codes:
            await house.says("13800130021", f"签收 {code}")
        await house.wait(2 * MINUTE)
        assert not [text for text in house.texts("hedong-group") if "须处置" in text]
        for code in codes:
            dropped = await house.journal(code, "receipt_dropped")
            assert "signed_meanwhile" in [entry.detail["detail"] for entry in dropped]


async def test_a_digest_the_vendor_refuses_leaves_as_a_list_of_codes(store: Store, tmp_path: Path) -> None:
    """One enterprise's name must not keep the others' warnings from their readers."""
    async with house_on(store, tmp_path, with_works(16), without_county_group) as house:
        codes = await issue(house, Level.YELLOW, works(16))
        house.vendors.wecom.faults.put(Fault.REFUSE, code=40058)
        await house.engine.rest()
        (text,) = house.texts("hedong-group")
        assert sorted(codes_of([text])) == sorted(codes)
        assert "河东" not in text


async def test_a_storm_becomes_few_messages_and_each_is_told_within_seconds(store: Store, tmp_path: Path) -> None:
    """Three hundred warnings, thirty every tenth of a second: the group is told all of it in a handful of messages."""
    async with house_on(store, tmp_path, with_works(300), without_county_group) as house:
        codes: list[str] = []
        begun = house.clock.now()
        for part in range(10):
            codes += await issue(house, Level.YELLOW, works(300)[30 * part : 30 * part + 30])
            await house.engine.rest()
            house.push(100)
        while set(codes_of(house.texts("hedong-group"))) != set(codes):
            await house.wait(100)
        texts = house.texts("hedong-group")
        assert sorted(codes_of(texts)) == sorted(codes), "each once"
        assert len(texts) <= 12
        assert house.clock.now() - begun <= 5 * SECOND


async def test_few_warnings_come_singly_and_at_once(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(4), without_county_group) as house:
        await issue(house, Level.YELLOW, works(4))
        await house.engine.rest()
        assert len(house.texts("hedong-group")) == 4


def with_officer_in_group(text: str) -> str:
    """The town's officer reads the group in person, and so is called by name there."""
    text = text.replace('contacts = [{ channel = "hedong-group" }]\npeople', "people")
    return text.replace(
        'contacts = [{ channel = "sms", address = "13800130021" }',
        'contacts = [{ channel = "hedong-group" }, { channel = "sms", address = "13800130021" }',
    )


async def frozen_at(house: House, channel: str) -> FrozenDigest:
    """The one frozen digest of a group."""
    mailbox = Mailbox(channel, "")
    flat = await house.door.execute("HGETALL", mailbox_keys(mailbox, shard_of(mailbox, SHARDS)).facts)
    (found,) = [flat[i + 1] for i in range(0, len(flat), 2) if flat[i].startswith(b"z:")]
    return msgspec.json.decode(found, type=FrozenDigest)
