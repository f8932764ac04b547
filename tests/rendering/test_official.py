"""The text for the official system: whole where there is room, else shorter; nothing where it is unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bot.rendering.engine import Engine
from bot.rendering.official import official_texts
from bot.rendering.renderer import Renderer
from bot.rendering.shorten import units
from channels.channel import Form
from escalation.incident import Incident, IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind, Mode, Verb
from tests.rendering.cast import CHANNELS, DIRECTORY, MINUTE, NOW, SMS, deed, notice, scene

RENDERER = Renderer(lambda: DIRECTORY)
WHOLE = """企业：示例木业有限公司（91000000DEM0000019）
点位：1号除尘器灰斗温度
警情：监测报警，高高报，2026-11-22 02:11发生，编号A0231
核查：传感器故障，现场核实为温度探头故障（示例木业安全员张安，2026-11-22 02:12）
处置：已更换探头，温度显示正常（示例木业安全员张安，2026-11-22 02:13）
现状：上游仍在报警"""


def reported(**more: Any) -> Incident:
    return msgspec.structs.replace(scene(NoticeKind.OFFICIAL)[0], **more)


def texts(made: Incident) -> list[str]:
    return list(official_texts(Engine(), made, made.duties[0], DIRECTORY))


def test_the_whole_text() -> None:
    assert texts(reported())[0] == WHOLE


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"active": False, "cleared_at": NOW - MINUTE}, "现状：2026-11-22 02:12数值恢复"),
        ({"active": False, "state": IncidentState.CLOSED, "closed_at": NOW}, "现状：2026-11-22 02:13关闭"),
    ],
)
def test_it_says_how_it_stands(more: dict[str, Any], line: str) -> None:
    assert texts(reported(**more))[0].splitlines()[-1] == line


def test_each_wording_is_shorter_and_keeps_who_when_and_which() -> None:
    long = deed(Verb.DISPOSE, text="已更换探头，" * 33, at=NOW)
    made = reported()
    made.duties[0].disposed = long
    found = texts(made)
    lengths = [units(each) for each in found]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < 220
    for each in found:
        assert "编号A0231" in each
        assert each.count("张安，2026-11-22") == 2


@pytest.mark.parametrize("missing", ["verified", "disposed"])
def test_nothing_is_made_up(missing: str) -> None:
    made = reported()
    setattr(made.duties[0], missing, None)
    assert texts(made) == []


def test_an_exercise_is_marked_in_what_is_pasted_too() -> None:
    assert texts(reported(mode=Mode.EXERCISE))[0].startswith("【演练】企业")


@pytest.mark.parametrize("name", [name for name, channel in CHANNELS.items() if channel.form is not Form.JSON])
def test_the_reminder_brings_the_text(name: str) -> None:
    sent = notice(NoticeKind.REMIND, clock=ClockKind.FEEDBACK)
    out = RENDERER.render(reported(), sent, CHANNELS[name], NOW + 61 * MINUTE)
    assert not out.failed, out.error
    assert "逾期" in out.text
    assert "处置：已更换探头" in out.text


def test_a_reminder_of_another_clock_does_not() -> None:
    out = RENDERER.render(reported(), notice(NoticeKind.REMIND, clock=ClockKind.SIGN), SMS, NOW)
    assert "已更换探头" not in out.text


def test_a_short_message_still_says_what_to_do() -> None:
    out = RENDERER.render(
        reported(), notice(NoticeKind.OFFICIAL, clock=ClockKind.FEEDBACK), replace(SMS, max_chars=70), NOW
    )
    assert "在原系统反馈" in out.text
    assert "系统已反馈 A0231" in out.text
    assert units(out.text) <= 70
