"""The hub's own sentences in every form: answers of the bot, quarantine notices, the text that needs no template."""

from __future__ import annotations

from markupsafe import escape

from bot.rendering import feedback, neutral, shorten
from bot.rendering.facts import clean_for
from bot.rendering.rendered import Rendered, cut, fits
from channels.channel import Abilities, Form
from escalation.vocabulary import Mode

_SUBJECT_CHARS = 60


def plain(text: str, abilities: Abilities, mode: Mode, source: str) -> Rendered:
    """``text`` as literal lines, the mode's mark first, cut to the channel's limit; nothing in it is markup."""
    clean = clean_for(abilities)
    lines = [clean(line) for line in text.removeprefix(mode.mark).strip().splitlines()]
    whole = mode.mark + "\n".join(lines)
    if abilities.form is Form.JSON:
        return Rendered(text=feedback.sentence(shorten.within(whole, 4000), mode, source))
    body = cut(whole, abilities)
    complete = fits(whole, abilities)
    if abilities.form is not Form.MAIL:
        return Rendered(text=body, complete=complete)
    html = "".join(f"<p>{escape(line)}</p>\n" for line in body.split("\n"))
    page = f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"></head><body>\n{html}</body></html>'
    subject = shorten.within(body.split("\n", 1)[0], _SUBJECT_CHARS)
    return Rendered(text=body, subject=subject, html=page, complete=complete)


def quarantine_text(source: str, event_id: str, reason: str) -> str:
    """What the maintainers read of an event that was put aside: where it came from, which one, and why."""
    source, event_id, reason = (neutral.plain(part[:120]) for part in (source, event_id, reason))
    return f"待核对事件，请关注：来源 {source}，事件 {event_id}。{reason}。未按警情办理，请核对后重新发送。"
