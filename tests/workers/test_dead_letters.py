"""Dead letters: kept when nothing more can be done, sent again or let go by a person, and each of it in the journal."""

from __future__ import annotations

import re

import pytest

from bot.deadletters import DeadLetters, DeadLine, NotDone
from bot.demo.simulators.vendor import Fault
from channels.channel import Uplink
from escalation.notice import NoticeState
from tests.workers.house import KEEPER_MAIL, MINUTE, OPERATOR, House

NEW_NUMBER = "13900130077"
STRANGER = "13900130099"


def desk(house: House) -> DeadLetters:
    return DeadLetters(house.engine.ledger, house.engine.rules.context)


async def only(house: House) -> DeadLine:
    found = await desk(house).list()
    assert (found.total, len(found.letters)) == (1, 1)
    return found.letters[0]


async def a_dead_letter(house: House) -> tuple[str, DeadLine]:
    """Both phones refuse: the officer hears by mail, the operator has no other contact."""
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=400)
    code = await house.alarm()
    return code, await only(house)


async def test_a_letter_says_for_whom_and_why_and_shortens_the_number(house: House) -> None:
    code, letter = await a_dead_letter(house)
    assert (letter.incident, letter.kind_word, letter.result) == (code, "首次通知", "refused_recipient")
    assert letter.names == ["白木匠"]
    assert letter.address == f"{OPERATOR[:3]}****{OPERATOR[-4:]}"
    assert OPERATOR not in str(letter)
    assert await desk(house).show(letter.notice) == letter
    assert await desk(house).show("A0001.1.s1.x") is None


async def test_with_the_number_mended_it_is_sent_again_once_under_a_new_id(house: House) -> None:
    code, letter = await a_dead_letter(house)
    house.reload(lambda text: text.replace(OPERATOR, NEW_NUMBER))
    done = await desk(house).replay(letter.notice, by="周值守", why="号码已更正", now=house.clock.now())
    assert done is not None
    (sent,) = done.sent
    assert sent != letter.notice
    await house.engine.rest()
    assert [code in text for text in house.texts(NEW_NUMBER)] == [True]
    assert house.at(OPERATOR) == []
    incident = await house.incident(code)
    assert incident.notices[sent].state is NoticeState.SUBMITTED
    assert incident.notices[letter.notice].state is NoticeState.DEAD
    (entry,) = await house.journal(code, "dead_replayed")
    assert (entry.actor, entry.notice, entry.detail["why"]) == ("周值守", letter.notice, "号码已更正")
    assert (await desk(house).list()).total == 0
    assert await desk(house).replay(letter.notice, by="周值守", why="再来", now=house.clock.now()) is None


async def test_two_who_decide_at_once_and_one_decision(house: House) -> None:
    _, letter = await a_dead_letter(house)
    found = (await house.engine.ledger.dead_letters())[0]
    first, second = desk(house), desk(house)

    async def as_seen_before(_notice: str) -> object:
        return found

    object.__setattr__(second, "_find", as_seen_before)
    assert await first.drop(letter.notice, by="甲", why="人已离职", now=house.clock.now()) is not None
    with pytest.raises(NotDone, match="刚刚已被处理"):
        await second.replay(letter.notice, by="乙", why="再试", now=house.clock.now())
    await house.wait(MINUTE)
    assert house.at(OPERATOR) == []


async def test_a_commit_whose_answer_was_lost_sends_it_once(house: House) -> None:
    code, letter = await a_dead_letter(house)
    house.door.losing.append("commit")
    assert await desk(house).replay(letter.notice, by="甲", why="再试", now=house.clock.now()) is not None
    assert house.door.failed == 1
    await house.engine.rest()
    assert len(house.at(OPERATOR)) == 1
    assert len(await house.journal(code, "dead_replayed")) == 1


async def test_what_is_dropped_is_not_sent_and_the_journal_says_who_let_it_go(house: House) -> None:
    code, letter = await a_dead_letter(house)
    done = await desk(house).drop(letter.notice, by="周值守", why="人已离职", now=house.clock.now())
    assert done is not None
    assert done.sent == []
    await house.wait(MINUTE)
    assert house.at(OPERATOR) == []
    (entry,) = await house.journal(code, "dead_dropped")
    assert (entry.actor, entry.detail["why"]) == ("周值守", "人已离职")
    assert (await desk(house).list()).total == 0


async def test_what_nobody_needs_any_more_is_not_sent_again(house: House) -> None:
    code, letter = await a_dead_letter(house)
    house.push(1000)
    await house.says("13800130003", f"签收 {code}")
    with pytest.raises(NotDone, match=re.escape("已有人签收")):
        await desk(house).replay(letter.notice, by="甲", why="再试", now=house.clock.now())
    assert (await only(house)).notice == letter.notice


async def test_an_answer_that_was_refused_is_sent_again_with_the_same_words(house: House) -> None:
    uplink = Uplink(channel="sms", message_id="m1", sender=STRANGER, text="帮助", at=house.clock.now())
    await house.engine.answering.take([uplink], house.clock.now())
    house.vendors.sms.faults.put(Fault.REFUSE, code=400)
    await house.engine.rest()
    letter = await only(house)
    assert (letter.incident, letter.kind_word, letter.names) == ("", "答复", [])
    done = await desk(house).replay(letter.notice, by="甲", why="网关已恢复", now=house.clock.now())
    assert done is not None
    assert done.sent != [letter.notice]
    await house.engine.rest()
    assert [text.removeprefix("【青河应急】") for text in house.texts(STRANGER)] == [letter.text]
    assert len(house.at(KEEPER_MAIL)) == 1, "only of the first"
    (entry,) = await house.loose_journal("dead_replayed")
    assert entry.notice == letter.notice


async def test_a_letter_that_dies_again_is_another_letter(house: House) -> None:
    _, letter = await a_dead_letter(house)
    house.vendors.sms.faults.put(Fault.REFUSE, code=400)
    done = await desk(house).replay(letter.notice, by="甲", why="再试", now=house.clock.now())
    assert done is not None
    await house.engine.rest()
    assert [(await only(house)).notice] == done.sent
