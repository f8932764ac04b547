"""``fenghuo demo`` as a process: it says what to open, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import pytest

from bot.commands.demo import run_demo
from bot.store.locks import HUB_LOCK, SERVER_LOCK, take

ROOT = Path(__file__).parent.parent.parent
START = """
import sys
from pathlib import Path
from bot.commands.demo import run_demo
sys.exit(run_demo(Path("var/demo"), 0))
"""


async def test_it_starts_says_what_to_try_and_stops_cleanly(tmp_path: Path) -> None:
    """In the folder it is given by itself, which is relative to where it is started."""
    folder, env = tmp_path / "var" / "demo", {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, cwd=tmp_path, env=env, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    while "Ctrl-C" not in said:
        line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
        said += line.decode()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found is not None
    assert f"{found.group()}/demo" in said
    url = found.group() + "/demo/api/stream"
    # A page stays open, as it does when people press Ctrl-C.
    async with aiohttp.ClientSession() as session, session.get(url) as stream:
        await stream.content.readline()
        process.send_signal(signal.SIGINT)
        out, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    assert "stopping" in out.decode()
    for name in (HUB_LOCK, SERVER_LOCK):
        descriptor = take(folder / "data" / "store" / name)
        assert descriptor is not None, f"somebody still holds {name}"
        os.close(descriptor)


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run_demo(tmp_path / "demo", taken.getsockname()[1]) == 1
    assert "--port" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
