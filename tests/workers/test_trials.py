"""Test messages on the workers' way: their ends, whichever worker writes them, and none of them a dead letter."""

from __future__ import annotations

from bot.channel_states import channels_now
from bot.demo.simulators.vendor import Fault
from bot.engine import Engine
from bot.tally import Tally
from bot.trials import TrialDesk, TrialLine
from bot.workers.letters import TRIAL_LIFE
from channels.channel import ReceiptKind, Report
from escalation.ledger.trials import KEPT
from tests.workers.house import HOUR, KEEPER_MAIL, MINUTE, OFFICER, OPERATOR, SECOND, House

BAI, LIN = "bai", "lin"


def desk_of(engine: Engine) -> TrialDesk:
    return TrialDesk(engine.ledger, engine.trials, lambda: engine.rules, engine.hand)


async def ask(house: House, to: str, *channels: str, identity: str = "") -> str:
    desk, now = desk_of(house.engine), house.clock.now()
    asked = await desk.ask(desk.wanted(to, channels, now), by="tester", now=now, identity=identity)
    await house.engine.rest()
    return asked


async def line(house: House, identity: str, channel: str = "sms") -> TrialLine:
    report = await desk_of(house.engine).look(identity)
    assert report is not None
    (found,) = [each for each in report.messages if each.channel == channel]
    return found


async def test_what_a_vendor_tells_later_ends_a_test(house: House) -> None:
    asked = await ask(house, BAI)
    before = await line(house, asked)
    assert (before.verdict, before.over, before.word) == ("accepted", False, "对方已受理，送达回执未到")
    report = Report("sms", before.notice, "", ReceiptKind.UNDELIVERED, house.clock.now(), "UNDELIV 空号")
    assert await house.engine.report([report]) == 1
    after = await line(house, asked)
    assert (after.verdict, after.well, after.over, after.said) == ("undelivered", False, True, "UNDELIV 空号")


async def test_a_test_waits_like_any_message_and_is_given_up_when_it_is_old(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=1000)
    asked = await ask(house, BAI)
    assert (await line(house, asked)).verdict == "waiting"
    await house.wait(TRIAL_LIFE + 2 * MINUTE)
    end = await line(house, asked)
    assert (end.verdict, end.over) == ("too_late", True)
    house.vendors.sms.faults.clear()
    await house.wait(HOUR)
    assert house.texts(OPERATOR) == [], "nobody is woken by a test of yesterday"
    assert await house.engine.ledger.dead_letters() == []


async def test_a_test_asks_the_vendor_whatever_rests_and_ends_the_rest(house: House) -> None:
    house.vendors.sms.barred[OPERATOR] = 0
    for _ in range(4):
        house.push(SECOND)
        asked = await ask(house, BAI)
        assert (await line(house, asked)).verdict == "refused"
    assert house.vendors.sms.barred[OPERATOR] == 4
    (sms,) = [
        each for each in (await channels_now(house.engine, Tally(), house.clock.now())).channels if each.name == "sms"
    ]
    assert sms.state is not None
    assert [(each.address, each.refusals) for each in sms.state.resting] == [("138****0001", 4)]
    assert await house.engine.ledger.dead_letters() == []


async def test_an_answer_that_is_lost_twice_is_no_success(house: House) -> None:
    house.vendors.sms.faults.put(Fault.DROP_AFTER, times=2)
    asked = await ask(house, BAI)
    assert (await line(house, asked)).verdict == "waiting"
    await house.wait(MINUTE)
    end = await line(house, asked)
    assert (end.verdict, end.well, end.over, end.tries) == ("unclear", False, True, 2)


async def test_one_identity_is_one_test_whoever_asks(house: House) -> None:
    for engine in (house.engine, await house.another()):
        house.engine = engine
        assert await ask(house, LIN, identity="trial.daily.20261118") == "trial.daily.20261118"
    assert len(house.texts(OFFICER)) == 1
    house.push(KEPT + SECOND)
    await ask(house, BAI)
    assert await house.engine.trials.find("trial.daily.20261118") is None, "an old one is forgotten with its ends"
    assert await house.door.execute("HLEN", "fh:trials") == 2


async def test_a_test_by_mail_says_what_it_is(house: House) -> None:
    await ask(house, "keeper", "mail")
    (mail,) = house.at(KEEPER_MAIL)
    assert mail.subject == "【测试】渠道测试，无需处置"
    assert mail.text.startswith("【测试】渠道测试，无需处置。")
