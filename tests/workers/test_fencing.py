"""A hub that stood still beyond its lease does not send what another hub has sent meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.store.client import Store
from bot.workers.limits import SLACK
from escalation.vocabulary import Level
from tests.workers.house import SECOND, codes_of, house_on, with_works, works
from tests.workers.test_digests import issue, with_officer_in_group, without_county_group

LEASE = SLACK + SECOND
"""Longer than a claim of the robot holds, in milliseconds."""


async def test_a_claim_that_ran_out_while_the_hub_stood_still_is_not_sent(store: Store, tmp_path: Path) -> None:
    """It stands still at the last thing it does before it sends: while it asks whether it may call by name."""
    async with house_on(store, tmp_path, with_works(16), without_county_group, with_officer_in_group) as house:
        other = await house.another()
        stood = 0

        async def stand_still() -> None:
            nonlocal stood
            task = asyncio.current_task()
            if stood or task is None or not task.get_name().startswith("send "):
                return
            stood += 1
            house.push(LEASE)
            await other.rest()

        house.door.before = {"mailbox_tend": stand_still}
        codes = await issue(house, Level.YELLOW, works(16)[:1])
        await house.engine.rest()
        await house.wait(2 * LEASE)
        assert stood == 1
        told = [text for text in house.texts("hedong-group") if "须处置" in text and codes_of([text]) == codes]
        assert len([text for text in told if "@13800130021" not in text]) == 1, told
