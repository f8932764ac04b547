"""A backup taken from a running hub, the machine lost, and everything that was accepted before it back again."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.cli import main
from tests.serve.town import WORKER, Ran, Town

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)


def valid(name: str, printed: Ran) -> dict[str, object]:
    """The command's JSON, held against its schema."""
    Draft202012Validator(json.loads((ROOT / f"docs/schema/{name}.schema.json").read_bytes())).validate(printed.json)
    found: dict[str, object] = printed.json
    return found


async def run(town: Town, *arguments: str) -> Ran:
    """A command with this configuration, in this process: each new one takes its time to start."""
    out, err = io.StringIO(), io.StringIO()

    def here() -> int:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                return main([*arguments, "--config", str(town.config)])
            except SystemExit as end:
                return int(str(end.code))

    code = await asyncio.to_thread(here)
    return Ran(code, out.getvalue(), err.getvalue())


async def restore(town: Town, target: Path, *more: str) -> Ran:
    return await run(town, "restore", str(target), "--json", *more)


async def test_what_was_accepted_before_the_backup_is_back_and_goes_on(town: Town, tmp_path: Path) -> None:
    await town.start()
    signed, owed = await town.raised("e1"), await town.raised("e2", point="P2")
    await town.told(owed, address=WORKER)
    assert await town.write(WORKER, f"签收 {signed}") == 202
    await town.told("已记录签收", signed, address=WORKER)
    await town.until_anchored()

    # The copy is made in the middle of a stream of events.
    before, accepted, stop = await town.raised("s", point="S"), list[str](), asyncio.Event()

    async def stream() -> None:
        while not stop.is_set():
            accepted.append(await town.raised(f"s{len(accepted)}", point=f"S{len(accepted) % 5}"))

    streaming = asyncio.create_task(stream())
    target = tmp_path / "backup"
    made = await run(town, "backup", str(target), "--json")
    await town.raised("later", point="LATER")
    stop.set()
    await streaming
    assert made.code == 0, made.err
    listed = valid("backup", made)
    assert not any("secrets/" in kept["path"] for kept in made.json["files"])
    assert "secrets/sms-password" in made.json["left_out"]
    assert listed["rows"]

    anchor_later = tmp_path / "anchor-later.json"
    await town.until_anchored()
    shutil.copy(town.data / "anchor.json", anchor_later)
    refused = await restore(town, target)
    assert refused.code == 1
    assert "不是空的" in refused.err
    await town.kill()
    town.kill_store()
    shutil.rmtree(town.data)

    found = await restore(town, target, "--anchor", str(anchor_later))
    assert found.code == 0, found.err
    report = valid("restore", found)
    assert report["ok"] is True
    assert report["made_at"] == listed["made_at"]
    assert report["lost"], "a later anchor knows what came after"
    assert isinstance(report["open"], int)
    assert 3 <= report["open"] <= 3 + len(set(accepted))

    await town.start()
    assert (await run(town, "verify")).code == 0
    story = await town.ask(f"/show/{signed}")
    assert any(duty["signed_by"] for duty in story["duties"])
    for code in (owed, before):
        assert (await town.ask(f"/show/{code}"))["state"] == "open"
    new = await town.raised("after", point="AFTER")
    assert new not in {signed, owed, before, *accepted}, "no code is given out twice"
    await town.told(new, address=WORKER)


async def test_configuration_and_secrets_come_back_where_they_were_asked_for(town: Town, tmp_path: Path) -> None:
    await town.start()
    code = await town.raised("e1")
    assert await town.stop() == 0
    target = tmp_path / "backup"
    made = await run(town, "backup", str(target), "--secrets", "--json")
    assert made.json["secrets"] is True
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.rglob("*"))
    shutil.rmtree(town.config.parent)
    town.config.parent.mkdir()
    found = await restore(town, target)
    assert found.code == 0, found.err
    assert found.json["lost"] == []
    await town.start()
    assert (await town.ask(f"/show/{code}"))["code"] == code


async def test_a_backup_that_is_not_whole_or_was_changed_is_refused(town: Town, tmp_path: Path) -> None:
    await town.start()
    await town.raised("e1")
    assert await town.stop() == 0
    target = tmp_path / "backup"
    assert (await run(town, "backup", str(target))).code == 0
    again = await run(town, "backup", str(target))
    assert (again.code, "不是空的" in again.err) == (1, True)
    inside = await run(town, "backup", str(town.data / "copy"))
    assert (inside.code, "里面" in inside.err) == (1, True)
    shutil.rmtree(town.data)

    (file,) = (target / "data" / "store" / "appendonlydir").glob("*.incr.aof")
    whole = file.read_bytes()
    for spoiled, says in ((whole[:-1] + b"x", "校验和"), (whole[:-1], "校验和"), (None, "缺少")):
        file.unlink()
        if spoiled is not None:
            file.write_bytes(spoiled)
        else:
            file.touch()
            file.unlink()
        refused = await restore(town, target)
        assert (refused.code, says in refused.err) == (1, True), refused
        assert not town.data.exists()
        file.write_bytes(whole)
    (target / "backup.json").rename(target / "moved")
    refused = await restore(town, target)
    assert (refused.code, "不是完整的备份" in refused.err) == (1, True)
    (target / "moved").rename(target / "backup.json")
    assert (await restore(town, target)).code == 0
