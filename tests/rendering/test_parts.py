"""Parts for approved templates: every kind of notice has them, and a drill is one from its first word."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from bot.rendering.renderer import Renderer
from channels.sms.registered import PARTS, TEXT, TOPICS, neutral
from escalation.notice import NoticeKind
from escalation.vocabulary import Mode, Purpose
from tests.rendering.cast import CALL, DIRECTORY, KINDS, NOW, SMS, scene

REGISTERED = replace(SMS, registered=frozenset(TOPICS), max_chars=99)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("purpose", Purpose)
def test_every_notice_has_every_part(kind: NoticeKind, mode: Mode, purpose: Purpose) -> None:
    incident, notice = scene(kind)
    incident = msgspec.structs.replace(incident, mode=mode)
    notice = msgspec.structs.replace(notice, purpose=purpose)
    made = Renderer(lambda: DIRECTORY).render(incident, notice, REGISTERED, NOW)
    assert not made.failed, made.error
    assert made.topic == kind
    assert set(made.parts) == set(PARTS) - {TEXT}
    assert made.parts["code"] == incident.code
    assert made.parts["level"].startswith(mode.mark.strip("【】"))
    assert 2 <= len(neutral(made.parts["level"])) <= 8
    assert made.parts["news"]
    assert made.parts["duty"] == purpose.word
    assert len(made.text) <= 99
    assert not made.parts["note"].isascii() or not made.parts["note"], "no word of the hub's own"


def test_a_rise_says_from_which_level() -> None:
    incident, notice = scene(NoticeKind.ROSE)
    notice = msgspec.structs.replace(notice, note="orange")
    assert Renderer(lambda: DIRECTORY).render(incident, notice, REGISTERED, NOW).parts["note"] == "原橙色"


def test_other_channels_are_given_no_parts() -> None:
    made = Renderer(lambda: DIRECTORY).render(*scene(NoticeKind.RAISED), SMS, NOW)
    assert (made.topic, dict(made.parts)) == ("", {})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", Mode)
def test_a_call_reads_the_code_sign_by_sign_and_says_the_mode_first(kind: NoticeKind, mode: Mode) -> None:
    incident, notice = scene(kind)
    made = Renderer(lambda: DIRECTORY).render(msgspec.structs.replace(incident, mode=mode), notice, CALL, NOW)
    assert not made.failed, made.error
    assert made.parts["code"] == "，".join(incident.code)
    assert made.parts["level"].startswith(mode.mark.strip("【】"))
    assert made.text.startswith(mode.mark)
    assert incident.code in made.text


def test_a_call_without_a_key_sends_to_what_can_be_read() -> None:
    keyed = Renderer(lambda: DIRECTORY).render(*scene(NoticeKind.REMIND), CALL, NOW)
    spoken = Renderer(lambda: DIRECTORY).render(*scene(NoticeKind.REMIND), replace(CALL, key=""), NOW)
    assert (keyed.parts["ask"], spoken.parts["ask"]) == ("签收请按1", "请查看文字消息并办理")
