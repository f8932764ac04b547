"""A newcomer's first minutes: init, check, and an example in which every setting can be found."""

from __future__ import annotations

import re
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from bot.commands.check import run_check
from bot.commands.init import example_text, fresh_secret, run_init
from bot.settings import Settings, Weight, load
from bot.settings.shapes import bare
from channels import registry
from channels.standard_webhooks import key
from escalation.vocabulary import Tier
from tests.settings.conftest import WHSEC, Folder, uncommented


def test_init_writes_a_configuration_that_passes_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_init(tmp_path) == 0
    assert run_check(tmp_path / "config.toml") == 0

    loaded = load(tmp_path / "config.toml", environment={})
    assert loaded.settings is not None
    assert [problem.severity for problem in loaded.problems] == [Weight.REFUSAL]  # the sample is not adopted yet
    assert not loaded.servable
    directory = loaded.settings.directory()
    assert directory.line("91000000DEM0000019")[Tier.CITY] == "shili-city"
    assert [point.code for point in directory.enterprises["91000000DEM0000019"].points] == ["GAS-001", "TEMP-002"]
    assert loaded.settings.hub.data == tmp_path / "var"
    assert "fenghuo check" in capsys.readouterr().out


def test_secrets_are_fresh_and_for_their_owner_alone(tmp_path: Path) -> None:
    run_init(tmp_path / "a")
    run_init(tmp_path / "b")

    names = sorted(path.name for path in (tmp_path / "a" / "secrets").iterdir())
    assert names == ["county-group-key", "pages", "sms-password", "source-monitor"]
    for name in names:
        path = tmp_path / "a" / "secrets" / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text() != (tmp_path / "b" / "secrets" / name).read_text()
    assert (tmp_path / "a" / "config.toml").stat().st_mode & 0o777 == 0o600
    assert len(key(fresh_secret(("sources", "x", "secrets", 0)))) == 32


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("mine")
    assert run_init(tmp_path) == 1
    assert (tmp_path / "config.toml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
    assert "已存在" in capsys.readouterr().out

    (tmp_path / "config.toml").unlink()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pages").write_text("kept-from-before")
    assert run_init(tmp_path, "en") == 0
    assert (tmp_path / "secrets" / "pages").read_text() == "kept-from-before"
    assert "Kept" in capsys.readouterr().out


def test_init_says_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run_init(tmp_path / "file" / "inside") == 1
    assert "写不了" in capsys.readouterr().out


def test_a_sample_that_is_adopted_by_name_may_serve(folder: Folder) -> None:
    assert folder.load().servable
    folder.edit('adopt_sample = "示例规则"', 'adopt_sample = "别的规则"')
    assert not folder.load().servable


def test_every_setting_that_the_example_only_shows_works_when_it_is_switched_on(folder: Folder) -> None:
    folder.put("config.toml", uncommented(example_text()))
    folder.put("contacts/empty.toml", "")
    for name, secret in (("app-secret", WHSEC), ("app-callback-token", "faketoken"), ("app-callback-key", "A" * 43)):
        folder.put(f"secrets/{name}", secret)
    for name in (
        "store",
        "source-gateway",
        "stream",
        "sms-callback",
        "mail-password",
        "mail-imap-password",
        "mail-reply",
        "upstream",
        "bot-secret",
        "town-group-token",
        "city-group-hook",
        "city-group-secret",
        "cloud-key",
        "cloud-callback",
        "tencent-key",
        "tencent-callback",
        "mas-key",
        "mas-callback",
        "phone-key",
        "phone-callback",
        "phone-tencent-key",
        "phone-tencent-callback",
        "ding-secret",
        "ding-callback",
        "api-dashboard",
    ):
        folder.put(f"secrets/{name}", WHSEC)
    folder.put("secrets/town-group-secret", f"SEC{WHSEC}")
    loaded = folder.load()
    assert loaded.problems == ()
    assert loaded.settings is not None
    assert loaded.settings.sources["gateway"].mode == "test"


def test_every_setting_of_the_models_stands_in_the_example() -> None:
    data = tomllib.loads(uncommented(example_text()))
    shown = set(_shown(data, Settings))
    for table in data["channels"].values():
        shown |= set(_shown(table, registry.kinds()[table["kind"]].Settings))

    there = {(model, name) for model in _models(Settings) for name in model.model_fields}
    there |= {(each.Settings, name) for each in registry.kinds().values() for name in each.Settings.model_fields}
    assert sorted(f"{model.__qualname__}.{name}" for model, name in there - shown) == []


def test_every_table_of_the_example_is_explained_in_both_languages() -> None:
    blocks = example_text().split("\n\n")
    chinese, english = re.compile("[一-鿿]{2}"), re.compile("[A-Za-z]{3,} [a-z]+")
    first: set[str] = set()
    for block in blocks:
        header = re.search(r"(?m)^(?:# )?(\[.+\])$", block)
        if header is None or header[1] in first:
            continue
        first.add(header[1])
        said = "\n".join(line for line in block.splitlines() if line.startswith("# ") and " = " not in line)
        if header[1] not in ("[[profiles.rules]]", "[[profiles.rules.duties]]", "[[hazards]]"):
            assert chinese.search(said), header[1]
            assert english.search(said), header[1]
    assert len(first) > 15


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    kind = bare(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from _models(field.annotation)
    elif get_origin(kind) in (tuple, dict, Union, types.UnionType):
        for inner in get_args(kind):
            yield from _models(inner)


def _shown(data: Any, annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    kind = bare(annotation)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(data, dict):
        for name in data.keys() & kind.model_fields.keys():
            yield kind, name
            yield from _shown(data[name], kind.model_fields[name].annotation)
    elif get_origin(kind) is dict:
        for value in data.values():
            yield from _shown(value, get_args(kind)[1])
    elif get_origin(kind) is tuple:
        for value in data:
            yield from _shown(value, get_args(kind)[0])
