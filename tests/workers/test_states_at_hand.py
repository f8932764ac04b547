"""What was loaded for a send is used again to record it, unless the incident has changed since."""

from __future__ import annotations

import pytest

from escalation.ledger.change import Loaded, Lookup
from escalation.ledger.commit import Ledger
from escalation.notice import NoticeState
from tests.workers.house import OPERATOR, House


async def send_without_recording(house: House) -> str:
    """An alarm whose messages have left the hub, and nothing is written of it yet; its code."""
    code = await house.alarm(rest=False)
    now = house.clock.now()
    await house.engine.fanout.step(now)
    assert await house.engine.courier.step(now, everywhere=True)
    await house.engine.courier.sender.idle()
    return code


async def test_what_happened_during_the_send_is_kept(house: House) -> None:
    code = await send_without_recording(house)
    await house.says(OPERATOR, f"签收 {code}")
    assert await house.engine.courier.record(house.clock.now())
    incident = await house.incident(code)
    assert any(duty.signed for duty in incident.duties)
    (told,) = [
        notice
        for notice in incident.notices.values()
        if notice.contact.address == OPERATOR and notice.created_at == incident.opened_at and notice.kind == "raised"
    ]
    assert told.state.reached_vendor


async def test_nothing_is_loaded_again_where_nothing_happened(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    code = await send_without_recording(house)
    loads: list[list[Lookup]] = []
    load = Ledger.load

    async def counted(self: Ledger, lookups: list[Lookup]) -> list[Loaded]:
        loads.append(lookups)
        return await load(self, lookups)

    monkeypatch.setattr(Ledger, "load", counted)
    assert await house.engine.courier.record(house.clock.now())
    assert loads == []
    monkeypatch.undo()
    first = [notice for notice in (await house.incident(code)).notices.values() if notice.contact.address == OPERATOR]
    assert [notice.state for notice in first] == [NoticeState.SUBMITTED]
