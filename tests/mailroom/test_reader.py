"""A mailbox's reader: killed at every step, kept from the store, beside another one, refused by its server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from bot.demo.replies import reply
from bot.mailroom import reader as module
from bot.mailroom.trouble import PATIENCE
from channels.channel import Window
from channels.mail import Driver, headers, incoming
from escalation.event import EventType
from escalation.ledger.breakers import Breakers
from escalation.ledger.keys import Mailbox
from escalation.ledger.leadership import Leadership
from escalation.ledger.marks import Mark, Marks
from escalation.vocabulary import Level
from tests.mail_answers import bounce
from tests.mailroom.conftest import LOGIN, Post
from tests.store.real_server import eventually
from tests.workers.house import KEEPER, KEEPER_MAIL, MINUTE, OFFICER, OFFICER_MAIL, codes_of, with_works, works

DAY = 86_400_000


async def test_an_answer_is_taken_marked_and_acts(post: Post) -> None:
    code, mail = await post.told()
    post.start()
    await post.box.until(await post.answered(mail, "1"))
    assert await post.deeds(code) == ["sign"]
    assert any("已记录签收" in text for text in post.house.texts(OFFICER_MAIL))


async def _before_it_is_kept(post: Post) -> None:
    reached = asyncio.Event()

    async def hold() -> None:
        reached.set()
        await asyncio.Event().wait()

    post.house.door.before["inbox_put"] = hold
    await reached.wait()
    post.house.door.before.clear()


async def _before_it_is_marked(post: Post) -> None:
    await post.box.held.wait()


async def _after_it_is_marked(post: Post) -> None:
    await post.box.until(1)


@pytest.mark.parametrize("where", [_before_it_is_kept, _before_it_is_marked, _after_it_is_marked])
async def test_a_hub_that_dies_there_takes_the_answer_once(
    post: Post, where: Callable[[Post], Coroutine[Any, Any, None]]
) -> None:
    code, mail = await post.told()
    post.box.holding = where is _before_it_is_marked
    dying = asyncio.create_task(where(post))
    await asyncio.sleep(0)
    first = post.start()
    await post.answered(mail, "1")
    await dying
    await post.kill(first)
    done = await post.deeds(code)
    assert done == ([] if where is _before_it_is_kept else ["sign"])
    if where is not _after_it_is_marked:
        assert post.box.mails[0].flags == set()
    post.box.holding = False
    post.start("hub-b")
    last = await post.answered(mail, "处置 已停机")
    await post.box.until(last)
    await post.box.until(1)
    assert await post.deeds(code) == ["sign", "dispose"]
    assert sum("已记录签收" in text for text in post.house.texts(OFFICER_MAIL)) == 1


async def test_a_store_that_does_not_take_it_leaves_the_mail_unread(post: Post) -> None:
    code, mail = await post.told()
    door = post.house.door
    door.failing += ["inbox_put"] * 2
    post.start()
    uid = await post.answered(mail, "1")
    await post.box.until(uid)
    assert door.failed == 2
    door.losing.append("inbox_put")
    await post.box.until(await post.answered(mail, "处置 已停机"))
    assert await post.deeds(code) == ["sign", "dispose"]


async def test_one_hub_reads_and_the_next_takes_over(post: Post) -> None:
    code, mail = await post.told()
    first = post.start("hub-a")
    await post.logged_in(1)
    post.start("hub-b")
    await post.box.until(await post.answered(mail, "1"))
    assert post.log_ins() == 1
    await post.kill(first)
    await post.logged_in(2)
    await post.box.until(await post.answered(mail, "处置 已停机"))
    assert await post.deeds(code) == ["sign", "dispose"]


async def test_a_mailbox_with_other_numbers_is_read_again_and_nothing_is_doubled(post: Post) -> None:
    code, mail = await post.told()
    post.start()
    await post.box.until(await post.answered(mail, "1"))
    assert await post.deeds(code) == ["sign"]
    post.box.renumber(7)
    post.box.hang_up()
    await post.box.until(await post.answered(mail, "处置 已停机"))
    assert await post.deeds(code) == ["sign", "dispose"]
    assert sum(each.startswith("UID SEARCH SINCE") for each in post.box.commands) == 2


async def test_what_came_long_before_the_first_reader_is_nobodys_answer(post: Post) -> None:
    code, mail = await post.told()
    await post.answered(mail, "1")
    post.box.mails[0].at -= 3 * DAY
    post.start()
    await post.box.until(await post.answered(mail, "处置 已停机"))
    assert "sign" not in await post.deeds(code)
    assert post.box.mails[0].flags == set()


async def test_a_returned_mail_is_told_another_way_and_the_same_twice_is_once(post: Post) -> None:
    code, mail = await post.told()
    notices = (await post.house.incident(code)).notices.values()
    post.start()
    for action, status in (("delayed", "4.4.1"), ("failed", "5.1.1"), ("failed", "5.1.1")):
        await post.box.until(await post.box.deliver(bounce(mail, action, status)))
    await post.house.engine.rest()
    incident = await post.house.incident(code)
    failed = [
        each for each in incident.notices.values() if each.contact.address == OFFICER_MAIL and not each.state.hopeful
    ]
    assert len(failed) == 1
    assert failed[0].detail.startswith("退信 5.1.1")
    assert len(await post.house.journal(code, "receipt_undelivered")) == 1
    assert len(incident.notices) > len(notices) or any(OFFICER in each.contact.address for each in notices)


async def test_a_forged_name_does_nothing_and_its_owner_hears_once_a_day(post: Post) -> None:
    code, mail = await post.told()
    post.start()
    for _ in range(3):
        await post.box.until(await post.box.deliver(reply(mail, "1", proven=False)))
    assert await post.deeds(code) == []
    said = [text for text in post.house.texts(OFFICER_MAIL) if "答复凭据，无法确认" in text]
    assert len(said) == 1
    assert len(await post.house.loose_journal("reply_unproven")) == 3


async def test_a_mail_that_cannot_be_read_is_left_for_people(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    code, mail = await post.told()
    real = headers.parsed

    def sometimes(raw: bytes) -> object:
        if b"broken" in raw:
            raise RecursionError
        return real(raw)

    monkeypatch.setattr(incoming, "parsed", sometimes)
    post.start()
    await post.box.deliver(b"From: a@example.cn\r\nSubject: broken\r\n\r\n1\r\n")
    await post.box.until(await post.answered(mail, "1"))
    assert post.box.mails[0].flags == set()
    assert await post.deeds(code) == ["sign"]


async def test_a_mail_that_its_server_does_not_hand_out_holds_nobody_up(post: Post) -> None:
    code, mail = await post.told()
    post.start()
    post.box.refuses.add(1)
    await post.box.deliver(b"x")
    await post.box.until(await post.answered(mail, "1"))
    assert await post.deeds(code) == ["sign"]
    fetches = [each for each in post.box.commands if each.startswith("UID FETCH 1 ")]
    assert len(fetches) == module.TRIES


async def test_machines_that_answer_each_other_end(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_ONE", 3)
    code, mail = await post.told()
    post.start()
    last = 0
    for word in "甲乙丙丁戊己":
        last = await post.answered(mail, f"感谢来信{word}")
    # Whatever else they write, an accident is heard.
    await post.box.until(await post.answered(mail, "着火了"))
    assert await post.deeds(code) == []
    assert [each.uid for each in post.box.mails if not each.flags] == [last - 2, last - 1, last]
    assert sum("没有看懂" in text for text in post.house.texts(OFFICER_MAIL)) == 3
    post.house.push(3_600_000)
    await post.box.until(await post.answered(mail, "1"))
    assert await post.deeds(code) == ["sign"]


async def test_a_wrong_password_is_told_once_across_hubs_and_once_when_it_works(post: Post) -> None:
    post.box.login = (LOGIN[0], "changed")
    for hub in ("hub-a", "hub-b"):
        task = post.start(hub)
        tried = post.log_ins()
        await post.logged_in(tried + 3)
        await post.kill(task)
    await post.house.engine.rest()
    told = [text for text in post.house.texts(KEEPER) if "收信邮箱无法读取" in text]
    assert len(told) == 1
    assert "登录被拒" in told[0]
    assert "fake" not in told[0]
    post.box.login = LOGIN
    post.start()

    async def healed() -> bool:
        return bool(await post.house.loose_journal("mailbox_read_again"))

    await eventually(healed)
    await post.house.engine.rest()
    assert sum("收信邮箱已恢复" in text for text in post.house.texts(KEEPER_MAIL)) == 1


async def test_a_line_that_breaks_is_told_only_when_it_lasts(post: Post) -> None:
    post.box.refuses_lines = True
    post.start()
    marks = Marks(post.house.door)

    async def failing() -> bool:
        mark = await marks.load("mail")
        return mark is not None and mark.failing > 0

    await eventually(failing)
    assert await post.house.loose_journal("mailbox_unreadable") == []
    post.house.push(PATIENCE)

    async def told() -> bool:
        return len(await post.house.loose_journal("mailbox_unreadable")) == 1

    await eventually(told)


async def test_duties_are_led_apart_and_given_back(post: Post) -> None:
    door, now = post.house.door, post.house.clock.now()
    calendar = Leadership(door, "a")
    mine, others = Leadership(door, "a", duty="mail:x", lease=1000), Leadership(door, "b", duty="mail:x", lease=1000)
    assert await calendar.holds(now)
    assert await others.holds(now)
    assert not await mine.holds(now)
    await mine.give_up(now)
    assert not await mine.holds(now + 999)
    await others.give_up(now + 1)
    assert await mine.holds(now + 1)
    assert not await Leadership(door, "b").holds(now)


async def test_a_mark_comes_back_as_it_was(post: Post) -> None:
    marks = Marks(post.house.door)
    assert await marks.load("other") is None
    mark = Mark(box="b", at=1, validity=2, uid=3, failing=4, told=True)
    await marks.save("other", mark)
    assert await marks.load("other") == mark


def by_mail_first(text: str) -> str:
    """The officer of many small works is told by mail, and only else by phone."""
    mail, phone = (
        f'{{ channel = "{name}", address = "{to}" }}' for name, to in (("mail", OFFICER_MAIL), ("sms", OFFICER))
    )
    assert f"[{phone}, {mail}]" in text
    return with_works(20)(text.replace(f"[{phone}, {mail}]", f"[{mail}, {phone}]"))


async def test_a_returned_digest_is_told_another_way_for_each_and_counts_once_of_its_address(post: Post) -> None:
    house = post.house
    house.reload(by_mail_first)
    driver = house.engine.rules.channels["mail"]
    assert isinstance(driver, Driver)
    # Its server takes a few mails a minute for one mailbox.
    driver.abilities = replace(driver.abilities, windows=(Window(4, 60),))
    codes = await house.take([house.event(EventType.WARNING_ISSUED, each, level=Level.BLUE) for each in works(20)])
    await house.engine.rest()
    digest = next(mail for mail in house.at(OFFICER_MAIL) if len(set(codes_of([mail.text]))) > 3)
    inside = set(codes_of([digest.text]))
    assert inside <= set(codes)
    assert not any(code in text for text in house.texts(OFFICER) for code in inside)
    post.start()
    await post.box.until(await post.box.deliver(bounce(digest.raw)))
    await house.engine.rest()
    await house.wait(2 * MINUTE)
    assert inside <= set(codes_of(house.texts(OFFICER)))
    for code in inside:
        assert len(await house.journal(code, "receipt_undelivered")) == 1
    refused = await Breakers(house.door).read(now=house.clock.now())
    assert refused[Mailbox("mail", OFFICER_MAIL)].refusals == 1, "one returned mail, however many notices it held"
