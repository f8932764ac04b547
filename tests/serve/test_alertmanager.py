"""Debian's real Alertmanager as the sender: raised, sent again, resolved, and a hub that was away meanwhile."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.serve.town import DUST, WORKER, Town, codes_in

pytestmark = [pytest.mark.timeout(180), pytest.mark.part("alertmanager")]

SOURCE = """[sources.prometheus]
token = "file:secrets/source-demo"
allow = ["127.0.0.0/8"]
[sources.prometheus.mapping]
items = "alerts"
id = ["fingerprint", "startsAt"]
type = { path = "status", codes = { firing = "alarm.raised", resolved = "alarm.cleared" } }
time = "startsAt"
cleared_time = "endsAt"
enterprise = "labels.enterprise"
point = "labels.point"
point_name = "annotations.summary"
severity = { path = "labels.severity", codes = { critical = "high_high", warning = "high" } }
value = "annotations.value"

[channels.sms]"""
CONFIG = """
route:
  receiver: fenghuo
  group_by: [enterprise]
  group_wait: 100ms
  group_interval: 500ms
  repeat_interval: 1s
receivers:
  - name: fenghuo
    webhook_configs:
      - url: {url}/events/prometheus
        send_resolved: true
        http_config:
          authorization:
            credentials_file: {token}
"""


class Alertmanager:
    """A running Alertmanager that sends to the town's hub."""

    def __init__(self, town: Town, url: str) -> None:
        self._town = town
        self._url = url
        self._began: dict[str, datetime] = {}

    async def ready(self) -> bool:
        try:
            async with self._town.session.get(f"{self._url}/-/ready") as answer:
                return answer.status == 200
        except OSError:
            return False

    async def alert(self, point: str, *, ended: bool = False, severity: str = "critical", value: str = "86.4") -> None:
        now = datetime.now(UTC)
        labels = {"alertname": "DustTemperature", "enterprise": DUST, "point": point, "severity": severity}
        alert: dict[str, Any] = {"labels": labels, "annotations": {"summary": "1号除尘器灰斗温度", "value": value}}
        alert["startsAt"] = self._began.setdefault(point, now).isoformat()
        alert["endsAt"] = (now if ended else now + timedelta(hours=1)).isoformat()
        async with self._town.session.post(f"{self._url}/api/v2/alerts", json=[alert]) as answer:
            assert answer.status == 200, await answer.text()

    async def sent(self) -> int:
        """How many notifications it has sent, failed ones too."""
        async with self._town.session.get(f"{self._url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        name = 'alertmanager_notification_requests_total{integration="webhook"}'
        return int(float(next(line.rpartition(" ")[2] for line in lines if line.startswith(name))))


def launched(town: Town, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Alertmanager as a process on a port."""
    folder.mkdir()
    config = folder / "am.yml"
    token = town.config.parent / "secrets" / "source-demo"
    config.write_text(CONFIG.format(url=town.url, token=token), "utf-8")
    command = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error"]
    return subprocess.Popen(command, cwd=folder)


@asynccontextmanager
async def alertmanager(town: Town, folder: Path) -> AsyncIterator[Alertmanager]:
    port = free_port()
    process = launched(town, folder, port)
    try:
        made = Alertmanager(town, f"http://127.0.0.1:{port}")
        await town.until(made.ready, "Alertmanager is never ready")
        yield made
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)


async def test_alertmanager_tells_of_an_alarm_again_and_of_its_end(town: Town, tmp_path: Path) -> None:
    town.edit("[channels.sms]", SOURCE)
    await town.start()
    async with alertmanager(town, tmp_path / "am") as sender:
        await sender.alert("DC01-T01")
        first = await town.told("86.4", address=WORKER)
        code = next(iter(codes_in([first])))
        assert "时钟" not in first["text"]
        # It sends again and again, with another text, and within one group beside a second alarm.
        await sender.alert("DC01-T01", value="87.5")
        await sender.alert("DC01-T02", severity="odd")
        second = await town.told("级别不明", address=WORKER)
        other = next(iter(codes_in([second])))
        assert other != code
        before = await sender.sent()

        async def again() -> bool:
            return await sender.sent() >= before + 3

        await town.until(again, "Alertmanager does not repeat")
        # Nobody is there when the end is told: it comes when the hub is back.
        await town.kill()
        await sender.alert("DC01-T01", ended=True)
        await town.start()

        async def returned() -> bool:
            story = await town.ask(f"/show/{code}")
            return any(line["reason"] == "returned" for line in story["lines"])

        await town.until(returned, "the end of the alarm is never heard")
        story = await town.ask(f"/show/{code}")
        assert [line["reason"] for line in story["lines"]].count("opened") == 1
        assert (await town.ask("/quarantine"))["rows"] == []
        other_story = await town.ask(f"/show/{other}")
        assert "unknown_level" in other_story["flags"]
