"""The examples of what commands print about vendors: how channels fare, what came of a test, and what was sent again
after a gateway had refused everything."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bot.channel_states import channels_now
from bot.deadletters import DeadLetters
from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from bot.trials import TrialDesk, TrialReport
from channels.channel import ReceiptKind, Report
from escalation.vocabulary import Level
from tests.workers.house import MINUTE, OFFICER_MAIL, OPERATOR, SECOND, STEEL, House, house_on

POINTS = ("DC01-T01", "DC01-T02", "DC01-T03")
COUNTY_GROUP = "county-group"
STEEL_OPERATOR = "13800130005"
TRIAL = "trial.5f0c1d2e3a4b"
"""A test's id is drawn; this one's is given, so that the example is the same in every run."""


async def sent(store: Store, folder: Path) -> dict[str, msgspec.Struct]:
    """The examples by name, from a run on an empty store."""
    async with house_on(store, folder) as house:
        return {"send-test": await _test(house)} | await _swept(house) | await _channels(house)


async def _test(house: House) -> TrialReport:
    """To somebody with a phone, which gets it, and a mailbox that is not known any more."""
    house.vendors.mail.refuses[OFFICER_MAIL] = "550 5.1.1 no such mailbox"
    engine = house.engine
    desk = TrialDesk(engine.ledger, engine.trials, lambda: engine.rules, engine.hand)
    now = house.clock.now()
    await desk.ask(desk.wanted("lin", ["sms", "mail"], now), by="fenghuo", now=now, identity=TRIAL)
    await engine.rest()
    asked = await desk.look(TRIAL)
    assert asked is not None
    phone = next(each.notice for each in asked.messages if each.channel == "sms")
    house.push(2 * SECOND)
    await engine.report([Report("sms", phone, "", ReceiptKind.DELIVERED, house.clock.now(), "DELIVRD")])
    report = await desk.look(TRIAL)
    assert report is not None
    return report


async def _swept(house: House) -> dict[str, msgspec.Struct]:
    """A gateway refuses the text messages of two enterprises; until it is mended one of them has signed by mail."""
    house.push(MINUTE)
    house.vendors.sms.faults.put(Fault.REFUSE, times=100, code=400)
    await house.alarm(point="DC01-P01")
    code = await house.alarm(enterprise=STEEL, point="BF1-CO-03")
    house.vendors.sms.faults.clear()
    house.push(MINUTE)
    await house.says(STEEL_OPERATOR, f"签收 {code}")
    letters = DeadLetters(house.engine.ledger, house.engine.rules.context)
    swept = await letters.replay_all("sms", by="周值守", why="网关已恢复", now=house.clock.now())
    await house.engine.rest()
    return {"dead-swept": swept}


async def _channels(house: House) -> dict[str, msgspec.Struct]:
    """A number that its gateway bars, and the county's group whose robot was removed."""
    house.vendors.sms.barred[OPERATOR] = 0
    robots = house.vendors.wecom.robots
    house.vendors.wecom.robots = {key: name for key, name in robots.items() if name != COUNTY_GROUP}
    for point in POINTS:
        house.push(MINUTE)
        await house.alarm(point=point)
    await house.warning(Level.ORANGE)
    return {"channels": await channels_now(house.engine, house.engine.tally, house.clock.now())}
