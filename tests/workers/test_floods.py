"""Much at once: digests of several mailboxes are frozen side by side; clocks are worked off in small steps."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.store.client import Store
from bot.workers import lapses
from escalation.event import EventType
from escalation.ledger.turning import Claim
from escalation.vocabulary import Level
from tests.workers.house import HOUR, PARTITIONS, codes_of, house_on, with_works, works


async def test_digests_of_several_mailboxes_wait_for_the_disk_together(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house_on(store, tmp_path, with_works(60)) as house:
        freeze = house.engine.mailboxes.freeze
        waiting: set[str] = set()
        together = asyncio.Event()

        async def freeze_together(claim: Claim, content: bytes, **more: Any) -> bytes | None:
            waiting.add(claim.mailbox.name)
            if len(waiting) > 1:
                together.set()
            try:
                async with asyncio.timeout(40):
                    await together.wait()
            finally:
                waiting.discard(claim.mailbox.name)
            return await freeze(claim, content, **more)

        monkeypatch.setattr(house.engine.mailboxes, "freeze", freeze_together)
        issued = [house.event(EventType.WARNING_ISSUED, each, level=Level.YELLOW) for each in works(60)]
        codes = await house.take(issued)
        await house.engine.rest()
        assert together.is_set()
        await house.wait(5 * 60_000)
        for group in ("hedong-group", "county-group"):
            assert sorted(codes_of(house.texts(group))) == sorted(codes)


async def test_a_digest_that_cannot_be_frozen_holds_no_other_up(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house_on(store, tmp_path, with_works(60)) as house:
        freeze = house.engine.mailboxes.freeze
        refused: list[str] = []

        async def freeze_but_first(claim: Claim, content: bytes, **more: Any) -> bytes | None:
            if not refused:
                refused.append(claim.mailbox.channel)
                raise OSError("no answer")
            return await freeze(claim, content, **more)

        monkeypatch.setattr(house.engine.mailboxes, "freeze", freeze_but_first)
        codes = await house.take(
            [house.event(EventType.WARNING_ISSUED, each, level=Level.YELLOW) for each in works(60)]
        )
        await house.engine.rest()
        groups = {"hedong-group", "county-group"}
        (other,) = groups - set(refused)
        assert any(len(codes_of([text])) > 1 for text in house.texts(other))
        await house.wait(5 * 60_000)
        for group in groups:
            assert sorted(codes_of(house.texts(group))) == sorted(codes)


async def test_many_due_clocks_are_worked_off_in_small_steps(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lapses, "MOST", 2 * PARTITIONS)
    async with house_on(store, tmp_path, with_works(40)) as house:
        await house.take([house.event(EventType.WARNING_ISSUED, each, level=Level.ORANGE) for each in works(40)])
        await house.engine.rest()
        house.clock.push_to(house.clock.now() + 12 * HOUR)
        steps: list[int] = []
        while done := await house.engine.lapses.step(house.clock.now()):
            steps.append(done)
        assert sum(steps) >= 40
        assert max(steps) <= 2 * PARTITIONS
