"""A hub as an administrator runs it: a process with a configuration, vendors around it, and a shell beside it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from bot.control import SOCKET
from bot.store import locks
from bot.store.anchor import Anchor
from bot.store.locks import SERVER_LOCK
from tests.ports import free_port
from tests.serve.nursery import ROOT, Child, Constant, Nursery

PROGRAM = (sys.executable, "-m", "bot.cli")
DUST = "91000000DEM0000019"
STEEL = "91000000DEM000002C"
WORKER = "13800130001"
"""明木家具's operator, who stands at DC01-T01."""
COMMAND = 60.0
"""How long a command may take, in seconds."""
PATIENCE = 30.0
"""How long something may take that a test awaits, in seconds."""
LOOK = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """What the intake door answered; status 0 where nobody opened."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def item(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["items"][0]
        return found


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def alarm(identity: str, kind: str = "alarm.raised", *, enterprise: str = DUST, **more: Any) -> dict[str, Any]:
    """A CloudEvent of this moment; a high alarm of DC01-T01 unless told otherwise."""
    more.setdefault("time", datetime.now(UTC).isoformat())
    data: dict[str, Any] = {"enterprise": {"uscc": enterprise}}
    if kind.startswith("warning"):
        data["warning"] = more.pop("warning", {"level": "orange"})
    else:
        data["point"] = {"code": more.pop("point", "DC01-T01")}
        if kind in ("alarm.raised", "alarm.repeated"):
            data["alarm"] = more.pop("alarm", {"severity": "high", "value": 72.5, "limit": 70})
    return {"specversion": "1.0", "id": identity, "source": "/demo", "type": kind, "data": data, **more}


class Town:
    """The county, its vendors and its hub."""

    def __init__(
        self, folder: Path, port: int, ready: dict[str, str], session: aiohttp.ClientSession, nursery: Nursery
    ) -> None:
        self.folder = folder
        self.port = port
        self.store_url: str | None = None
        self.constants: dict[str, Constant] = {}
        """Of the program, which have other values in hubs that are started from here on."""
        self.url = f"http://127.0.0.1:{port}"
        self.config = Path(ready["config"])
        self.data = self.config.parent / "data"
        self.session = session
        self.log = folder / "hub.log"
        self.hub: Child | subprocess.Popen[bytes] | None = None
        self._nursery = nursery
        self._ready = ready
        self._control = ready["control"]
        self._token = ready["token"]

    def beside(self, folder: Path, port: int) -> Town:
        """Another hub of the same county, with the configuration in ``folder``."""
        ready = {**self._ready, "config": str(folder / self.config.name)}
        other = Town(folder, port, ready, self.session, self._nursery)
        other.store_url = self.store_url
        return other

    # The hub's process.

    def launch(self, *, from_shell: bool = False) -> Child | subprocess.Popen[bytes]:
        """Start ``fenghuo serve``; ``from_shell``: by an interpreter of its own."""
        arguments = ("serve", "--config", str(self.config))
        if from_shell:
            with self.log.open("ab") as log:
                self.hub = subprocess.Popen([*PROGRAM, *arguments], cwd=ROOT, stdout=log, stderr=log)
        else:
            self.hub = self._nursery.start(arguments, cwd=ROOT, out=self.log, err=self.log, constants=self.constants)
        return self.hub

    async def start(self, *, from_shell: bool = False) -> None:
        """Start the hub and wait until it takes events."""
        self.launch(from_shell=from_shell)
        await self.until_ready()

    async def until_ready(self, seconds: float = PATIENCE) -> None:
        await self.until(self._is_ready, "the hub is never ready", seconds)

    async def _is_ready(self) -> bool:
        if self.hub is not None and self.hub.poll() is not None:
            raise AssertionError(f"the hub ended with {self.hub.returncode}:\n{self.log.read_text()[-3000:]}")
        return (await self.get("/readyz"))[0] == 200

    async def until_shut(self) -> dict[str, str]:
        """Wait until the hub says that it takes nothing; why."""
        said: dict[str, str] = {}

        async def shut() -> bool:
            status, body = await self.get("/readyz")
            if status == 503:
                said.update(json.loads(body))
            return status == 503

        await self.until(shut, "the hub never shut its door")
        return said

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body; 0 where nobody listens."""
        try:
            async with self.session.get(self.url + path) as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError:
            return 0, ""

    async def kill(self) -> None:
        """SIGKILL: no goodbye."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and the code it ended with."""
        return await self._end(signal.SIGTERM)

    def ask_to_reload(self) -> None:
        """SIGHUP."""
        assert self.hub is not None
        self.hub.send_signal(signal.SIGHUP)

    async def _end(self, number: int) -> int:
        if self.hub is None:
            return 0
        self.hub.send_signal(number)
        code = await asyncio.to_thread(self.hub.wait, PATIENCE)
        self.hub = None
        return code

    @property
    def store_pids(self) -> list[int]:
        """The supervised server's process, while it runs: whoever holds its lock."""
        lock = self.data / "store" / SERVER_LOCK
        running = locks.holders(lock) if lock.exists() else []
        return [pid for pid in running if self.hub is None or pid != self.hub.pid]

    def kill_store(self) -> None:
        for pid in self.store_pids:
            os.kill(pid, signal.SIGKILL)

    # The upstream system.

    async def post(
        self,
        *events: dict[str, Any],
        token: str = "",
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        source: str = "demo",
    ) -> Answer:
        """One event, or a batch."""
        body = raw if raw is not None else json.dumps(events[0] if len(events) == 1 else events).encode()
        given = {
            "Authorization": f"Bearer {token or self._token}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        try:
            async with self.session.post(f"{self.url}/events/{source}", data=body, headers=given) as answer:
                return Answer(answer.status, await answer.json(content_type=None), dict(answer.headers))
        except (aiohttp.ClientError, ConnectionError):
            return Answer(0)

    async def raised(self, identity: str, **more: Any) -> str:
        """Post an alarm that is taken; its code."""
        answer = await self.post(alarm(identity, **more))
        assert answer.status == 202, answer
        code: str = answer.item["code"]
        return code

    # The vendors.

    async def received(self, since: int = 0) -> list[dict[str, str]]:
        async with self.session.get(f"{self._control}/received?since={since}") as answer:
            found: list[dict[str, str]] = await answer.json()
            return found

    async def told(self, *words: str, address: str = "", since: int = 0, seconds: float = PATIENCE) -> dict[str, str]:
        """The message with these words, as soon as a vendor has it."""
        asked = {"address": address, "words": words, "since": since, "seconds": seconds}
        async with self.session.post(f"{self._control}/wait", json=asked) as answer:
            assert answer.status == 200, (asked, (await self.received())[-20:], self.log.read_text()[-3000:])
            found: dict[str, str] = await answer.json()
            return found

    async def write(self, number: str, text: str, identity: str = "") -> int:
        """A phone sends a text message; the status of the hub's door."""
        asked = {"number": number, "text": text, "id": identity}
        async with self.session.post(f"{self._control}/write", json=asked) as answer:
            status: int = await answer.json()
            return status

    async def send_picture(self, member: str, body: bytes) -> int:
        """A member of the app sends a picture; the status of the hub's door."""
        async with self.session.post(f"{self._control}/picture/{member}", data=body) as answer:
            status: int = await answer.json()
            return status

    async def report_deliveries(self) -> None:
        async with self.session.post(f"{self._control}/reports") as answer:
            assert answer.status == 200

    async def gateway_hangs(self) -> None:
        """Text messages get no answer from now on; returns when the first one has none."""
        async with self.session.post(f"{self._control}/hang") as answer:
            assert answer.status == 200

    async def gateway_heals(self) -> None:
        async with self.session.post(f"{self._control}/heal") as answer:
            assert answer.status == 200

    # The shell.

    async def run(self, *arguments: str) -> Ran:
        """A command with this configuration; it must never end with a traceback."""
        out, err = (self.folder / f"{uuid4().hex}.{name}" for name in ("out", "err"))
        child = self._nursery.start(
            (*arguments, "--config", str(self.config)), cwd=self.config.parent, out=out, err=err
        )
        ran = Ran(await asyncio.to_thread(child.wait, COMMAND), out.read_text("utf-8"), err.read_text("utf-8"))
        assert "Traceback" not in ran.err, ran.err
        return ran

    async def ask(self, path: str) -> Any:
        """Ask the running hub as the commands do, without the time a command takes to start."""
        connector = aiohttp.UnixConnector(str(self.data / SOCKET))
        async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://hub{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def reload(self) -> str:
        """Have the running hub read its configuration now; what it says of it."""
        connector = aiohttp.UnixConnector(str(self.data / SOCKET))
        async with aiohttp.ClientSession(connector=connector) as session, session.post("http://hub/reload") as answer:
            assert answer.status == 200, await answer.text()
            said: dict[str, str] = await answer.json()
            return said["report"]

    async def story(self, code: str) -> Any:
        ran = await self.run("show", code, "--json")
        assert ran.code == 0, ran
        return ran.json

    async def until(self, holds: Callable[[], Awaitable[bool]], otherwise: str, seconds: float = PATIENCE) -> None:
        """Look until it holds, for what no event announces: another process."""
        last = asyncio.get_running_loop().time() + seconds
        while not await holds():
            if asyncio.get_running_loop().time() > last:
                said = self.log.read_text()[-3000:] if self.log.exists() else ""
                raise AssertionError(f"{otherwise}\n{said}")
            await asyncio.sleep(LOOK)

    async def until_anchored(self) -> None:
        """Wait until every row of the journal is sealed, and the last of each partition anchored."""

        async def anchored() -> bool:
            anchor = Anchor.load(self.data / "anchor.json")
            heads = {number: head.count for number, head in anchor.heads.items()} if anchor is not None else {}
            checks = (await self.ask("/verify"))["partitions"]
            return all(not each["unsealed"] and each["sealed"] == heads.get(each["partition"], 0) for each in checks)

        await self.until(anchored, "the journal is never anchored")

    def edit(self, old: str, new: str) -> None:
        """Change the configuration as an editor does."""
        text = self.config.read_text("utf-8")
        assert old in text, old
        self.config.write_text(text.replace(old, new, 1), "utf-8")


async def command(*arguments: str, cwd: Path) -> Ran:
    """``fenghuo`` with these arguments from a shell in ``cwd``; it must never end with a traceback."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    ran = Ran(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in ran.err, ran.err
    return ran


def codes_in(messages: Sequence[dict[str, str]]) -> set[str]:
    """Every code that stands in any of the messages."""
    return {code for each in messages for code in re.findall(r"[AW]\d{4,}", f"{each['subject']} {each['text']}")}


@asynccontextmanager
async def town_in(folder: Path, nursery: Nursery) -> AsyncIterator[Town]:
    """Vendors and a county in ``folder``; the hub is not started yet. Everything is ended afterwards."""
    port = free_port()
    said = folder / "vendors.log"
    vendors = nursery.start((str(folder), str(port)), cwd=ROOT, out=said, err=said, program="vendors")
    try:
        announced = folder / "vendors.json"
        for _ in range(int(PATIENCE / LOOK)):
            if announced.exists():
                break
            assert vendors.poll() is None, said.read_text("utf-8")
            await asyncio.sleep(LOOK)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            town = Town(folder, port, json.loads(announced.read_bytes()), session, nursery)
            try:
                yield town
            finally:
                await town.kill()
                town.kill_store()
    finally:
        vendors.send_signal(signal.SIGKILL)
        await asyncio.to_thread(vendors.wait, PATIENCE)
