"""What people write, line by line, against what ``fenghuo understand`` says of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.chat.preview import ReadAs, read_as
from bot.commands.understand import CHANNELS
from escalation.vocabulary import Verb
from tests.chat.hub import START

GROUPS: list[dict[str, Any]] = [
    group
    for page in sorted(Path(__file__).parent.glob("corpus*.toml"))
    for group in tomllib.loads(page.read_text("utf-8"))["group"]
]
LINES = [said for group in GROUPS for said in group["says"]]


def read(group: dict[str, Any], said: str) -> ReadAs:
    return read_as(said, START, [code for code in group.get("open", "A0231").split(",") if code])


def expected(group: dict[str, Any], got: ReadAs) -> dict[str, Any]:
    """What the group says of each of its lines; what it is silent of is as it was read."""
    verb = group.get("verb", got.verb)
    acts = verb != "none" and Verb(verb).acts
    return {
        "verb": verb,
        "codes": group.get("codes", got.codes if group.get("loose") or not acts else ["A0231"]),
        "ask": group.get("ask", False),
        "act": group.get("act", acts),
        "emergency": group.get("emergency", False),
        "args": got.args if group.get("loose") and "args" not in group else group.get("args", got.args),
        "orders": group.get("orders", [f"{order.verb} {','.join(order.codes)}" for order in got.orders]),
    }


@pytest.mark.parametrize("group", GROUPS, ids=[group["about"] for group in GROUPS])
def test_each_line_is_read_as_its_group_says(group: dict[str, Any]) -> None:
    wrong: dict[str, dict[str, Any]] = {}
    for said in group["says"]:
        got = read(group, said)
        wanted = expected(group, got)
        shown = {name: getattr(got, name) for name in wanted if name != "orders"}
        shown["orders"] = [f"{order.verb} {','.join(order.codes)}" for order in got.orders]
        if group.get("loose") and "args" in group:
            shown["args"] = {name: got.args.get(name) for name in group["args"]}
        assert not (got.ask and any(order.act for order in got.orders)), said
        if shown != wanted:
            wrong[said] = {name: (shown[name], wanted[name]) for name in wanted if shown[name] != wanted[name]}
    assert wrong == {}


def test_every_verb_and_every_channel_has_its_lines() -> None:
    assert {group["verb"] for group in GROUPS if "verb" in group} == {"none", *(verb.value for verb in Verb)}
    assert {group.get("channel", "sms") for group in GROUPS} <= set(CHANNELS)
    assert len(LINES) >= 2000
