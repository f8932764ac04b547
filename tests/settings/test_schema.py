"""The committed schemas are those of the models, and what the documentation shows holds against them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from bot.commands.check import report, run_check
from bot.commands.init import example_text
from bot.settings import load
from bot.settings.catalogue import SENTENCES
from bot.settings.hints import HINTS
from bot.settings.schema import config_schema
from tests.settings.conftest import Folder, uncommented

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((SCHEMAS / name).read_bytes())
    Draft202012Validator.check_schema(found)
    return found


def test_the_committed_schema_is_the_one_of_the_models() -> None:
    # To write it anew: python -m bot.settings.schema > docs/schema/config.schema.json
    assert schema("config.schema.json") == orjson.loads(orjson.dumps(config_schema()))


def test_the_example_holds_against_the_schema_as_it_stands_and_with_everything_switched_on() -> None:
    validator = Draft202012Validator(schema("config.schema.json"))
    validator.validate(tomllib.loads(example_text()))
    validator.validate(tomllib.loads(uncommented(example_text())))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('secret = "file:secrets/pages"', 'secret = "a literal secret"'),
        ("port = 8080", 'port = "8080"'),
        ("port = 8080", "prot = 8080"),
        ('kind = "wecom_robot"', 'kind = "wecom"'),
        ('skew = "10m"', 'skew = "10 minutes"'),
    ],
)
def test_the_schema_refuses_what_loading_refuses(old: str, new: str) -> None:
    text = example_text()
    assert old in text
    assert not Draft202012Validator(schema("config.schema.json")).is_valid(tomllib.loads(text.replace(old, new, 1)))


def test_the_example_in_two_files_loads_and_holds_against_the_schema(tmp_path: Path) -> None:
    found = schema("config.schema.json")
    main = (SCHEMAS / "examples" / "config.main.toml").read_text(encoding="utf-8")
    more = (SCHEMAS / "examples" / "config.contacts.toml").read_text(encoding="utf-8")
    Draft202012Validator(found).validate(tomllib.loads(main))
    Draft202012Validator({**found, "required": [], "$ref": "#/$defs/IncludedFile"}).validate(tomllib.loads(more))
    (tmp_path / "contacts").mkdir()
    (tmp_path / "config.toml").write_text(main, encoding="utf-8")
    (tmp_path / "contacts" / "people.toml").write_text(more, encoding="utf-8")
    secret = "whsec_" + "QUFB" * 12
    loaded = load(
        tmp_path / "config.toml",
        environment={"FENGHUO_PAGES": secret, "FENGHUO_MONITOR": secret, "FENGHUO_SMS": secret},
    )
    assert [problem.text() for problem in loaded.problems] == []
    assert loaded.servable


def test_check_prints_json_that_holds_against_its_schema(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    validator = Draft202012Validator(schema("check.schema.json"))
    assert run_check(folder.main, as_json=True) == 0
    good = orjson.loads(capsys.readouterr().out)
    validator.validate(good)
    assert (good["ok"], good["servable"], good["holds"]["people"]) == (True, True, 6)

    folder.include('[[people]]\nid = "zhao"\nname = "重名"\n')
    folder.edit("port = 8080", "port = 0")
    assert run_check(folder.main, as_json=True) == 1
    bad = orjson.loads(capsys.readouterr().out)
    validator.validate(bad)
    assert (bad["ok"], bad["servable"], bad["holds"], bad["counts"]["error"]) == (False, False, None, 2)
    assert bad["problems"][1]["also"]["file"] == "config.toml"


def test_the_documented_output_of_check_holds_against_its_schema(folder: Folder) -> None:
    shown = orjson.loads((SCHEMAS / "examples" / "check.json").read_bytes())
    Draft202012Validator(schema("check.schema.json")).validate(shown)
    folder.edit('people = ["wu"]', 'people = ["vu"]')
    folder.edit('address = "13800130003"', 'address = "13800130001"')
    found = orjson.loads(orjson.dumps(report(folder.load())["problems"]))
    # Lines move whenever the example grows.
    assert [_unplaced(one) for one in shown["problems"]] == [_unplaced(one) for one in found]


def _unplaced(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in ("line", "column", "also")}


def test_check_speaks_both_languages(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.edit("port = 8080", "port = 0")
    assert run_check(folder.main, "zh") == 1
    assert "错误：必须不小于 1" in capsys.readouterr().out
    assert run_check(folder.main, "en") == 1
    assert "error: must be at least 1" in capsys.readouterr().out
    folder.edit("port = 0", "port = 1")
    assert run_check(folder.main, "en") == 0
    assert "0 errors, 0 warnings. 3 units, 1 enterprises, 2 points" in capsys.readouterr().out


def test_every_sentence_is_used_and_says_the_same_in_both_languages() -> None:
    sources = Path(__file__).parents[2] / "bot" / "settings"
    code = "".join(path.read_text(encoding="utf-8") for path in sources.rglob("*.py") if path.name != "catalogue.py")
    for name, pair in SENTENCES.items():
        assert f'"{name}"' in code or name in ("not_date", "rendering"), name
        assert all(pair), name
    for name in HINTS:
        assert name in SENTENCES or f'"{name}"' in code, name
