"""Every key and value of a document is found where it stands: against tomllib, on documents made at random."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings.positions import Loc, Positions

MARKS = "a0 .=,#[]{}\"'\\\t值é🔥"
NAMES = st.one_of(
    st.text("abcXYZ019_-", min_size=1, max_size=4),
    st.text(MARKS, max_size=3),
)
SPACES = st.sampled_from(["", " ", "\t", "  "])
BREAKS = st.sampled_from(["", "\n", " \n\t", " # 值 ] } \" '\n", "\r\n"])


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    if name and all(mark.isascii() and (mark.isalnum() or mark in "_-") for mark in name) and draw(st.booleans()):
        return name
    return quoted(name)


SCALARS = st.one_of(
    st.sampled_from(
        [
            *("1", "0x1F", "1_000", "3.5e-2", "inf", "true", "false"),
            *("1979-05-27", "07:32:00", "1979-05-27 07:32:00", "1979-05-27T07:32:00+08:00"),
            *("''", "'C:\\dir'", "'''it''s\n]'''", "''''quoted''''", '""""a"" b"""""', '""""""', '"""\\""" \\\n  }"""'),
            *('"# no comment"', '"a\\"b"', '"\\\\"', "'['"),
        ]
    ),
    st.text(MARKS, max_size=6).map(quoted),
)


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    parts = draw(st.lists(inner, max_size=3))
    gap = draw(BREAKS)
    tail = "," if len(parts) > 0 and draw(st.booleans()) else ""
    return "[" + gap + ("," + gap).join(part + gap for part in parts) + tail + gap + "]"


@st.composite
def inline_tables(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    pairs = [f"{draw(keys(name))}{draw(SPACES)}={draw(SPACES)}{draw(inner)}" for name in names]
    return "{ " + ", ".join(pairs) + " }"


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(arrays(inner), inline_tables(inner)), max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Pairs, dotted pairs, tables, sub-tables and arrays of tables with sub-tables, in an order TOML allows."""
    lines: list[str] = []

    def pairs(prefix: str = "k") -> None:
        for number in range(draw(st.integers(0, 3))):
            name = draw(keys(prefix + str(number) + draw(NAMES)))
            dotted = f"{name}{draw(SPACES)}.{draw(SPACES)}{draw(keys(draw(NAMES)))}" if draw(st.booleans()) else name
            lines.append(f"{draw(SPACES)}{dotted}{draw(SPACES)}={draw(SPACES)}{draw(VALUES)}{draw(SPACES)}")
            if draw(st.booleans()):
                lines.append(draw(st.sampled_from(["", "# [not a header]", "  # x = 1"])))

    pairs()
    for number in range(draw(st.integers(0, 4))):
        name = draw(keys(f"t{number}{draw(NAMES)}"))
        if draw(st.booleans()):
            lines.append(f"[ {name} ] # table" if draw(st.booleans()) else f"[{name}.sub]")
            pairs()
            continue
        for element in range(draw(st.integers(1, 3))):
            lines.append(f"[[{draw(SPACES)}{name}{draw(SPACES)}]]")
            pairs()
            if draw(st.booleans()):
                lines.append(f"[{name}.deep.er]")
                pairs()
            for _ in range(draw(st.integers(0, 2))):
                lines.append(f"[[{name}.rows{element}]]")
                pairs()
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from(["", "\n"]))


def paths(data: Any, loc: Loc = ()) -> dict[Loc, Any]:
    """Every path of parsed TOML with what stands there."""
    found = {loc: data} if loc else {}
    entries: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        found |= paths(value, (*loc, key))
    return found


@given(documents())
def test_every_path_is_found_and_every_value_stands_where_it_is_said_to(text: str) -> None:
    expected = paths(tomllib.loads(text))
    index = Positions(text)

    assert set(index.spots) == set(expected)
    for loc, value in expected.items():
        spot = index.spots[loc]
        if isinstance(value, (dict, list)):
            continue
        # What is read from the value's place up to the end of the text begins with the same value.
        assert reads_as(text[spot.value :], value)
        if isinstance(loc[-1], str):
            assert name_at(text[spot.key :]) == loc[-1]


def reads_as(rest: str, value: object) -> bool:
    """True when some beginning of ``rest`` parses as ``value``; nan equals nothing, so none is made."""
    for end in range(1, len(rest) + 1):
        try:
            if tomllib.loads(f"v = {rest[:end]}\n") == {"v": value}:
                return True
        except tomllib.TOMLDecodeError:
            continue
    return False


def name_at(rest: str) -> str | None:
    for end in range(1, len(rest) + 1):
        if rest[end : end + 1] not in ("=", ".", " ", "\t"):
            continue
        try:
            return next(iter(tomllib.loads(f"{rest[:end]} = 0")))
        except tomllib.TOMLDecodeError:
            continue
    return None


@pytest.mark.parametrize(
    ("loc", "key", "place"),
    [
        (("posts", 1, "people", 1), False, (8, 15)),
        (("posts", 1, "unit"), True, (7, 1)),
        (("posts", 1, "unit"), False, (7, 8)),
        (("posts", 1), False, (6, 1)),
        (("posts", 1, "role"), False, (6, 1)),
        (("posts", 0, "contacts", 0, "channel"), False, (4, 25)),
        (("nothing", "there"), False, (1, 1)),
    ],
)
def test_lines_and_columns_count_from_one_and_what_is_missing_is_where_it_should_have_been(
    loc: Loc, key: bool, place: tuple[int, int]
) -> None:
    text = (
        "# 通讯录\r\n"
        "[[posts]]\r\n"
        "people = []\r\n"
        "contacts = [{ channel = 'sms' }]\r\n"
        "\r\n"
        "[[posts]]\r\n"
        "unit = 'x'\r\n"
        "people = ['a','b']\r\n"
    )
    assert Positions(text).find(loc, key=key) == place
