"""Secrets stand outside the configuration and show in nothing that it prints."""

from __future__ import annotations

import orjson
import pytest

from bot.commands.check import report
from bot.settings import Weight, load
from tests.settings.conftest import WHSEC, Folder, codes, only

FAKE = "obviously-fake-secret-of-forty-characters"


def test_a_secret_comes_from_the_environment_or_from_a_file(folder: Folder) -> None:
    folder.edit('secret = "file:secrets/pages"', 'secret = "env:FENGHUO_PAGES"')
    folder.put("secrets/source-monitor", f"{WHSEC}\r\n")
    loaded = load(folder.main, environment={"FENGHUO_PAGES": FAKE})
    assert loaded.settings is not None
    assert loaded.settings.pages.secret.get_secret_value() == FAKE
    assert loaded.settings.sources["monitor"].secrets[0].get_secret_value() == WHSEC


@pytest.mark.parametrize(
    ("reference", "code", "says"),
    [
        (FAKE, "literal_secret", "file:secrets/pages-secret"),
        ("", "literal_secret", "env:FENGHUO_PAGES_SECRET"),
        ("env:FENGHUO_NOT_SET", "no_env", "FENGHUO_NOT_SET"),
        ("file:secrets/not-there", "no_secret_file", "secrets/not-there"),
        ("file:secrets", "no_secret_file", "secrets"),
        ("file:secrets/empty", "empty_secret", "secrets/empty"),
        ("file:secrets/short", "too_short", "32"),
    ],
)
def test_a_secret_that_cannot_be_had_is_one_error_that_says_what_to_do(
    folder: Folder, reference: str, code: str, says: str
) -> None:
    folder.put("secrets/empty", "\n")
    folder.put("secrets/short", "short-fake")
    folder.edit('"file:secrets/pages"', f'"{reference}"')
    problem = only(folder.load())
    assert (problem.code, problem.path, problem.line) == (code, "pages.secret", folder.line_of("secret = "))
    assert says in problem.text("zh")
    assert says in problem.text("en")
    if reference.endswith(FAKE) or "short" in reference:
        assert FAKE not in problem.text("zh") + problem.text("en")
        assert "short-fake" not in problem.text("zh")


def test_secrets_inside_lists_and_channels_are_references_too(folder: Folder) -> None:
    folder.edit('["file:secrets/source-monitor"]', f'["{WHSEC}", "file:secrets/nothing"]')
    folder.edit('key = "file:secrets/county-group-key"', f'key = "{FAKE}"')
    loaded = folder.load()
    assert [(one.code, one.path) for one in loaded.problems] == [
        ("literal_secret", "sources.monitor.secrets[0]"),
        ("no_secret_file", "sources.monitor.secrets[1]"),
        ("literal_secret", "channels.county-group.key"),
    ]
    told = orjson.dumps(report(loaded)).decode() + repr(loaded)
    assert FAKE not in told
    assert WHSEC not in told


def test_a_file_that_others_can_read_is_a_warning(folder: Folder) -> None:
    (folder.path / "secrets/pages").chmod(0o644)
    problem = only(folder.load())
    assert (problem.code, problem.severity) == ("open_secret", Weight.WARNING)
    assert "chmod 600 secrets/pages" in problem.hint_en


def test_a_signing_secret_has_its_form(folder: Folder) -> None:
    folder.put("secrets/source-monitor", "whsec_no base64 here")
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("not_whsec", "sources.monitor.secrets")
    assert "no base64" not in problem.text()


def test_loaded_settings_print_no_secret(folder: Folder) -> None:
    loaded = folder.load()
    assert loaded.settings is not None
    text = repr(loaded) + str(loaded.settings) + loaded.settings.model_dump_json()
    for path in (folder.path / "secrets").iterdir():
        assert path.read_text().strip() not in text


def test_a_secret_of_the_wrong_type_is_not_shown(folder: Folder) -> None:
    folder.edit('"file:secrets/pages"', "123456789")
    assert codes(folder.load()) == ["wrong_type"]
    assert "123456789" not in folder.load().problems[0].text()


def test_a_store_keeps_its_password_out_of_its_address(folder: Folder) -> None:
    folder.edit('# url = "redis', 'url = "redis://user:fake@10.0.0.9:6379"\n# url = "redis')
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("password_in_url", "store.url")
    assert "fake" not in problem.text()
