"""What the stories of fail-overs look at: what each hub has anchored, whether it noticed, and what is taken again."""

from __future__ import annotations

import json
from typing import Any

from tests.hubs.fleet import Fleet
from tests.serve.town import Town


def heads(hub: Town) -> dict[str, int]:
    """How many rows of each partition a hub has anchored."""
    path = hub.data / "anchor.json"
    found = json.loads(path.read_text())["heads"] if path.exists() else {}
    return {number: head["count"] for number, head in found.items()}


async def all_anchored(fleet: Fleet) -> None:
    """Wait until every row is sealed and every hub has anchored it."""

    async def anchored() -> bool:
        checks = (await fleet.hubs[0].ask("/verify"))["partitions"]
        there = {str(each["partition"]): each["sealed"] for each in checks if each["sealed"]}
        return not any(each["unsealed"] for each in checks) and all(heads(hub) == there for hub in fleet.hubs)

    await fleet.front.until(anchored, "not every hub has anchored the journal")


async def fell_back(hub: Town) -> None:
    async def noticed() -> bool:
        return "journal_behind" in hub.log.read_text()

    await hub.until(noticed, "a hub did not notice that the store fell back")


async def take(front: Town, event: dict[str, Any]) -> str:
    """Post it until it is taken; its code."""
    found: list[str] = []

    async def taken() -> bool:
        answer = await front.post(event)
        assert answer.status in (0, 202, 503), answer
        found.extend(item["code"] for item in (answer.body["items"] if answer.status == 202 else ()))
        return bool(found)

    await front.until(taken, "nothing is taken")
    return found[0]
