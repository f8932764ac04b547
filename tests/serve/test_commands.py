"""The commands as a person meets them: what is asked wrongly gets one clear sentence and an exit code."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from bot.cli import main
from bot.control import SOCKET
from tests.serve.nursery import ROOT
from tests.serve.town import DUST, PROGRAM, WORKER, Town, alarm, command

pytestmark = pytest.mark.timeout(120)
EXPLAIN = ("explain", "--enterprise", DUST, "--kind", "warning", "--level", "orange", "--at", "2026-11-21T02:00")


@pytest.mark.parametrize(
    "asked",
    [
        ("serve",),
        ("check",),
        ("show", "A0001"),
        ("verify",),
        EXPLAIN,
        ("replay", "x"),
        ("open-anyway",),
        ("quarantine", "list"),
    ],
)
def test_without_a_configuration(
    tmp_path: Path, asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(*asked) == (1 if asked == ("check",) else 2)
    said = capsys.readouterr()
    assert "找不到或读不了文件 config.toml" in said.out + said.err
    assert list(tmp_path.iterdir()) == []


def ended(*arguments: str) -> int:
    """Run a command in this process; its exit code."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(str(end.code))


async def test_from_init_to_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first steps from a shell, what follows in this process: only importing the program takes long."""
    assert (await command("init", cwd=tmp_path)).code == 0
    refused = await command("serve", cwd=tmp_path)
    assert refused.code == 2
    assert "示例规则" in refused.err
    assert "adopt_sample" in refused.err
    config = ("--config", str(tmp_path / "config.toml"))
    assert await asyncio.to_thread(ended, "init", str(tmp_path)) == 1
    assert await asyncio.to_thread(ended, "check", *config) == 0
    for asked in (("show", "A0001"), ("verify",), ("open-anyway",)):
        capsys.readouterr()
        assert await asyncio.to_thread(ended, *asked, *config) == 2
        assert "还没有数据" in capsys.readouterr().err
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("show", "zzz"), "A0231"),
        (("show", "../verify"), "A0231"),
        ((*EXPLAIN[:-1], "tomorrow"), "2026-11-21T02:00"),
        (("explain", "--enterprise", "nobody", *EXPLAIN[3:]), "未登记"),
        (("explain", "--enterprise", DUST, "--at", "2026-11-21T02:00"), "--severity"),
        (("replay", "nowhere.jsonl"), "nowhere.jsonl"),
        (("replay", __file__), "第 1 行"),
        (("replay", __file__, "--until", "soon"), "2026-11-21T02:00"),
        (("verify",), "还没有数据"),
        (("quarantine", "list"), "还没有数据"),
        (("quarantine", "retry", "x"), "还没有数据"),
        (("quarantine", "drop", "x", "--why", " "), "还没有数据"),
    ],
)
def test_what_is_asked_wrongly(
    county: Path, asked: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*asked, "--config", str(county)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


async def test_whoever_reads_the_beginning_only_is_no_error(county: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *EXPLAIN,
            "--config",
            str(county),
            cwd=ROOT,
            stdout=writer,
            stderr=asyncio.subprocess.PIPE,
        )
    finally:
        os.close(writer)
    _, said = await process.communicate()
    assert (process.returncode, said) == (141, b"")


async def test_a_running_hub_answers_and_without_one_the_store_is_opened(town: Town) -> None:
    await town.start()
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    assert (await town.run("show", "A9999")).code == 1
    running = await town.run("show", code.lower())
    assert running.code == 0
    assert "未签收" in running.out
    assert (await town.run("verify")).code == 0
    assert (await town.run("open-anyway")).out.startswith("存储与锚点一致")
    second = await town.run("serve")
    assert second.code == 2
    assert "烽火" in second.err or "hub" in second.err
    assert await town.stop() == 0
    assert not (town.data / SOCKET).exists()

    alone = await town.run("show", code)
    assert alone.code == 0
    assert alone.out == running.out
    assert (await town.run("show", "A9999")).code == 1
    assert (await town.run("verify", "--json")).json["ok"]
    assert town.store_pids == []


async def test_a_dead_hubs_socket_is_no_hub(town: Town) -> None:
    await town.start()
    code = await town.raised("e1")
    await town.kill()
    assert (town.data / SOCKET).exists()
    assert town.store_pids != []
    assert (await town.run("show", code)).code == 0
    assert town.store_pids == [], "the command adopted the orphan and stopped it in order"


async def test_the_port_is_taken(town: Town) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", town.port))
        taken.listen()
        ran = await town.run("serve")
    assert ran.code == 2
    assert f"127.0.0.1:{town.port}" in ran.err
    assert "hub.port" in ran.err
    assert town.store_pids == []


async def test_a_folder_with_a_path_too_long_for_a_socket(town: Town) -> None:
    long = town.config.parent / ("很长的文件夹" * 10)
    assert len(bytes(long)) > 107
    town.edit('data = "data"', f'data = "{long.name}"')
    town.data = long
    await town.start()
    code = await town.raised("e1")
    ran = await town.run("show", code)
    assert ran.code == 0
    assert (long / SOCKET).is_socket()
    assert await town.stop() == 0
    assert (await town.run("show", code)).code == 0


async def test_another_number_of_partitions(town: Town) -> None:
    await town.start()
    assert (await town.post(alarm("e1"))).status == 202
    assert await town.stop() == 0
    town.edit("[hub]\n", "[hub]\npartitions = 8\n")
    for asked in (("serve",), ("verify",)):
        ran = await town.run(*asked)
        assert ran.code == 2
        assert "hub.partitions = 8" in ran.err
