"""The table "Every odd case" of docs/intake.md, row by row: the document says what the hub does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bot.settings.models import Settings
from bot.store.client import Store
from tests.rehearsal.stage import DUST, raised, replayed, reply

DOCUMENT = Path(__file__).parents[2] / "docs" / "intake.md"
T = "2026-11-21T10:{:02}:00+08:00".format
SIGNED = reply("签收", "bai", T(5), about="e1")
COUNTY_SIGNED = reply("签收", "qinghe-duty-a", T(5), about="e1")


def clear(identity: str, minute: int, kind: str = "alarm.cleared", **more: Any) -> dict[str, Any]:
    return raised(identity, T(minute), kind, **more)


def up(identity: str, minute: int, **more: Any) -> dict[str, Any]:
    return raised(identity, T(minute), **more)


def warned(identity: str, minute: int, level: str, kind: str = "warning.issued", **more: Any) -> dict[str, Any]:
    return raised(identity, T(minute), kind, level=level, **more)


CLEAR_FIRST = clear("e0", 10)
UNREADABLE = {key: value for key, value in up("e1", 1).items() if key != "type"}
CASES: list[tuple[str, list[dict[str, Any]], str, str, str]] = [
    ("the same id, the same body", [up("e1", 1), up("e1", 1)], "duplicate", "recorded_created", ""),
    ("the same id, another body", [up("e1", 1), up("e1", 2)], "conflict", "other_body", ""),
    ("raise of a point that is quiet", [up("e1", 1)], "created", "opened", ""),
    ("repeat, or raise again, while open and unsigned", [up("e1", 1), up("e2", 2)], "merged", "folded", ""),
    (
        "`alarm.repeated` while open and signed",
        [up("e1", 1), SIGNED, raised("e2", T(6), "alarm.repeated")],
        "merged",
        "folded",
        "",
    ),
    ("raise again after somebody signed", [up("e1", 1), SIGNED, up("e2", 6)], "updated", "raised_again", ""),
    (
        "raise after a return to normal that nobody signed for",
        [up("e1", 1), clear("e2", 2), up("e3", 3)],
        "updated",
        "raised_again",
        "",
    ),
    (
        "higher raise: high → high_high, a level up",
        [up("e1", 1), up("e2", 2, severity="high_high")],
        "updated",
        "rose",
        "",
    ),
    (
        "another severity of the same rank, as an interlock after a high_high",
        [up("e1", 1, severity="high_high"), up("e2", 2, severity="interlock")],
        "updated",
        "raised_again",
        "",
    ),
    ("lower raise of an alarm", [up("e1", 1, severity="high_high"), up("e2", 2)], "merged", "folded", ""),
    (
        "`warning.downgraded`, or a warning at a lower level",
        [warned("e1", 1, "orange"), warned("e2", 2, "yellow", "warning.downgraded")],
        "updated",
        "lowered",
        "",
    ),
    (
        "late downgrade: older than the newest level known",
        [warned("e1", 1, "orange"), warned("e2", 4, "red"), warned("e3", 3, "yellow") | {"receivedtime": T(5)}],
        "stale",
        "level_older_than_known",
        "",
    ),
    (
        "level event for an enterprise with no open warning",
        [warned("e1", 1, "yellow", "warning.downgraded")],
        "created",
        "opened",
        "",
    ),
    ("clear while nobody has signed", [up("e1", 1), clear("e2", 2)], "cleared", "returned", ""),
    ("clear after the acting tier signed", [up("e1", 1), SIGNED, clear("e2", 6)], "cleared", "returned", ""),
    (
        "clear older than the newest raise",
        [up("e1", 1), up("e2", 4), clear("e3", 3) | {"receivedtime": T(5)}],
        "stale",
        "cleared_before_newest_raise",
        "",
    ),
    (
        "clear of a closed incident",
        [up("e1", 1), SIGNED, clear("e2", 6), clear("e3", 7)],
        "merged",
        "already_closed",
        "",
    ),
    (
        "`warning.cleared`, `warning.cancelled`, `data.restored`, `video.restored`",
        [warned("e1", 1, "orange"), raised("e2", T(2), "warning.cancelled")],
        "cleared",
        "returned",
        "",
    ),
    ("clear before its raise", [clear("e1", 1)], "stale", "cleared_before_raise", ""),
    (
        "… then the raise, older than that clear",
        [CLEAR_FIRST, up("e1", 5) | {"receivedtime": T(11)}],
        "created",
        "",
        "cleared_before_raise",
    ),
    ("… then a raise newer than that clear", [CLEAR_FIRST, up("e1", 12)], "created", "opened", ""),
    (
        "raise after the incident was closed",
        [up("e1", 1), SIGNED, clear("e2", 6), up("e3", 7)],
        "reopened",
        "reopened",
        "",
    ),
    (
        "raise older than the clear of a closed incident",
        [up("e1", 1), SIGNED, clear("e2", 8), up("e3", 7) | {"receivedtime": T(9)}],
        "stale",
        "raised_before_its_clear",
        "",
    ),
    (
        "raise older than the clear of an open one",
        [up("e1", 1), clear("e2", 8), up("e3", 7) | {"receivedtime": T(9)}],
        "merged",
        "raised_before_its_clear",
        "",
    ),
    (
        "… and higher than what was known",
        [up("e1", 1), clear("e2", 8), up("e3", 7, severity="high_high") | {"receivedtime": T(9)}],
        "updated",
        "rose",
        "",
    ),
    (
        "clear and raise of the same moment",
        [up("e1", 1), SIGNED, clear("e2", 6), up("e3", 6)],
        "reopened",
        "reopened",
        "",
    ),
    ("late event", [up("e1", 1) | {"receivedtime": "2026-11-21T12:00:00+08:00"}], "created", "opened", "late"),
    ("skewed clock", [up("e1", 59) | {"receivedtime": T(1)}], "created", "opened", "clock_skewed"),
    ("no time zone", [up("e1", 1) | {"time": "2026-11-21T10:01:00"}], "created", "opened", "no_time_zone"),
    ("unknown enterprise", [up("e1", 1, enterprise="91000000DEM9999")], "quarantined", "", "unknown_enterprise"),
    ("unknown level or severity", [up("e1", 1, severity="furious")], "quarantined", "", "unknown_level"),
    ("unknown point", [up("e1", 1, point="NEW-1")], "created", "", "unknown_point"),
    (
        "two enterprises that came by name alone",
        [up("e1", 1, enterprise="", name="甲厂"), up("e2", 2, enterprise="", name="乙厂")],
        "quarantined",
        "",
        "unknown_enterprise",
    ),
    ("exercise and actual of the same point", [up("e1", 1), up("e2", 2, mode="exercise")], "created", "opened", ""),
    ("an item that cannot be read", [UNREADABLE], "quarantined", "unreadable", ""),
    ("the same unreadable item again", [UNREADABLE, UNREADABLE], "duplicate", "recorded_quarantined", ""),
]


def rows() -> dict[str, str]:
    """The document's table: each case and the rest of its row."""
    table = DOCUMENT.read_text("utf-8").split("## Every odd case")[1].split("\n## ")[0]
    found = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]
    return {case.strip(): "|".join(rest) for case, *rest in found if case.strip() not in ("case", "---")}


def test_every_row_of_the_table_is_tried() -> None:
    assert [case for case, *_ in CASES] == list(rows())


@pytest.mark.parametrize(("case", "lines", "verdict", "reason", "flag"), CASES, ids=[case for case, *_ in CASES])
async def test_a_row_says_what_happens(
    settings: Settings,
    store: Store,
    tmp_path: Path,
    case: str,
    lines: list[dict[str, Any]],
    verdict: str,
    reason: str,
    flag: str,
) -> None:
    result = await replayed(store, settings, tmp_path, lines)
    last = result.events[-1]
    assert last.verdict == verdict
    if reason:
        assert last.reason == reason
    if flag:
        assert flag in {*last.flags, *result.incidents[-1].flags}
    written = rows()[case]
    for word in (verdict if verdict != "conflict" else "409", re.sub("^recorded_.*", "recorded_", reason), flag):
        assert word in written or "as above" in written, f"the table does not say {word}"


async def test_an_unsigned_return_stays_open_and_unconfirmed(settings: Settings, store: Store, tmp_path: Path) -> None:
    result = await replayed(store, settings, tmp_path, [up("e1", 1), clear("e2", 2)])
    (incident,) = result.incidents
    assert (incident.state, incident.active) == ("open", False)
    assert any(each.kind == "returned" for each in result.told)


async def test_two_modes_are_two_incidents(settings: Settings, store: Store, tmp_path: Path) -> None:
    result = await replayed(store, settings, tmp_path, [up("e1", 1), up("e2", 2, mode="exercise"), clear("e3", 3)])
    assert [(each.enterprise, each.active) for each in result.incidents] == [(DUST, False), (DUST, True)]
