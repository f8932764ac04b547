"""``replay``: answers, arrival, the end, lines that cannot be replayed, and a trial."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.rehearsal.replay import BadLine, read_lines
from bot.settings.models import Settings
from bot.store.client import Store
from tests.rehearsal.stage import raised, replayed, reply

AT = "2026-11-21T02:00:00+08:00"


async def test_a_signature_stops_the_ladder_of_its_own_duty(settings: Settings, store: Store, tmp_path: Path) -> None:
    alone = await replayed(store, settings, tmp_path, [raised("e1", AT)], "2026-11-21T04:00")
    signed = reply("签收", "bai", "2026-11-21T02:05:00+08:00", about="e1")
    answered = await replayed(store, settings, tmp_path, [raised("e1", AT), signed], "2026-11-21T04:00")
    (answer,) = answered.answers
    assert "已记录签收" in answer.answer
    assert answered.incidents[0].signed == ["白木匠 2026-11-21T02:05:00+08:00"]
    assert "remind" in {each.kind for each in alone.told}
    assert len(answered.told) < len(alone.told)


async def test_an_answer_goes_to_the_event_it_is_about(settings: Settings, store: Store, tmp_path: Path) -> None:
    lines = [
        raised("e1", AT),
        raised("e2", AT, point="DC01-P01"),
        reply("签收", "bai", "2026-11-21T02:05:00+08:00", about="e2"),
        reply("1", "bai", "2026-11-21T02:06:00+08:00"),
    ]
    result = await replayed(store, settings, tmp_path, lines)
    assert [bool(each.signed) for each in result.incidents] in ([False, True], [True, True])
    codes = {event.id: event.code for event in result.events}
    signed = {each.code for each in result.incidents if each.signed}
    assert codes["e2"] in signed


async def test_time_goes_on_until_the_moment_asked_for(settings: Settings, store: Store, tmp_path: Path) -> None:
    short = await replayed(store, settings, tmp_path, [raised("e1", AT)], "2026-11-21T02:05")
    long = await replayed(store, settings, tmp_path, [raised("e1", AT)], "2026-11-22T02:00")
    assert short.until == "2026-11-21T02:05:00+08:00"
    assert {each.minute for each in short.told} == {0}
    assert [each for each in long.told if each.at <= short.until] == short.told
    assert len(long.told) > len(short.told)


async def test_lines_are_replayed_by_their_arrival(settings: Settings, store: Store, tmp_path: Path) -> None:
    late = raised("e1", AT) | {"receivedtime": "2026-11-21T02:20:00+08:00"}
    early = raised("e2", "2026-11-21T02:10:00+08:00", point="DC01-P01")
    result = await replayed(store, settings, tmp_path, [late, early])
    assert [(each.id, each.at[11:16]) for each in result.events] == [("e2", "02:10"), ("e1", "02:20")]
    assert {each.at[11:16] for each in result.told} == {"02:10", "02:20"}


async def test_a_trial_enterprise_is_recorded_and_nothing_is_sent(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    enterprises = tuple(each.model_copy(update={"trial": True}) for each in settings.enterprises)
    trial = settings.model_copy(update={"enterprises": enterprises})
    result = await replayed(store, trial, tmp_path, [raised("e1", AT)], "2026-11-21T05:00")
    assert result.incidents
    assert result.told
    assert not any(each.sent for each in result.told)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "第 2 行不是 JSON"),
        ("[]", "第 2 行应为一个对象"),
        ('{"id": "x"}', "第 2 行缺少 time"),
        ('{"id": "x", "time": "soon"}', "第 2 行的事件有误"),
        ('{"reply": "签收"}', "第 2 行的答复有误"),
        ('{"reply": "签收", "by": "bai", "at": "soon"}', "第 2 行的答复有误"),
        ('{"reply": 1, "by": "bai", "at": "2026-11-21T02:00"}', "第 2 行的答复有误"),
        ('{"a": 1, "a": 2, "time": "2026-11-21T02:00"}', "第 2 行"),
        ("\xff\xfe", "第 2 行不是 JSON"),
    ],
)
def test_a_line_that_cannot_be_replayed_is_named(settings: Settings, tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(
        json.dumps(raised("e1", AT)).encode() + b"\n" + line.encode("latin-1" if "\xff" in line else "utf-8")
    )
    if '"a"' in line:
        assert len(read_lines(path, settings)) == 2, "an unreadable event is what intake would quarantine"
        return
    with pytest.raises(BadLine, match=words):
        read_lines(path, settings)


async def test_an_answer_of_nobody_known(settings: Settings, store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadLine, match="人员 ghost 不在配置中"):
        await replayed(store, settings, tmp_path, [raised("e1", AT), reply("签收", "ghost", AT)])
