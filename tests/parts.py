"""A pytest plugin: tests name the system parts they need, and a missing part is said with the command that mends it.

A part is what Python cannot install: a browser, a font. ``@pytest.mark.part("chromium")`` names one;
``@pytest.mark.chromium`` is short for what every browser test needs. Where a part is missing the test is skipped and
the skip names the part. Under ``CI=true`` nothing may be skipped for whatever reason: a skip becomes a failure.

A soak may take as long as it takes, however it is started: the time limit of the other tests is not its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
KANNEL = (Path("/usr/sbin/bearerbox"), Path("/usr/sbin/smsbox"), Path("/usr/lib/kannel/test/fakesmsc"))
"""Debian's Kannel: the boxes that talk to carriers and to programs, and a carrier of pretence (kannel-extras)."""

DOVECOT = Path("/usr/sbin/dovecot")
"""Debian's Dovecot with its IMAP part (dovecot-imapd): a mailbox for the tests of answers by mail."""


@dataclass(frozen=True)
class Part:
    """One system part: what people call it, how it is looked for, and the command that brings it."""

    title: str
    present: Callable[[], bool]
    mend: str = "make system-deps"


def _has_chinese_font() -> bool:
    """Ask fontconfig, as the browser does; without ``fc-list`` nobody can tell, so the font counts as missing."""
    fc_list = shutil.which("fc-list")
    if fc_list is None:
        return False
    listed = subprocess.run([fc_list, ":lang=zh", "family"], capture_output=True, check=False, timeout=30)
    return listed.returncode == 0 and listed.stdout.strip() != b""


PARTS: dict[str, Part] = {
    "chromium": Part("Chromium", lambda: os.access(CHROMIUM, os.X_OK)),
    "cjk_font": Part("a Chinese font", _has_chinese_font),
    "alertmanager": Part("Prometheus Alertmanager", lambda: shutil.which("prometheus-alertmanager") is not None),
    "kannel": Part("Kannel with its fake carrier", lambda: all(os.access(each, os.X_OK) for each in KANNEL)),
    "dovecot": Part("Dovecot", lambda: os.access(DOVECOT, os.X_OK) and Path("/usr/lib/dovecot/imap").exists()),
}
BROWSER = ("chromium", "cjk_font")


def _needs(item: pytest.Item) -> list[str]:
    names = list(BROWSER) if item.get_closest_marker("chromium") else []
    for mark in item.iter_markers("part"):
        for name in mark.args:
            if name not in PARTS:
                known = ", ".join(sorted(PARTS))
                raise pytest.UsageError(
                    f"{item.nodeid}: no system part is called {name!r}; tests/parts.py knows {known}"
                )
            names.append(name)
    return list(dict.fromkeys(names))


def _strict() -> bool:
    return os.environ.get("CI") == "true"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what cannot run, after ``-m`` and ``-k`` have chosen; each part is looked for once."""
    present = cache(lambda name: PARTS[name].present())
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(0))
        missing = [PARTS[name] for name in _needs(item) if not present(name)]
        if missing:
            titles = " and ".join(part.title for part in missing)
            commands = " && ".join(dict.fromkeys(part.mend for part in missing))
            verb = "is" if len(missing) == 1 else "are"
            item.add_marker(pytest.mark.skip(reason=f"{titles} {verb} missing here: run `{commands}`"))


def _reason(longrepr: object) -> str:
    """A skip is reported as (file, line, reason)."""
    if isinstance(longrepr, tuple) and len(longrepr) == 3:
        return str(longrepr[2])
    return str(longrepr)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_failure = hasattr(report, "wasxfail")
    if _strict() and report.outcome == "skipped" and not expected_failure:
        report.outcome = "failed"
        report.longrepr = f"under CI=true nothing may be skipped. {_reason(report.longrepr)}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one under ``CI=true``."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself while it is read (``importorskip``, ``allow_module_level``)."""
    report = yield
    _forbid_skip(report)
    return report
