"""What commands print with ``--json``: the committed schemas are those of the structs, and the examples are true."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from bot.cli import main
from bot.commands.schemas import OPERATED, PRINTED, file_of
from bot.door import Door
from bot.settings.models import Settings
from bot.store.client import Store
from bot.story import Story, text_of
from tests.rehearsal.operated import kept_and_restored, operated
from tests.rehearsal.sending import sent
from tests.rehearsal.stage import DUST, raised
from tests.rehearsal.write_examples import UNDERSTOOD, examples, written

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
EXAMPLES = SCHEMAS / "examples"
EXPLAIN = ("explain", "--enterprise", DUST, "--kind", "warning", "--level", "orange", "--at", "2026-11-21T02:00")


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", PRINTED | OPERATED)
def test_the_committed_schema_is_the_one_of_the_structs_and_its_example_fits(name: str) -> None:
    # To write it anew: python -m bot.commands.schemas docs/schema
    written = (SCHEMAS / f"{name}.schema.json").read_bytes()
    assert written == file_of(name)
    Draft202012Validator.check_schema(json.loads(written))
    validator = Draft202012Validator(json.loads(written))
    validator.validate(example(name))
    assert not validator.is_valid({**example(name), "more": 1})
    assert not validator.is_valid({})


async def test_every_example_is_what_a_real_run_gives(store: Store, settings: Settings, tmp_path: Path) -> None:
    # To write them anew: python -m tests.rehearsal.write_examples
    made = await examples(Door(store), settings, tmp_path)
    assert set(made) == set(PRINTED)
    for name, struct in made.items():
        assert written(struct) == (EXAMPLES / f"{name}.json").read_bytes(), name
    shown, checked = example("show"), example("verify")
    assert {line["reason"] for line in shown["lines"]} >= {
        "opened",
        "told",
        "reply_sign",
        "hub_outage",
        "incident_closed",
    }
    assert max(each["fault"] for each in checked["partitions"]) == "内容被改动"


async def test_every_example_of_operation_is_what_a_real_run_gives(store: Store, tmp_path: Path) -> None:
    # To write them anew: python -m tests.rehearsal.write_examples
    made = await operated(store, tmp_path) | await kept_and_restored(tmp_path / "kept")
    await store.execute("FLUSHALL")
    made |= await sent(store, tmp_path / "sent")
    assert set(made) == set(OPERATED)
    for name, struct in made.items():
        assert written(struct) == (EXAMPLES / f"{name}.json").read_bytes(), name
    assert example("restore")["lost"], "a later anchor knows what came after the backup"
    assert example("incidents")["next"], "there is another page"
    assert {row["callback"] for row in example("quarantine-list")["rows"]} == {"", "report"}
    assert {each["verdict"] for each in example("send-test")["messages"]} == {"delivered", "refused"}
    swept, states = example("dead-swept"), {each["name"]: each["state"] for each in example("channels")["channels"]}
    assert swept["replayed"], "somebody still has to be told"
    assert swept["over"], "somebody signed meanwhile"
    assert not states["county-group"]["works"]
    assert states["sms"]["resting"]


def printed(capsys: pytest.CaptureFixture[str], config: Path, *asked: str) -> Any:
    assert main([*asked, "--json", "--config", str(config)]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_example_of_explain_is_what_is_printed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, config, *EXPLAIN) == example("explain")


def test_the_example_of_replay_is_what_is_printed(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "replay.jsonl"
    shutil.copy(EXAMPLES / "replay.jsonl", lines)
    assert printed(capsys, config, "replay", str(lines), "--until", "2026-11-21T03:00") == example("replay")


UNDERSTAND = ("understand", "--open", "A0231,W0045", "--now", "2026-11-21T02:00")


def test_the_example_of_understand_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*UNDERSTAND, "--json", UNDERSTOOD]) == 0
    assert json.loads(capsys.readouterr().out) == example("understand")


def test_understand_says_it_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    for said, word in (
        ("签收", "不知道是哪一条，先反问"),
        ("签收 A9999", "没有这个编号：A9999"),
        ("物报 A0231", "用词不清，先反问"),
        ("着火了", "事故字样：着火"),
        ("自动回复：收到", "机器自动发出的消息"),
        ("你好", "没有看懂"),
        ("A0231", "查询（query）  A0231"),
        ("核查 A0231 探头坏了", "核查（verify）  A0231  原因 传感器故障，内容 探头坏了"),
        ("转派 A0231", "没有写转给谁"),
        ("延期 A0231 等备件", "没有写延长多久"),
        ("延期 A0231 2小时", "没有写原因"),
    ):
        assert main([*UNDERSTAND, said]) == 0
        assert word in capsys.readouterr().out, said


def test_explain_knows_by_the_grade_what_is_meant(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("explain", "--enterprise", DUST, "--at", "2026-11-21T02:00", "--config", str(config))
    assert main([*asked, "--level", "red"]) == 0
    assert "规则：红色预警" in capsys.readouterr().out
    assert main([*asked, "--severity", "high"]) == 0
    assert "规则：一般报警" in capsys.readouterr().out
    both = ("--level", "red", "--severity", "high")
    for wrong in ((), both, ("--kind", "alarm", "--level", "red"), ("--kind", "warning", "--severity", "high")):
        assert main([*asked, *wrong]) == 2
        assert "预警只写 --level" in capsys.readouterr().err, wrong


@pytest.mark.parametrize("wrong", [("--open", "12"), ("--now", "soon")])
def test_understand_asked_wrongly(wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["understand", *wrong, "签收"]) == 2
    assert wrong[1] in capsys.readouterr().err


def test_a_replay_counts_no_minutes_before_an_alarm_began_again(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "again.jsonl"
    lines = [
        raised("e1", "2026-11-21T10:01:00+08:00", "warning.issued"),
        raised("e2", "2026-11-21T10:05:00+08:00", "warning.cleared"),
        raised("e3", "2026-11-21T10:30:00+08:00", "warning.issued"),
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert main(["replay", str(file), "--until", "2026-11-21T10:31", "--config", str(config)]) == 0
    told = capsys.readouterr().out.partition("通知：")[2]
    assert "10:01 （前一次）" in told
    assert "10:30 +    0 分" in told
    assert "-" not in told.replace("11-21", "").replace("-group", "")


@pytest.mark.parametrize(("mode", "mark"), [("actual", ""), ("exercise", "【演练】"), ("test", "【测试】")])
def test_a_story_that_is_not_real_says_so_first(mode: str, mark: str) -> None:
    story = msgspec.convert({**example("show"), "mode": mode}, Story)
    assert text_of(story).startswith(f"{mark}{story.code}  ")


def test_for_people_the_same_is_said_in_words(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EXPLAIN, "--config", str(config)]) == 0
    said = capsys.readouterr().out
    for word in ("规则：", "截止", "须处置", "卿值班", "催办", "注意："):
        assert word in said
    assert main(["replay", str(EXAMPLES / "replay.jsonl"), "--config", str(config)]) == 0
    said = capsys.readouterr().out
    for word in ("事件：", "created", "答复：", "已记录签收", "警情：", "通知："):
        assert word in said


@pytest.mark.parametrize(("mode", "mark"), [("actual", ""), ("exercise", "【演练】"), ("test", "【测试】")])
def test_what_is_not_real_is_marked_in_every_line_of_a_replay(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, mark: str
) -> None:
    file = tmp_path / "drill.jsonl"
    file.write_text(json.dumps(raised("e1", "2026-11-21T10:01:00+08:00", mode=mode)), "utf-8")
    assert main(["replay", str(file), "--until", "2026-11-21T10:30", "--config", str(config)]) == 0
    incidents, _, told = capsys.readouterr().out.partition("警情：")[2].partition("通知：")
    lines = [line for line in (incidents + told).splitlines() if line.strip()]
    assert len(lines) > 3
    for line in lines:
        assert f" {mark}A0" in line, line
    assert "未签收" in incidents
    assert "open" not in incidents
