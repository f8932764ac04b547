"""The hub under a service manager: it says when it is ready, that it lives, and leaves nothing in its hand when told to
stop."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from bot.clock import WallClock
from bot.settings.load import load
from bot.storehouse import Storehouse
from tests.serve.town import Town, alarm

pytestmark = pytest.mark.timeout(120)


async def test_a_service_manager_hears_ready_alive_why_not_and_stopping(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        loop = asyncio.get_running_loop()

        async def heard(*wanted: str) -> list[str]:
            """Every line up to one that begins with a wanted word."""
            lines: list[str] = []
            async with asyncio.timeout(60):
                while not any(line.startswith(wanted) for line in lines):
                    lines += (await loop.sock_recv(manager, 4096)).decode().splitlines()
            return lines

        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        town.launch(from_shell=True)
        assert town.hub is not None
        assert await heard("MAINPID") == ["READY=1", f"MAINPID={town.hub.pid}"]
        assert (await town.get("/healthz"))[0] == 200, "ready means that the doors are open"
        assert "STATUS=ready" in await heard("STATUS=ready")
        for _ in range(3):
            assert await heard("WATCHDOG=1")
        town.kill_store()
        status = next(line for line in await heard("STATUS=") if line.startswith("STATUS="))
        assert status != "STATUS=ready"
        await heard("STATUS=ready")
        assert await town.stop() == 0
        assert "STOPPING=1" in await heard("STOPPING")


async def test_after_a_clean_stop_nothing_waits_for_a_lease(town: Town) -> None:
    """Whatever the hub had claimed is done, or may be taken at once by the next one."""
    await town.start()
    events = [alarm(f"e{number}", point=f"P{number}") for number in range(40)]
    posts = [asyncio.create_task(town.post(*events[start : start + 20])) for start in range(0, 40, 20)]
    await town.told("高报，须处置")
    assert await town.stop() == 0
    taken = [answer for answer in await asyncio.gather(*posts) if answer.status == 202]
    assert taken

    settings = load(town.config).settings
    assert settings is not None
    house = Storehouse(settings, WallClock())
    try:
        await house.open()
        door = house.door()
        keys = [key.decode() for key in await door.execute("KEYS", "fh:*")]
        assert any(key.endswith(":due") for key in keys)
        held = {}
        for key in keys:
            if key.endswith((":due", ":outbox", ":inbox", ":flying")):
                flat = await door.execute("ZRANGE", key, 0, -1, "WITHSCORES")
                # A claim's token has a fraction; the time of a row that is free has none.
                held[key] = [name for name, score in zip(flat[::2], flat[1::2], strict=True) if b"." in score]
        assert {key: names for key, names in held.items() if names} == {}
        assert not any(key.endswith(":flying") for key in keys)
    finally:
        await house.close()
    await town.start()
    for answer in taken:
        for item in answer.body["items"]:
            await town.told(item["code"])
