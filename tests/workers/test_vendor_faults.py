"""Every way a vendor may go wrong, on every channel: the documented outcome, who hears all the same, and a counter that
says that it really happened. ``docs/faults.md`` tells the same as a table."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from escalation.inputs import SendResult
from escalation.vocabulary import Level
from tests.workers.house import MINUTE, OFFICER, SECOND, House, house_on
from tests.workers.test_outcomes import mail_first


class Case(NamedTuple):
    """One fault of one vendor: the result written down first, how often the vendor then has the message, and whether
    the reader's next channel carries it too."""

    vendor: str
    fault: Fault
    result: SendResult
    copies: int = 1
    elsewhere: bool = False
    code: int = 0


ACCEPTED, TRANSIENT, THROTTLED = SendResult.SUBMITTED, SendResult.TRANSIENT, SendResult.THROTTLED
UNCERTAIN, RECIPIENT = SendResult.UNCERTAIN, SendResult.REFUSED_RECIPIENT
CONTENT, MISCONFIGURED = SendResult.REFUSED_CONTENT, SendResult.MISCONFIGURED

CASES = [
    Case("wecom", Fault.REFUSE, TRANSIENT, code=-1),
    Case("wecom", Fault.REFUSE, THROTTLED, code=45009),
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
]
CHANNELS = {"wecom": "hedong-group", "sms": "sms", "mail": "mail", "upstream": "upstream"}
"""The channel that each vendor's fault meets."""


def one_robot(text: str) -> str:
    """The town's group alone hears of a yellow warning, so that the fault meets it and no other."""
    return text.replace('contacts = [{ channel = "county-group" }]\n', "")


async def meets(house: House, case: Case) -> str:
    """The first message to this vendor meets the fault; its code."""
    faults = house.vendors.by_name[case.vendor].faults
    if case.vendor == "upstream":
        code = await house.warning(Level.BLUE)
        house.push(SECOND)
        faults.put(case.fault, code=case.code)
        await house.says(OFFICER, f"签收 {code}")
    else:
        faults.put(case.fault, code=case.code)
        code = await house.warning(Level.YELLOW if case.vendor == "wecom" else Level.BLUE, rest=False)
    await house.engine.rest()
    return code


@pytest.mark.parametrize("case", CASES, ids=[f"{each.vendor} {each.fault} {each.code or ''}" for each in CASES])
async def test_each_fault_leads_to_its_outcome(store: Store, tmp_path: Path, case: Case) -> None:
    edits = {"wecom": [one_robot], "mail": [mail_first]}.get(case.vendor, [])
    async with house_on(store, tmp_path, *edits) as house:
        code = await meets(house, case)
        vendor = house.vendors.by_name[case.vendor]
        assert vendor.faults.happened == {case.fault: 1}, "it happened, once"
        carried = CHANNELS[case.vendor]
        rows = [row for row in await house.journal(code) if row.reason.startswith("receipt_")]
        rows = [row for row in rows if row.detail["channel"] == carried]
        met = next((row for row in rows if row.reason != "receipt_submitted"), rows[0])
        assert met.reason == f"receipt_{case.result}"
        notice = (await house.incident(code)).notices[met.notice]
        vendor.faults.clear()
        await house.wait(2 * MINUTE)
        address = notice.contact.address or {"upstream": "/hook"}.get(carried, carried)
        got = [each for each in house.at(address) if code in each.text]
        assert len(got) == case.copies
        assert len({(each.subject, each.text.splitlines()[0]) for each in got}) <= 1, "a repeat is the same message"
        others = [each.address for each in notice.to.contacts if each != notice.contact]
        assert any(code in text for other in others for text in house.texts(other)) is case.elsewhere
