"""How an SMS gets into its limit: extras go first, then wording, then the enterprise's name, the point's last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.rendering.engine import Engine
from bot.rendering.shorten import middle, units, within

_LEAST_EXTRA = 6
# A cut name says enough with so many characters; below that the shortest wording is used first.
_GOOD_NAME = 4
_GOOD_POINT = 7
_LEAST_NAME = 2


def fit_names(engine: Engine, template: str, wordings: Sequence[dict[str, Any]], limit: int) -> str | None:
    """The text of ``template`` in at most ``limit`` units: the first of the ``wordings`` that takes the names, from the
    second on also names that are cut but say enough, in the last any. None where even that is longer.

    What was odd about the event (``flags``) is said if any wording has room for it. The template shows ``it.short``,
    ``it.point`` and ``it.extra`` at most once each.
    """
    enterprise, point = wordings[0]["short"], wordings[0]["point"]
    need = units(enterprise) + units(point)
    unflagged: str | None = None
    for wording in wordings:
        bare = wording | {"short": "", "point": "", "extra": ""}
        room = limit - units(engine.render(template, bare))
        if room >= need:
            extra, flagged = _extra(wording, room - need - 1)
            text = engine.render(template, wording | {"extra": extra})
            if flagged:
                return text
            unflagged = unflagged or text
        elif unflagged is None and wording is not wordings[0]:
            least, least_point = min(_GOOD_NAME, units(enterprise)), min(_GOOD_POINT, units(point))
            if wording is wordings[-1] and room < least + least_point:
                least, least_point = min(_LEAST_NAME, least), min(_LEAST_NAME, least_point)
            if room >= least + least_point:
                name = within(enterprise, max(room - units(point), least))
                cut = {"extra": "", "short": name, "point": middle(point, room - units(name))}
                return engine.render(template, wording | cut)
    return unflagged


def _extra(wording: dict[str, Any], spare: int) -> tuple[str, bool]:
    """What fills ``spare`` units, flags first and piece by piece, and whether every flag is in it."""
    told: list[str] = []
    for piece in (*wording["flags"], *wording["extras"]):
        if units("；".join([*told, piece])) > spare:
            break
        told.append(piece)
    if not told and not wording["flags"] and wording["extras"] and spare >= _LEAST_EXTRA:
        return within(wording["extras"][0], spare), True
    return "；".join(told), len(told) >= len(wording["flags"])


def fit_note(engine: Engine, template: str, it: dict[str, Any], limit: int) -> str | None:
    """The same for a template that shows a text of its own: ``it.note`` is cut; None where nothing of it has room."""
    it = {**it, "extra": ""}
    whole = engine.render(template, it)
    surplus = units(whole) - limit
    if surplus <= 0:
        return whole
    # Where the note carried the code, the template adds the code again once the note is cut.
    keep = units(it["note"]) - surplus - units(it["code"]) - 4
    return engine.render(template, {**it, "note": within(it["note"], keep)}) if keep >= _LEAST_EXTRA else None
