"""A notice as it is read aloud: its parts with the code digit by digit, and the sentence they make together."""

from __future__ import annotations

from collections.abc import Mapping

from bot.rendering.engine import Engine


def aloud(parts: Mapping[str, str]) -> dict[str, str]:
    """The parts for a template that is spoken: a code is no number, so each of its signs is said by itself."""
    return {**parts, "code": "，".join(parts["code"])}


def sentence(engine: Engine, mark: str, parts: Mapping[str, str]) -> str:
    """What is said, in one sentence or two, as it is written; the mode's ``mark`` first."""
    return engine.render("voice/call.txt", {"mark": mark, **parts})
