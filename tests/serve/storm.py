"""A storm: many alarms and answers posted at the same time, each until it is taken, while hub or store are killed.

What has to hold afterwards is looked at from outside: what the vendors hold, and what the ledger says. Nothing here
waits for a rate: a wait ends when it holds, or when for ``PATIENCE`` seconds nothing went on at all.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from escalation.incident import IncidentState
from escalation.notice import NoticeState
from tests.serve.bulk import Ledger, in_flight, place_of, places_of, read_ledger
from tests.serve.town import DUST, LOOK, STEEL, WORKER, Town, alarm, codes_in

PHONES = {DUST: WORKER, STEEL: "13800130005"}
"""The phone that must ring first, by enterprise."""
PATIENCE = 100.0
"""Seconds without any progress after which a storm is over: longer than any lease and any pause of the supervisor."""


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
    signed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._batches = [
            [self._event(number) for number in range(first, min(first + self.batch, self.events))]
            for first in range(0, self.events, self.batch)
        ]
        self._next = iter(self._batches)
        self._heard: list[dict[str, str]] = []
        self._read: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._in_flight: list[Counter[tuple[str, str]]] = []

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
        await self._until(self._all_told, "not everything that was accepted was told")

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
            await self._listen()
            unread = [(code, phone) for phone in PHONES.values() for code in self._read[phone]]
            for code, phone in [each for each in unread if each[0] not in self.signed]:
                while (status := await self.town.write(phone, f"签收 {code}", f"m-{code}")) != 202:
                    self.seen[f"answer {status}"] += 1
                    await asyncio.sleep(LOOK)
                self.signed[code] = phone
                if len(self.signed) >= self.answers:
                    return
            await asyncio.sleep(LOOK)

    async def _listen(self) -> None:
        """Hear what the vendors received since the last time: nothing is read twice, however much it becomes."""
        new = await self.town.received(since=len(self._heard))
        for each in new:
            self._read[each["address"]].update(dict.fromkeys(sorted(codes_in([each]))))
        self._heard += new

    async def _kill(self, *, hub: bool, store: bool) -> None:
        """SIGKILL ``kills`` times, spread over the run, each at a random moment of it."""
        for number in range(1, self.kills + 1):
            wanted = self.events * number // (self.kills + 1)
            await self._until(partial(self._has_taken, wanted), "nothing is taken any more")
            await asyncio.sleep(self._random.uniform(0, 0.1))
            if store and (not hub or self._random.random() < 0.4):
                self.town.kill_store()
                self.seen["store killed"] += 1
            else:
                await self.town.kill()
                self.seen["hub killed"] += 1
                self._in_flight.append(await in_flight(self.town))
                self.seen["in flight"] += self._in_flight[-1].total()
                self.town.launch()
            await self.town.until_ready(PATIENCE)

    async def _until(self, holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        """Look until it holds, as long as anything goes on."""
        loop = asyncio.get_running_loop()
        before, last = -1, loop.time()
        while True:
            began = loop.time()
            if await holds():
                return
            done = len(self.codes) + len(self.signed) + len(self._heard)
            if done != before:
                before, last = done, loop.time()
            assert loop.time() - last < PATIENCE, f"{otherwise}: {self.seen}\n{self.town.log.read_text()[-3000:]}"
            # A look that takes long leaves the hub as much time as it took.
            await asyncio.sleep(max(LOOK, loop.time() - began))

    async def _has_taken(self, events: int) -> bool:
        return len(self.codes) >= events

    async def _all_told(self) -> bool:
        await self._listen()
        return not any(self._untold())

    def _untold(self) -> list[str]:
        """Accepted events that did not reach the phone of their own enterprise."""
        return [
            f"{event['id']} was accepted and nobody was told"
            for batch in self._batches
            for event in batch
            if self.codes[event["id"]] not in self._read[PHONES[event["data"]["enterprise"]["uscc"]]]
        ]

    async def broken(self) -> list[str]:
        """What does not hold, in words."""
        found = self._untold()
        if len(set(self.codes.values())) != self.events:
            found.append(f"{len(set(self.codes.values()))} incidents of {self.events} events")
        for check in await self._verified():
            if not check["ok"]:
                found.append(f"the journal: {[each for each in check['partitions'] if each['fault']]}")
        wrong: list[str] = []

        async def right() -> bool:
            await self._listen()
            wrong[:] = self._wrong(await read_ledger(self.town))
            return not wrong

        # What is on its way arrives; what goes wrong for good is still wrong when nothing moves any more.
        try:
            await self._until(right, "")
        except AssertionError:
            found += wrong
        return found + self._repeated()

    async def _verified(self) -> list[dict[str, Any]]:
        """What every hub says of the journal."""
        return [await self.town.ask("/verify")]

    def _repeated(self) -> list[str]:
        """The bargain: a repeat only of what was in flight when the hub was stopped, and one for each such stop."""
        sends = Counter((each["address"], each["subject"], each["text"]) for each in self._heard)
        stops = [places_of(each) for each in self._in_flight]
        found: list[str] = []
        for (address, subject, text), count in sends.items():
            if count == 1:
                continue
            self.seen["repeated sends"] += count - 1
            about = codes_in([{"subject": subject, "text": text}]) | {""}
            allowed = sum(1 for stop in stops if about & stop.get(address, set()))
            if count > 1 + allowed:
                found.append(f"sent {count} times, in flight at {allowed} stops: {address} {subject} {text}")
        if self.seen["repeated sends"] > self.seen["in flight"]:
            found.append(f"{self.seen['repeated sends']} sends were repeated, {self.seen['in flight']} were in flight")
        return found

    def _wrong(self, ledger: Ledger) -> list[str]:
        """Every accepted event, by what the ledger says of its incident."""
        answered = {
            code
            for each in self._heard
            if "已记录签收" in each["text"] and each["address"] in PHONES.values()
            for code in codes_in([each])
        }
        found = [f"{code}: {phone} had no answer" for code, phone in self.signed.items() if code not in answered]
        for code in self.codes.values():
            incident = ledger.incidents.get(code)
            if incident is None:
                found.append(f"{code} is not in the ledger")
                continue
            if (incident.state, incident.raises) != (IncidentState.OPEN, 1):
                found.append(f"{code} is {incident.state} after {incident.raises} raises")
            if ledger.reasons[code, "opened"] != 1:
                found.append(f"{code} was opened {ledger.reasons[code, 'opened']} times")
            if ledger.reasons[code, "reply_sign"] != (code in self.signed):
                found.append(f"{code} was signed {ledger.reasons[code, 'reply_sign']} times")
            for notice in incident.notices.values():
                where = place_of(notice.contact.channel, notice.contact.address)
                if notice.state is NoticeState.DROPPED:
                    continue
                if not notice.state.reached_vendor:
                    found.append(f"{code}: {notice.id} is {notice.state}")
                elif code not in self._read[where]:
                    found.append(f"{code}: {notice.id} is {notice.state}, and {where} never had it")
        found += [f"{code}: {notice} has no result" for code, notice in ledger.told - ledger.ended]
        strange = set(ledger.incidents) - set(self.codes.values())
        return [*found, *(f"{code} was opened by nobody" for code in strange)]
