"""Alertmanager under measurement: Debian's package, one notification for each alert, no wait. It keeps everything in
memory and writes nothing on intake."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.driver import Request, get, http
from bench.processes import free_port, running, until
from bench.receiver import mark

NAME = "Alertmanager"
PROGRAM = "prometheus-alertmanager"

_CONFIG = """
route: {{receiver: bench, group_by: ['...'], group_wait: 0s, group_interval: 5s, repeat_interval: 1h}}
receivers:
- name: bench
  webhook_configs: [{{url: 'http://127.0.0.1:{receiver}/hook', send_resolved: false}}]
"""


def installed() -> str:
    """Its version, or '' where it is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        return ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d[\d.]*)", said.stdout + said.stderr)
    return found[1] if found else "?"


class Theirs:
    """Its process and its alerts."""

    accepted = b"HTTP/1.1 200"

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def request(self, numbers: Sequence[int]) -> Request:
        """A list of alerts."""
        alerts = [
            {
                "labels": {"alertname": "gas", "level": "high", "enterprise": f"e{n % 64}", "seq": mark(n)},
                "annotations": {"value": "31.5", "limit": "24", "unit": "ppm"},
            }
            for n in numbers
        ]
        return numbers, http("/api/v2/alerts", self.port, json.dumps(alerts).encode())

    def processes(self) -> dict[str, int]:
        return {"alertmanager": self._pid}


class StartTheirs:
    """Starts Alertmanager."""

    name = NAME

    @asynccontextmanager
    async def __call__(self, folder: Path, receiver: int) -> AsyncIterator[Theirs]:
        port, log = free_port(), folder / "log"
        config = folder / "alertmanager.yml"
        config.write_text(_CONFIG.format(receiver=receiver))
        command = [
            PROGRAM,
            f"--config.file={config}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        with running(command, log) as process:

            async def ready() -> bool:
                return (await get(port, "/-/ready"))[0] == 200

            await until(ready, process, log)
            yield Theirs(port, process.pid)
