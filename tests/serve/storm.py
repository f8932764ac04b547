"""A storm: many alarms and answers posted at the same time, each until it is taken, while hub or store are killed.

What has to hold afterwards is looked at from outside: what the vendors hold, and what the ledger says.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.serve.town import DUST, LOOK, STEEL, WORKER, Town, alarm, codes_in

SMELTER = "13800130005"
"""远山钢铁's operator."""
LEASES = 90
"""Later than the longest lease, in seconds."""
AT_ONCE = 64
"""More messages than the county's channels ever have in flight together: one kill cannot repeat more."""


@dataclass
class Storm:
    """``seen`` counts what happened, so that a run in which nothing broke is noticed."""

    town: Town
    seed: int
    events: int
    batch: int = 10
    answers: int = 100
    posters: int = 6
    kills: int = 12
    seen: Counter[str] = field(default_factory=Counter)
    codes: dict[str, str] = field(default_factory=dict)
    signed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._batches = [
            [self._event(number) for number in range(first, min(first + self.batch, self.events))]
            for first in range(0, self.events, self.batch)
        ]
        self._next = iter(self._batches)

    def _event(self, number: int) -> dict[str, Any]:
        return alarm(f"s{number}", enterprise=self._random.choice((DUST, STEEL)), point=f"P{number:05}")

    async def rage(self, *, kill_hub: bool, kill_store: bool) -> None:
        """Everything at once, until every event and answer was taken and told."""
        await self.town.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill(hub=kill_hub, store=kill_store))
            group.create_task(self._sign())
            for _ in range(self.posters):
                group.create_task(self._post())
        await self.town.until(self._all_told, "not everything that was accepted was told", self.patience)

    async def _post(self) -> None:
        """A poster: the next batch, again and again until it is taken."""
        for events in self._next:
            while True:
                answer = await self.town.post(*events)
                self.seen[f"post {answer.status}"] += 1
                if answer.status == 202:
                    break
                assert answer.status in (0, 429, 503), answer
                await asyncio.sleep(LOOK * self._random.randint(1, 4))
            for event, item in zip(events, answer.body["items"], strict=True):
                self.seen[item["verdict"]] += 1
                self.codes[event["id"]] = item["code"]

    async def _sign(self) -> None:
        """Workers who answer what they read, each answer until the door has it."""
        while len(self.signed) < self.answers:
            read = [each for each in await self.town.received() if each["address"] in (WORKER, SMELTER)]
            known = set(self.signed)
            found = [(code, each["address"]) for each in read for code in codes_in([each]) if code not in known]
            for code, number in dict(found).items():
                while (status := await self.town.write(number, f"签收 {code}", f"m-{code}")) != 202:
                    self.seen[f"answer {status}"] += 1
                    await asyncio.sleep(LOOK)
                self.signed.append(code)
                if len(self.signed) >= self.answers:
                    return
            await asyncio.sleep(LOOK)

    async def _kill(self, *, hub: bool, store: bool) -> None:
        """SIGKILL ``kills`` times, spread over the run, each at a random moment of it."""
        for number in range(1, self.kills + 1):
            await self.town.until(
                partial(self._has_taken, self.events * number // (self.kills + 1)), "it stands", self.patience
            )
            await asyncio.sleep(self._random.uniform(0, 0.1))
            if store and (not hub or self._random.random() < 0.4):
                self.town.kill_store()
                self.seen["store killed"] += 1
                await self.town.until_ready()
            else:
                await self.town.kill()
                self.seen["hub killed"] += 1
                await self.town.start()

    async def _has_taken(self, events: int) -> bool:
        return len(self.codes) >= events

    @property
    def patience(self) -> float:
        """Seconds; the more there is, the longer it may take."""
        return 120 + self.events / 10

    @property
    def killed(self) -> int:
        return self.seen["hub killed"] + self.seen["store killed"]

    async def _all_told(self) -> bool:
        told = codes_in([each for each in await self.town.received() if each["address"] in (WORKER, SMELTER)])
        return set(self.codes.values()) <= told

    async def broken(self) -> list[str]:
        """What does not hold, in words."""
        found: list[str] = []
        if len(set(self.codes.values())) != self.events:
            found.append(f"{len(set(self.codes.values()))} incidents of {self.events} events")
        check = await self.town.ask("/verify")
        if not check["ok"]:
            found.append(f"the journal: {[each for each in check['partitions'] if each['fault']]}")
        sends = Counter((each["address"], each["subject"], each["text"]) for each in await self.town.received())
        found += [f"sent {count} times: {what}" for what, count in sends.items() if count > 1 + self.killed]
        repeats = sum(count - 1 for count in sends.values())
        self.seen["repeated sends"] = repeats
        if repeats > self.killed * AT_ONCE:
            found.append(f"{repeats} sends were repeated after {self.killed} kills")
        sample = {*self.signed, *self._random.sample(sorted(self.codes.values()), min(100, self.events))}
        wrong: list[str] = []

        async def right() -> bool:
            wrong[:] = [each for code in sorted(sample) for each in await self._wrong(code)]
            return not wrong

        # What a killed hub had in its hand goes on when its lease has ended.
        with contextlib.suppress(AssertionError):
            await self.town.until(right, "", LEASES)
        return found + wrong

    async def _wrong(self, code: str) -> list[str]:
        story = await self.town.ask(f"/show/{code}")
        rows = Counter(line["reason"] for line in story["lines"])
        found = [f"{code}: {reason} {rows[reason]} times" for reason in ("opened", "reply_sign") if rows[reason] > 1]
        if rows["opened"] != 1:
            found.append(f"{code} was opened {rows['opened']} times")
        if (story["state"], story["raises"]) != ("open", 1):
            found.append(f"{code} is {story['state']} after {story['raises']} raises")
        if code in self.signed and not story["duties"][0]["signed_by"]:
            found.append(f"{code}: the signature is not there")
        told = {line["notice"] for line in story["lines"] if line["reason"] == "told"}
        ends = ("receipt_submitted", "receipt_uncertain", "receipt_dropped")
        ended = {line["notice"] for line in story["lines"] if line["reason"] in ends}
        return [*found, *(f"{code}: {notice} has no result" for notice in told - ended)]
