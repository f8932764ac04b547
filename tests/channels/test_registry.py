"""Channels are found, not listed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import TypeAdapter, ValidationError

from channels.channel import Channel
from channels.registry import UnknownKindError, kinds, open_channel, parse, settings_type

ROBOT = {"kind": "wecom_robot", "key": "fake-robot-key-0001", "readers": ["town"]}
MAIL = {"kind": "smtp_mail", "host": "mail.example.com", "sender": "fenghuo@example.com"}


def test_all_channels_of_the_package_are_found() -> None:
    assert list(kinds()) == [
        "dingtalk_app",
        "dingtalk_app_group",
        "dingtalk_robot",
        "feishu_robot",
        "redis_stream",
        "sms_aliyun",
        "sms_kannel",
        "sms_mas",
        "sms_spool",
        "sms_tencent",
        "smtp_mail",
        "voice_aliyun",
        "voice_tencent",
        "webhook",
        "wecom_aibot",
        "wecom_aibot_group",
        "wecom_app",
        "wecom_robot",
    ]


async def test_a_table_becomes_a_channel(session: aiohttp.ClientSession) -> None:
    for name, table in (("duty", ROBOT), ("mail", MAIL)):
        settings = parse(name, table)
        channel: Channel = open_channel(name, settings, session)
        assert channel.name == name
        assert channel.abilities.kind == table["kind"]
        await channel.close()


@pytest.mark.parametrize("table", [{}, {"kind": "pigeon"}, {"kind": 7}, {"kind": ["webhook"]}])
def test_an_unknown_kind_says_which_there_are(table: dict[str, Any]) -> None:
    known = "、".join(kinds())
    with pytest.raises(UnknownKindError, match=rf"渠道 duty.*{known}"):
        parse("duty", table)


def test_wrong_tables_name_their_fields() -> None:
    with pytest.raises(ValidationError) as caught:
        parse("duty", {**ROBOT, "per_minute": 99})
    assert caught.value.errors()[0]["loc"] == ("per_minute",)


def test_the_union_tells_kinds_apart() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(settings_type())
    found = [adapter.validate_python(table) for table in (ROBOT, MAIL)]
    assert [type(each).__module__ for each in found] == ["channels.wecom.robot", "channels.mail.settings"]
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "pigeon"})
    assert "wecom_robot" in str(adapter.json_schema())


PIGEON = """
from typing import Literal
from pydantic import BaseModel
class Settings(BaseModel):
    kind: Literal['pigeon']
class Driver:
    def __init__(self, name, settings, session): self.name = name
"""


def _run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """``program`` with the modules of ``folder`` standing in the package of channels."""
    opening = f"import channels; channels.__path__.append({str(folder)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", opening + program], capture_output=True, text=True, check=False, timeout=10
    )


def test_a_new_module_is_a_new_channel_without_touching_a_list(tmp_path: Path) -> None:
    (tmp_path / "pigeon.py").write_text(PIGEON)
    program = (
        "from channels.registry import kinds, open_channel, parse\n"
        "print(open_channel('loft', parse('loft', {'kind': 'pigeon'}), None).name, len(kinds()))\n"
    )
    assert _run(tmp_path, program).stdout == f"loft {len(kinds()) + 1}\n"


def test_two_modules_cannot_claim_one_kind(tmp_path: Path) -> None:
    (tmp_path / "pigeon.py").write_text(PIGEON)
    (tmp_path / "dove.py").write_text(PIGEON)
    done = _run(tmp_path, "from channels.registry import kinds; kinds()")
    assert "two channels claim the kind 'pigeon': channels.dove and channels.pigeon" in done.stderr
