"""``check --online``: what a vendor does not take is said with the place of the setting and what to do about it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from bot.commands.check import report, run_check
from bot.demo.simulators.aliyun import AliyunSms
from bot.demo.simulators.vendor import listening
from bot.online import Greeted, greet_all
from tests.channels.aliyun_account import KEY_ID, KEY_SECRET, NOTICE, SENTENCE, TEMPLATES
from tests.ports import free_port
from tests.settings.conftest import Folder

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "check.schema.json"
TABLE = """
[channels.cloud]
kind = "sms_aliyun"
access_key_id = "{key_id}"
access_key_secret = "file:secrets/cloud"
endpoint = "{url}"
signature = "青河应急"

[[channels.cloud.templates]]
code = "{notice}"
text = "{notice_text}"
variables = [
    {{ name = "level" }},
    {{ name = "news" }},
    {{ name = "place" }},
    {{ name = "reading" }},
    {{ name = "due" }},
    {{ name = "ask" }},
    {{ name = "code" }},
]

[[channels.cloud.templates]]
code = "{sentence}"
text = "{sentence_text}"
variables = [
    {{ name = "a", part = "text" }},
    {{ name = "b", part = "text" }},
    {{ name = "c", part = "text" }},
]
topics = ["sentence"]
"""


def now() -> int:
    return time.time_ns() // 1_000_000


def with_cloud(folder: Folder, url: str, secret: str = KEY_SECRET, key_id: str = KEY_ID) -> None:
    """Only this channel's vendor is there; nobody answers for the example's others."""
    folder.put("secrets/cloud", secret)
    texts = {"notice_text": TEMPLATES[NOTICE], "sentence_text": TEMPLATES[SENTENCE]}
    folder.append(TABLE.format(url=url, key_id=key_id, notice=NOTICE, sentence=SENTENCE, **texts))


def last_line_of(folder: Folder, text: str) -> int:
    """Where it stands in what was appended: the example shows the like of it before."""
    lines = folder.main.read_text(encoding="utf-8").splitlines()
    return max(number for number, line in enumerate(lines, 1) if text in line)


async def greeted(folder: Folder, channel: str = "cloud") -> Greeted:
    loaded = folder.load()
    assert loaded.settings is not None, [problem.text() for problem in loaded.problems]
    one = loaded.settings.model_copy(update={"channels": {channel: loaded.settings.channels[channel]}})
    (found,) = await greet_all(one, loaded.place, now())
    Draft202012Validator(orjson.loads(SCHEMA.read_bytes())).validate(
        orjson.loads(orjson.dumps(report(loaded, [found])))
    )
    return found


async def test_a_template_that_the_vendor_refused_is_found_at_its_line(folder: Folder) -> None:
    vendor = AliyunSms(KEY_ID, KEY_SECRET, ("青河应急",), TEMPLATES, now)
    async with listening(vendor.app()) as url:
        with_cloud(folder, url)
        well = await greeted(folder)
        vendor.reviews[SENTENCE] = (2, "变量过多")
        refused = await greeted(folder)
    assert (well.good, well.text("zh").count("\n")) == (True, 0)
    line = last_line_of(folder, f'code = "{SENTENCE}"')
    assert refused.text("zh") == (
        f"  ✗ cloud（sms_aliyun） 对方拒绝：模板 {SENTENCE} 没有通过审核（变量过多）\n"
        f"    → config.toml:{line}:8 channels.cloud.templates[1].code：照对方说的改；"
        "每个代码的意思见 docs/channels/sms_aliyun.md"
    )
    assert f"config.toml:{line}:8" in refused.text("en")
    assert vendor.received == []


@pytest.mark.parametrize(
    ("wrong", "line"),
    [({"secret": "canary-31337"}, "access_key_secret"), ({"key_id": "canaryid"}, 'access_key_id = "canaryid"')],
)
async def test_a_wrong_key_is_found_at_its_line_and_not_shown(folder: Folder, wrong: dict[str, Any], line: str) -> None:
    vendor = AliyunSms(KEY_ID, KEY_SECRET, ("青河应急",), TEMPLATES, now)
    async with listening(vendor.app()) as url:
        with_cloud(folder, url, **wrong)
        found = await greeted(folder)
    assert found.verdict == "wrong_key"
    assert f"→ config.toml:{last_line_of(folder, line)}:" in found.text("zh")
    assert "重新复制" in found.text("zh")
    assert "canary" not in found.text("zh")


async def test_a_channel_of_an_included_file_is_found_there(folder: Folder) -> None:
    port = free_port()
    folder.include(
        f'[channels.away]\nkind = "sms_kannel"\nurl = "http://127.0.0.1:{port}/cgi-bin/sendsms"\n'
        'username = "fenghuo"\npassword = "file:secrets/away"\n'
    )
    folder.put("secrets/away", "fake-password")
    found = await greeted(folder, "away")
    assert found.verdict == "no_route"
    assert "→ contacts/more.toml:1:1 channels.away：检查网络" in found.text("zh")


def test_where_the_configuration_has_errors_nobody_is_greeted_and_that_is_said(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.edit('address = "13800130003"', 'address = "1380O13000A"')
    line = folder.line_of("1380O13000A")
    assert run_check(folder.main, "zh", online=True) == 1
    said = capsys.readouterr().out
    assert f"config.toml:{line}:" in said
    assert "1380O13000A 不是手机号码" in said
    assert "没有登录各渠道" in said
    assert run_check(folder.main, "en", online=True) == 1
    assert "no vendor was greeted" in capsys.readouterr().out
    assert run_check(folder.main, "zh") == 1
    assert "没有登录" not in capsys.readouterr().out
