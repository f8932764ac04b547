"""Hub and store SIGKILLed at random in a storm of events and answers."""

from __future__ import annotations

import pytest

from tests.serve.storm import Storm
from tests.serve.town import Town


@pytest.mark.timeout(400)
async def test_the_hub_is_killed_at_random_over_two_thousand_events_and_answers(town: Town) -> None:
    storm = Storm(town, seed=20261121, events=1900, answers=100, kills=8)
    await storm.rage(kill_hub=True, kill_store=False)
    assert await storm.broken() == [], storm.seen
    assert storm.seen["hub killed"] == storm.kills
    assert storm.seen["post 0"] > 0, "no kill ever met a POST"
    assert storm.seen["duplicate"] > 0, "no kill ever fell between a commit and its answer"


@pytest.mark.timeout(400)
async def test_the_store_is_killed_a_few_times(town: Town) -> None:
    # What was in hand when the store died goes on when its lease has ended; that it does so later is nothing more.
    town.constants["bot.chat.answering.LEASE"] = 5_000
    storm = Storm(town, seed=7, events=900, answers=30, kills=3)
    await storm.rage(kill_hub=False, kill_store=True)
    assert await storm.broken() == [], storm.seen
    assert storm.seen["store killed"] == storm.kills
    assert storm.seen["post 503"] > 0, "no kill ever met a POST"


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
async def test_both_are_killed_over_twenty_thousand_events_and_answers(town: Town, seed: int) -> None:
    storm = Storm(town, seed=seed, events=19_000, answers=1_000, kills=60)
    await storm.rage(kill_hub=True, kill_store=True)
    assert await storm.broken() == [], storm.seen
    assert storm.seen["hub killed"] >= 10, storm.seen
    assert storm.seen["post 0"] > 0, storm.seen
