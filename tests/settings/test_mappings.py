"""What `check` finds in mappings and streams before the first event comes."""

from __future__ import annotations

import json

import pytest

from bot.commands.check import run_check
from bot.commands.common import further_findings
from bot.settings import Weight, load
from tests.settings.conftest import Folder, only

TOKEN = 'token = "file:secrets/pages"\nallow = ["10.0.0.0/8"]\n'
GOOD = """
[sources.gateway.mapping]
id = ["devId", "alarmTime"]
type = { path = "state", codes = { "1" = "alarm.raised", "0" = "alarm.cleared" } }
time = { path = "alarmTime", format = "%Y-%m-%d %H:%M:%S" }
enterprise = "entCode"
point = "devId"
severity = { path = "alarmLevel", codes = { "1" = "high_high" } }
"""
SAMPLE = '{"devId":"GAS-001","state":1,"alarmTime":"2026-11-21 03:12:40","entCode":"91000000DEM0000019","alarmLevel":1}'


def with_mapping(folder: Folder, text: str = GOOD, source: str = TOKEN) -> None:
    folder.include(f"[sources.gateway]\n{source}{text}")


def test_a_good_mapping_is_good(folder: Folder) -> None:
    with_mapping(folder)
    assert folder.load().problems == ()


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "words"),
    [
        ('point = "devId"', 'pont = "devId"', "unknown_key", "pont", "point"),
        ('id = ["devId", "alarmTime"]\n', "", "missing", "[sources.gateway.mapping]", "id"),
        ('id = ["devId", "alarmTime"]', 'id = { const = "1" }', "id_const", "id =", "区分"),
        ('"alarm.cleared"', '"alarm.clear"', "pick_word", "type =", "alarm.cleared"),
        ('"high_high"', '"hihg"', "pick_word", "severity =", "high"),
        ('"%Y-%m-%d %H:%M:%S"', '"YYYY-MM-DD"', "pick_format", "time =", "epoch_ms"),
        ('"%Y-%m-%d %H:%M:%S"', '"%H:%M"', "pick_format", "time =", "epoch_ms"),
        ('point = "devId"', 'point = "dev..id"', "bad_path", "point =", "labels.point"),
        ('point = "devId"', "point = {}", "pick_source", "point =", "path"),
        ('point = "devId"', 'point = { path = "a", const = "b" }', "pick_source", "point =", "const"),
        ('point = "devId"', 'point = { path = "a", format = "epoch" }', "pick_needless", "point =", "format"),
        ('path = "state"', 'path = ["a", "b"]', "pick_code", "type =", "2"),
        ('enterprise = "entCode"\n', "", "mapping_enterprise", "[sources.gateway.mapping]", "enterprise_name"),
    ],
)
def test_what_is_wrong_with_a_mapping(folder: Folder, old: str, new: str, code: str, line: str, words: str) -> None:
    assert old in GOOD
    with_mapping(folder, GOOD.replace(old, new))
    problems = [problem for problem in folder.load().problems if problem.code == code]
    assert problems, folder.load().problems
    assert problems[0].line == folder.line_of(line, "contacts/more.toml")
    assert words in problems[0].text()


def test_a_mapping_without_a_grade_is_warned_of(folder: Folder) -> None:
    with_mapping(folder, "\n".join(line for line in GOOD.splitlines() if not line.startswith("severity")))
    problem = only(folder.load())
    assert (problem.severity, problem.code) == (Weight.WARNING, "mapping_grade")


def test_a_sample_is_mapped_and_shown(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    with_mapping(folder, f"{GOOD}sample = '{SAMPLE}'\n")
    assert run_check(folder.main, "zh", False, [further_findings]) == 0
    said = capsys.readouterr().out
    assert "sources.gateway" in said
    assert "time=2026-11-21T03:12:40+08:00" in said
    assert run_check(folder.main, "zh", True, [further_findings]) == 0
    (sample,) = json.loads(capsys.readouterr().out)["samples"]
    (event,) = sample["events"]
    assert (event["id"], event["severity"], event["flags"]) == (
        "GAS-001|2026-11-21 03:12:40|alarm.raised",
        "high_high",
        [],
    )


@pytest.mark.parametrize(
    ("sample", "words"), [(SAMPLE.replace("devId", "deviceId"), "/devId"), ("{", "JSON"), ("[1]", "/0")]
)
def test_a_sample_that_does_not_map_is_an_error(folder: Folder, sample: str, words: str) -> None:
    with_mapping(folder, f"{GOOD}sample = '{sample}'\n")
    loaded = load(folder.main, environment={}, further=[further_findings])
    assert loaded.settings is None
    problem = loaded.problems[0]
    assert words in problem.message_zh
    assert problem.line == folder.line_of("sample =", "contacts/more.toml")


STREAM = 'kind = "stream"\n'
TABLE = '[sources.gateway.stream]\nnames = ["alarms"]\n'


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (f"{STREAM}{TOKEN}{TABLE}", "stream_proof"),
        (STREAM, "stream_missing"),
        (f"{TOKEN}{TABLE}", "stream_kind"),
        (f"{STREAM}{TABLE}group = ''", "too_short"),
        (f"{STREAM}{TABLE}url = 'redis://u:p@h:1'", "password_in_url"),
        (f"{STREAM}{TABLE}url = 'http://h'", "not_store"),
        (f"{STREAM}{TABLE}password = 'x'", "literal_secret"),
        (f'{STREAM}{TABLE}[sources.b]\nkind = "stream"\nstream = {{ names = ["alarms"] }}', "twice"),
        (f"{STREAM}[sources.gateway.stream]\nname = ['a']", "missing"),
        ('kind = "streem"\n', "not_one_of"),
    ],
)
def test_what_is_wrong_with_a_stream(folder: Folder, source: str, code: str) -> None:
    folder.include(f"[sources.gateway]\n{source}")
    assert code in [problem.code for problem in folder.load().problems]


def test_a_good_stream_is_good(folder: Folder) -> None:
    folder.include(f"[sources.gateway]\n{STREAM}{TABLE}url = 'rediss://10.0.0.8:6379'\npassword = 'file:secrets/pages'")
    assert folder.load().problems == ()
