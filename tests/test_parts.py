"""The plugin that names missing system parts, seen from the outside: what a run prints and how it ends."""

from __future__ import annotations

import pytest

from tests import parts

MOON = """
import pytest

@pytest.mark.part("moon")
def test_by_moonlight():
    pass

def test_by_day():
    pass
"""


@pytest.fixture(autouse=True)
def a_machine_without_a_moon(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    monkeypatch.setitem(parts.PARTS, "moon", parts.Part("the moon", lambda: False, "make moon"))
    monkeypatch.setitem(parts.PARTS, "sun", parts.Part("the sun", lambda: True))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\nmarkers =\n    part: x\n    chromium: x\naddopts = --strict-markers")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "tests.parts", "-rsf", *arguments)


def test_a_missing_part_skips_its_test_and_says_what_mends_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MOON)

    result = run(pytester)

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the moon is missing here: run `make moon`"])
    assert result.ret == pytest.ExitCode.OK


def test_ci_fails_where_a_part_is_missing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(MOON)

    result = run(pytester)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*under CI=true nothing may be skipped*the moon is missing here: run `make moon`*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\npytest.skip('no reason', allow_module_level=True)",
        "import pytest\npytest.importorskip('no_such_module_anywhere')",
    ],
)
def test_ci_fails_where_a_whole_file_skips_itself(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(source)

    result = run(pytester)

    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    "body",
    [
        "@pytest.mark.skip(reason='later')\ndef test_it(): pass",
        "@pytest.mark.skipif(True, reason='later')\ndef test_it(): pass",
        "def test_it(): pytest.skip('later')",
        "@pytest.fixture\ndef lamp(): pytest.skip('later')\ndef test_it(lamp): pass",
    ],
)
def test_ci_fails_on_every_other_kind_of_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    pytester.makepyfile(f"import pytest\n{body}")
    assert run(pytester).ret == pytest.ExitCode.OK

    monkeypatch.setenv("CI", "true")
    result = run(pytester)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*under CI=true nothing may be skipped*later*"])


def test_ci_leaves_expected_failures_alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile("import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False")

    run(pytester).assert_outcomes(xfailed=1)


def test_a_part_that_is_there_lets_its_test_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.part('sun')\ndef test_it(): pass")

    run(pytester).assert_outcomes(passed=1)


def test_every_missing_part_of_a_browser_test_is_named_and_the_command_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parts.PARTS, "chromium", parts.Part("Chromium", lambda: False))
    monkeypatch.setitem(parts.PARTS, "cjk_font", parts.Part("a Chinese font", lambda: False))
    pytester.makepyfile("import pytest\n@pytest.mark.chromium\ndef test_it(): pass")

    result = run(pytester)

    result.stdout.fnmatch_lines(["SKIPPED*Chromium and a Chinese font are missing here: run `make system-deps`"])


def test_a_part_nobody_knows_stops_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.part('mooon')\ndef test_it(): pass")

    result = run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no system part is called 'mooon'; tests/parts.py knows*moon*"])


@pytest.mark.chromium
def test_the_real_parts_are_found_where_they_are_installed() -> None:
    assert all(parts.PARTS[name].present() for name in parts.BROWSER)


def test_a_soak_has_no_time_limit_of_the_others(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import time
        import pytest

        @pytest.mark.soak
        def test_long():
            time.sleep(0.5)

        @pytest.mark.soak
        @pytest.mark.timeout(0.1)
        def test_with_a_limit_of_its_own():
            time.sleep(0.5)

        def test_short():
            time.sleep(0.5)
        """
    )
    pytester.makeini("[pytest]\ntimeout = 0.1\nmarkers = soak: long")

    run(pytester, "-p", "timeout").assert_outcomes(passed=1, failed=2)
