"""The processes a crash run needs besides the hub: the vendors and a supervised store, and a way to ask the vendors."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEEP = """
import asyncio, sys
from pathlib import Path
from bot.store.supervisor import Supervisor
async def main() -> None:
    supervisor = Supervisor(Path(sys.argv[1]) / "store")
    await supervisor.start()
    (Path(sys.argv[1]) / "socket.new").write_text(str(supervisor.socket))
    (Path(sys.argv[1]) / "socket.new").rename(Path(sys.argv[1]) / "socket")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await supervisor.stop()
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the parts are: the store's socket, the county's configuration, the vendors' control address."""

    folder: Path
    socket: Path
    config: Path
    control: str

    def ask(self, path: str, body: bytes | None = None) -> Any:
        """Ask the vendors' control: GET without a body, POST with one."""
        request = urllib.request.Request(f"{self.control}{path}", data=body)
        with urllib.request.urlopen(request, timeout=10) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def fault(self, vendor: str, fault: str, times: int = 1) -> None:
        self.ask("/fault", json.dumps({"vendor": vendor, "fault": fault, "times": times}).encode())


@contextmanager
def parts(folder: Path) -> Iterator[Parts]:
    """Start vendors and store, each a process of its own, and end them afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("vendors.json", "socket"):
        (folder / stale).unlink(missing_ok=True)
    vendors = subprocess.Popen([sys.executable, "-m", "tests.kills.vendors", str(folder)], stdin=subprocess.PIPE)
    store = subprocess.Popen([sys.executable, "-c", _KEEP, str(folder)], stdin=subprocess.PIPE)
    try:
        ready = json.loads(_await_file(folder / "vendors.json", vendors))
        socket = Path(_await_file(folder / "socket", store))
        yield Parts(folder, socket, Path(ready["config"]), ready["control"])
    finally:
        for process in (vendors, store):
            if process.stdin is not None:
                process.stdin.close()
            process.wait(20)


def _await_file(path: Path, process: subprocess.Popen[bytes]) -> str:
    """Another process announces itself by a file; nothing else tells that it has."""
    for _ in range(4000):
        if path.exists():
            return path.read_text()
        if process.poll() is not None:
            raise RuntimeError(f"a part ended with {process.returncode} before it was ready")
        time.sleep(0.005)
    raise RuntimeError(f"{path.name} was never written")
