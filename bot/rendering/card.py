"""A call to act as a card: title, place, what to do, a few rows, and buttons or a page to open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.buttons import Buttons, card_id
from bot.rendering import story
from bot.rendering.engine import Engine
from bot.rendering.shorten import octets, within
from channels.channel import Abilities, Button, Card, CardLimits
from escalation.incident import Incident
from escalation.notice import Notice
from escalation.vocabulary import Verb

_DETAILS = "详情"


def card_of(
    engine: Engine, it: dict[str, Any], incident: Incident, notice: Notice, abilities: Abilities, buttons: Buttons
) -> Card | None:
    """The card of a notice that asks somebody to act for an open duty, within the channel's limits, its page being
    ``it["link"]``; None for every other notice, and where the title would lose the code."""
    limits, duty = abilities.card, story.duty_of(incident, notice)
    if limits is None or not it["act"] or duty is None or not duty.open:
        return None
    if not (limits.buttons and abilities.replies) and not it["link"]:
        return None
    title = _fitted(engine, "title", it, limits.title)
    if it["code"] not in title:
        return None
    acting = _buttons(it, notice, limits, buttons, signed=duty.signed is not None)
    return replace(_bare(engine, it, notice, limits, title), buttons=acting, link=it["link"])


def bare_card(engine: Engine, it: dict[str, Any], notice: Notice, abilities: Abilities) -> Card | None:
    """The card of a notice as it is now, without its buttons; None where the channel has no cards."""
    limits = abilities.card
    return _bare(engine, it, notice, limits, _fitted(engine, "title", it, limits.title)) if limits else None


def _bare(engine: Engine, it: dict[str, Any], notice: Notice, limits: CardLimits, title: str) -> Card:
    if "lead" not in it:
        it["lead"] = engine.render(f"mail/{notice.kind}.txt", it)
    return Card(
        id=card_id(notice),
        title=title,
        summary=_fitted(engine, "summary", it, limits.summary),
        body=_fitted(engine, "body" if limits.buttons else "page", it, limits.body),
        rows=_rows(engine, it, limits),
    )


def _fitted(engine: Engine, name: str, it: dict[str, Any], limit: int) -> str:
    return within(engine.render(f"card/{name}.txt", it).strip(), limit, octets) if limit else ""


def _rows(engine: Engine, it: dict[str, Any], limits: CardLimits) -> tuple[tuple[str, str], ...]:
    lines = engine.render("card/rows.txt", it).splitlines() if limits.rows else []
    pairs = (line.partition("：") for line in lines if "：" in line)
    return tuple(
        (within(name.strip(), limits.row_name, octets), within(value.strip(), limits.row_value, octets))
        for name, _, value in list(pairs)[: limits.rows]
    )


def _buttons(
    it: dict[str, Any], notice: Notice, limits: CardLimits, buttons: Buttons, *, signed: bool
) -> tuple[Button, ...]:
    if not limits.buttons:
        return ()
    verbs = (Verb.FALSE_ALARM,) if signed else (Verb.SIGN, Verb.FALSE_ALARM)
    acting = [Button(verb.word, buttons.code(notice, verb)) for verb in verbs]
    details = Button(_DETAILS, link=it["link"]) if it["link"] else Button(_DETAILS, buttons.code(notice, Verb.QUERY))
    return (*acting, details)
