"""No secret leaves the configuration: every command is run, vendors refuse and are away, and all that was printed,
logged, shown and backed up is searched."""

from __future__ import annotations

import argparse
import asyncio
import base64
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from bot.cli import _parser
from tests.ports import free_port
from tests.serve.town import DUST, WORKER, Town

pytestmark = pytest.mark.timeout(180)

ELSEWHERE = {"serve", "demo", "init", "passwd"}
"""Whose output is the hub's log; that runs in a process of its own; that make secrets."""
MORE = """
[channels.feishu]
kind = "feishu_robot"
hook = "file:secrets/canary-hook"
secret = "file:secrets/canary-feishu"
readers = ["qinghe"]
base_url = "http://127.0.0.1:{port}"
timeout = 1.0

[channels.dingtalk]
kind = "dingtalk_robot"
token = "file:secrets/canary-token"
secret = "file:secrets/canary-dingtalk"
readers = ["qinghe"]
base_url = "http://127.0.0.1:{port}"
timeout = 1.0

[channels.ding]
kind = "dingtalk_app"
client_id = "dingdemo00000001"
client_secret = "file:secrets/canary-ding"
base_url = "http://127.0.0.1:{port}"
inbound = "stream"
timeout = 1.0

[channels.ding-group]
kind = "dingtalk_app_group"
client_id = "dingdemo00000001"
client_secret = "file:secrets/canary-ding"
conversation = "cidDEMO=="
readers = ["qinghe"]
base_url = "http://127.0.0.1:{port}"
timeout = 1.0

[channels.cloud]
kind = "sms_aliyun"
access_key_id = "FAKEKEYID0001"
access_key_secret = "file:secrets/canary-aliyun"
endpoint = "http://127.0.0.1:{port}"
signature = "青河应急"
timeout = 1.0
templates = [
    {{ code = "SMS_1", text = "预警：${{a}}，${{b}}，${{c}}，${{d}}。", variables = [
        {{ name = "a", part = "text" }},
        {{ name = "b", part = "text" }},
        {{ name = "c", part = "text" }},
        {{ name = "d", part = "text" }},
    ] }},
]

[channels.stream]
kind = "redis_stream"
url = "redis://127.0.0.1:{port}"
username = "fenghuo"
password = "file:secrets/canary-redis"
stream = "answers"
timeout = 1.0
"""


def add_channels(town: Town) -> None:
    """Vendors of every kind that nobody answers for, each with a marked secret."""
    folder = town.config.parent / "secrets"
    for name in ("hook", "feishu", "token", "aliyun", "redis", "ding"):
        (folder / f"canary-{name}").write_text(f"canary+/{name}=31337")
    (folder / "canary-dingtalk").write_text("SECcanary+dingtalk=31337")
    (folder / "canary-hook").write_text("canary+hook=31337")
    (folder / "canary-token").write_text("canary+token=31337")
    for path in folder.iterdir():
        path.chmod(0o600)
    town.config.write_text(town.config.read_text() + MORE.format(port=free_port()))


def forms(folder: Path) -> dict[str, str]:
    """Every secret of the configuration in every form in which it travels, and its name."""
    found: dict[str, str] = {}
    for path in folder.iterdir():
        secret = path.read_text().strip()
        plain = secret.encode()
        for form in (secret, quote(secret, safe=""), quote_plus(secret), base64.b64encode(plain).decode()):
            found[form] = path.name
    assert len(found) > 20
    return found


def commands() -> set[str]:
    """What ``fenghuo`` can be asked."""
    (choices,) = [each.choices for each in _parser()._actions if isinstance(each, argparse._SubParsersAction)]
    return set(choices)


async def test_no_secret_is_printed_logged_shown_or_backed_up(town: Town, tmp_path: Path) -> None:
    add_channels(town)
    said: dict[str, str] = {}
    asked: set[str] = set()

    async def run(*arguments: str) -> None:
        ran = await town.run(*arguments)
        asked.add(arguments[0])
        said[f"{' '.join(arguments)} #{len(said)}"] = ran.out + ran.err

    await town.start()
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    both: tuple[tuple[str, ...], ...] = ((), ("--json",))
    told = [*((each, "--channel") for each in ("feishu", "dingtalk", "ding-group", "stream")), ("bai", "--to")]
    for more in both:
        # At the same time, as several people do: most of what a test message takes is waiting for its answer.
        await asyncio.gather(
            run("check", "--online", *more),
            run("channels", *more),
            *(run("send-test", way, whom, "--wait", "1", *more) for whom, way in told),
        )
        await asyncio.gather(
            run("show", code, *more),
            run("dead", "list", *more),
            run("quarantine", "list", *more),
            run("verify", *more),
            run("explain", "--enterprise", DUST, "--kind", "warning", "--level", "orange", *more),
            run("understand", "签收 A0001", *more),
        )
    await run("backup", str(tmp_path / "backup"))
    await run("open-anyway")
    for path in ("/metrics", "/readyz", "/healthz"):
        said[path] = (await town.get(path))[1]

    # Keys that their vendors refuse, and vendors that are away.
    for name in ("sms-password", "county-group", "app-secret"):
        (town.config.parent / "secrets" / name).write_text(f"canary+{name}=31337")
    assert await town.stop() == 0
    await run("restore", str(tmp_path / "nothing"))
    await run("replay", "nothing.jsonl")
    await town.start()
    await run("check", "--online")
    refused = (("--to", "bai"), ("--channel", "county-group"), ("--to", "hedong-leader"))
    await asyncio.gather(*(run("send-test", *whom, "--wait", "2") for whom in refused))
    await run("channels")
    await run("dead", "list")
    assert await town.stop() == 0
    assert asked == commands() - ELSEWHERE
    said["the log"] = town.log.read_text()
    for file in (path for path in (tmp_path / "backup").rglob("*") if path.is_file()):
        said[f"backup {file.name}"] = file.read_bytes().decode("utf-8", "replace")
    secrets = forms(town.config.parent / "secrets")
    assert [(where, secrets[form]) for where, text in said.items() for form in secrets if form in text] == []
