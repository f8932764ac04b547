"""Every way a vendor may go wrong, on every channel: the documented outcome, who hears all the same, and a counter that
says that it really happened. ``docs/faults.md`` tells the same as a table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from escalation.inputs import SendResult
from escalation.vocabulary import Level
from tests.patience import Patience
from tests.workers.house import MINUTE, OFFICER, SECOND, STEEL, House, all_but, house_on
from tests.workers.test_outcomes import mail_first


class Case(NamedTuple):
    """One fault of one vendor: the result written down first, how often the vendor then has the message, and whether
    the reader's next channel carries it too. ``minutes`` is how long the vendor is given to take it after all, and
    ``times`` how often it goes wrong (a refused text is tried once more, plainer, and a refused template's text in the
    template for sentences)."""

    vendor: str
    fault: Fault
    result: SendResult
    copies: int = 1
    elsewhere: bool = False
    code: int | str = 0
    minutes: int = 2
    times: int = 1


ACCEPTED, TRANSIENT, THROTTLED = SendResult.SUBMITTED, SendResult.TRANSIENT, SendResult.THROTTLED
UNCERTAIN, RECIPIENT = SendResult.UNCERTAIN, SendResult.REFUSED_RECIPIENT
CONTENT, MISCONFIGURED = SendResult.REFUSED_CONTENT, SendResult.MISCONFIGURED

CASES = [
    Case("wecom", Fault.REFUSE, TRANSIENT, code=-1),
    Case("wecom", Fault.REFUSE, THROTTLED, code=45009),
    Case("wecom", Fault.REFUSE, ACCEPTED, code=40058),
    Case("wecom", Fault.REFUSE, CONTENT, copies=0, code=40058, times=2),
    Case("wecom", Fault.REFUSE, MISCONFIGURED, copies=0, code=93000),
    Case("wecom", Fault.STATUS_429, THROTTLED),
    Case("wecom", Fault.STATUS_500, TRANSIENT),
    Case("wecom", Fault.STATUS_504, UNCERTAIN),
    Case("wecom", Fault.REDIRECT, MISCONFIGURED, copies=0),
    Case("wecom", Fault.GARBAGE, UNCERTAIN),
    Case("wecom", Fault.DROP_BEFORE, UNCERTAIN),
    Case("wecom", Fault.DROP_AFTER, UNCERTAIN, copies=2),
    Case("wecom", Fault.HALF_BODY, UNCERTAIN, copies=2),
    Case("wecom", Fault.HANG, UNCERTAIN),
    Case("sms", Fault.REFUSE, RECIPIENT, copies=0, elsewhere=True, code=400),
    Case("sms", Fault.STATUS_429, THROTTLED),
    Case("sms", Fault.STATUS_500, TRANSIENT),
    Case("sms", Fault.STATUS_504, UNCERTAIN),
    Case("sms", Fault.REDIRECT, MISCONFIGURED, copies=0, elsewhere=True),
    Case("sms", Fault.GARBAGE, UNCERTAIN),
    Case("sms", Fault.DROP_BEFORE, UNCERTAIN),
    Case("sms", Fault.DROP_AFTER, UNCERTAIN, copies=2),
    Case("sms", Fault.HALF_BODY, UNCERTAIN, copies=2),
    Case("sms", Fault.HANG, UNCERTAIN),
    Case("mail", Fault.REFUSE, TRANSIENT, code=451),
    Case("mail", Fault.REFUSE, MISCONFIGURED, copies=0, elsewhere=True, code=530),
    Case("mail", Fault.STATUS_500, TRANSIENT),
    Case("mail", Fault.GARBAGE, UNCERTAIN),
    Case("mail", Fault.DROP_BEFORE, UNCERTAIN),
    Case("mail", Fault.DROP_AFTER, UNCERTAIN, copies=2),
    Case("mail", Fault.HANG, UNCERTAIN),
    Case("upstream", Fault.REFUSE, RECIPIENT, copies=0, code=410),
    Case("upstream", Fault.REFUSE, MISCONFIGURED, copies=0, code=401),
    Case("upstream", Fault.STATUS_429, THROTTLED),
    Case("upstream", Fault.STATUS_500, TRANSIENT),
    Case("upstream", Fault.STATUS_504, TRANSIENT),
    Case("upstream", Fault.REDIRECT, MISCONFIGURED, copies=0),
    Case("upstream", Fault.GARBAGE, ACCEPTED, copies=0),
    Case("upstream", Fault.DROP_BEFORE, TRANSIENT),
    Case("upstream", Fault.DROP_AFTER, TRANSIENT),
    Case("upstream", Fault.HALF_BODY, TRANSIENT),
    Case("upstream", Fault.HANG, TRANSIENT),
    Case("dingtalk", Fault.REFUSE, TRANSIENT, code=-1),
    Case("dingtalk", Fault.REFUSE, THROTTLED, code=130101, minutes=11),
    Case("dingtalk", Fault.REFUSE, ACCEPTED, code=430103),
    Case("dingtalk", Fault.REFUSE, CONTENT, copies=0, code=430103, times=2),
    Case("dingtalk", Fault.REFUSE, MISCONFIGURED, copies=0, code=310000),
    Case("dingtalk", Fault.STATUS_429, THROTTLED, minutes=11),
    Case("dingtalk", Fault.STATUS_500, TRANSIENT),
    Case("dingtalk", Fault.STATUS_504, UNCERTAIN),
    Case("dingtalk", Fault.REDIRECT, MISCONFIGURED, copies=0),
    Case("dingtalk", Fault.GARBAGE, UNCERTAIN),
    Case("dingtalk", Fault.DROP_BEFORE, UNCERTAIN),
    Case("dingtalk", Fault.DROP_AFTER, UNCERTAIN, copies=2),
    Case("dingtalk", Fault.HALF_BODY, UNCERTAIN, copies=2),
    Case("dingtalk", Fault.HANG, UNCERTAIN),
    Case("app", Fault.REFUSE, TRANSIENT, code=-1),
    Case("app", Fault.REFUSE, THROTTLED, code=45009),
    Case("app", Fault.REFUSE, CONTENT, copies=0, elsewhere=True, code=40058, times=2),
    Case("app", Fault.REFUSE, RECIPIENT, copies=0, elsewhere=True, code=81013),
    Case("app", Fault.REFUSE, MISCONFIGURED, copies=0, elsewhere=True, code=60020),
    Case("app", Fault.STATUS_429, THROTTLED),
    Case("app", Fault.STATUS_500, TRANSIENT),
    Case("app", Fault.STATUS_504, UNCERTAIN),
    Case("app", Fault.REDIRECT, MISCONFIGURED, copies=0, elsewhere=True),
    Case("app", Fault.GARBAGE, UNCERTAIN),
    Case("app", Fault.DROP_BEFORE, UNCERTAIN),
    Case("app", Fault.DROP_AFTER, UNCERTAIN),
    Case("app", Fault.HALF_BODY, UNCERTAIN),
    Case("app", Fault.HANG, UNCERTAIN),
    Case("cloud", Fault.REFUSE, TRANSIENT, code="isp.SYSTEM_ERROR"),
    Case("cloud", Fault.REFUSE, THROTTLED, code="isv.BUSINESS_LIMIT_CONTROL"),
    Case("cloud", Fault.REFUSE, ACCEPTED, code="isv.SMS_CONTENT_ILLEGAL"),
    Case("cloud", Fault.REFUSE, CONTENT, copies=0, elsewhere=True, code="isv.SMS_CONTENT_ILLEGAL", times=2),
    Case("cloud", Fault.REFUSE, RECIPIENT, copies=0, elsewhere=True, code="isv.MOBILE_NUMBER_ILLEGAL"),
    Case("cloud", Fault.REFUSE, MISCONFIGURED, copies=0, elsewhere=True, code="isv.AMOUNT_NOT_ENOUGH"),
    Case("cloud", Fault.REFUSE, ACCEPTED, code="isv.SMS_TEMPLATE_ILLEGAL"),
    Case("cloud", Fault.REFUSE, MISCONFIGURED, copies=0, elsewhere=True, code="isv.SMS_TEMPLATE_ILLEGAL", times=2),
    Case("cloud", Fault.STATUS_429, THROTTLED),
    Case("cloud", Fault.STATUS_500, TRANSIENT),
    Case("cloud", Fault.STATUS_504, UNCERTAIN),
    Case("cloud", Fault.REDIRECT, MISCONFIGURED, copies=0, elsewhere=True),
    Case("cloud", Fault.GARBAGE, UNCERTAIN),
    Case("cloud", Fault.DROP_BEFORE, UNCERTAIN),
    Case("cloud", Fault.DROP_AFTER, UNCERTAIN),
    Case("cloud", Fault.HALF_BODY, UNCERTAIN),
    Case("cloud", Fault.HANG, UNCERTAIN),
]
CHANNELS = {
    "wecom": "hedong-group",
    "sms": "sms",
    "mail": "mail",
    "upstream": "upstream",
    "dingtalk": "park-group",
    "app": "app",
    "cloud": "cloud",
}
"""The channel that each vendor's fault meets."""
IN_THE_PARK = ("dingtalk", "app", "cloud")
"""Vendors of which each carries one message of a yellow warning in the park."""


def one_robot(text: str) -> str:
    """The town's group alone hears of a yellow warning, so that the fault meets it and no other."""
    return text.replace('contacts = [{ channel = "county-group" }]\n', "")


async def meets(house: House, case: Case) -> str:
    """The first message to this vendor meets the fault; its code."""
    vendor = house.vendors.by_name[case.vendor]
    faults, number = vendor.faults, case.code if isinstance(case.code, int) else 0
    if isinstance(case.code, str):
        vendor.refusal = case.code
    if case.vendor in IN_THE_PARK:
        faults.put(case.fault, times=case.times, code=number)
        code = await house.warning(Level.YELLOW, enterprise=STEEL, rest=False)
    elif case.vendor == "upstream":
        code = await house.warning(Level.BLUE)
        house.push(SECOND)
        faults.put(case.fault, times=case.times, code=number)
        await house.says(OFFICER, f"签收 {code}")
    else:
        faults.put(case.fault, times=case.times, code=number)
        code = await house.warning(Level.YELLOW if case.vendor == "wecom" else Level.BLUE, rest=False)
    await house.engine.rest()
    return code


def _named(case: Case) -> str:
    return " ".join([case.vendor, case.fault, str(case.code or ""), "twice" if case.times > 1 else ""]).strip()


@asynccontextmanager
async def answered_or_given_up(house: House, case: Case, patience: Patience) -> AsyncIterator[None]:
    """The vendor that hangs is waited for until all the others have answered, and then no longer."""
    if case.fault is not Fault.HANG:
        yield
        return

    async def alone() -> None:
        await house.vendors.by_name[case.vendor].faults.wait_for(Fault.HANG)
        await all_but(1)

    async with patience.ending(alone()):
        yield


@pytest.mark.parametrize("case", CASES, ids=[_named(each) for each in CASES])
async def test_each_fault_leads_to_its_outcome(store: Store, tmp_path: Path, patience: Patience, case: Case) -> None:
    edits = {"wecom": [one_robot], "mail": [mail_first]}.get(case.vendor, [])
    async with house_on(store, tmp_path, *edits, every_vendor=case.vendor in IN_THE_PARK) as house:
        async with answered_or_given_up(house, case, patience):
            code = await meets(house, case)
        vendor = house.vendors.by_name[case.vendor]
        assert vendor.faults.happened == {case.fault: case.times}, "it happened, so often"
        carried = CHANNELS[case.vendor]
        rows = [row for row in await house.journal(code) if row.reason.startswith("receipt_")]
        rows = [row for row in rows if row.detail["channel"] == carried]
        met = next((row for row in rows if row.reason != "receipt_submitted"), rows[0])
        assert met.reason == f"receipt_{case.result}"
        notice = (await house.incident(code)).notices[met.notice]
        vendor.faults.clear()
        await house.wait(case.minutes * MINUTE)
        address = notice.contact.address or {"upstream": "/hook"}.get(carried, carried)
        got = [each for each in house.at(address) if code in each.text]
        assert len(got) == case.copies
        assert len({(each.subject, each.text.splitlines()[0]) for each in got}) <= 1, "a repeat is the same message"
        others = [each.address for each in notice.to.contacts if each != notice.contact]
        assert any(code in text for other in others for text in house.texts(other)) is case.elsewhere
