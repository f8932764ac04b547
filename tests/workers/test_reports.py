"""Delivery reports of a vendor."""

from __future__ import annotations

from channels.channel import ReceiptKind, Report
from tests.workers.house import OPERATOR, House


def report(house: House, letter: str, vendor_id: str = "g1", kind: ReceiptKind = ReceiptKind.DELIVERED) -> Report:
    return Report(
        channel="sms", letter_id=letter, vendor_id=vendor_id, kind=kind, at=house.clock.now(), detail="已送达"
    )


async def test_a_doubled_report_writes_one_row(house: House) -> None:
    """Also when both come in one call, and when the doubled one comes later."""
    code = await house.alarm()
    (letter,) = [
        notice.id for notice in (await house.incident(code)).notices.values() if notice.contact.address == OPERATOR
    ]
    await house.engine.report([report(house, letter), report(house, letter)])
    version = (await house.incident(code)).version
    house.push(5_000)
    await house.engine.report([report(house, letter)])
    assert len(await house.journal(code, "receipt_delivered")) == 1
    assert (await house.incident(code)).version == version
    await house.engine.report([report(house, letter, "g2")])
    assert len(await house.journal(code, "receipt_delivered")) == 2, "of another send of the same notice"
