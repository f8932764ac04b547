"""Long lines: one connection of one account, and the groups that are reached by another channel's line."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings.checks.draft import Draft
from bot.settings.problem import Finding, choices
from channels.wecom.aibot_settings import GroupSettings, Settings


def robots(draft: Draft) -> Iterator[Finding]:
    """Robots whose line two channels would take from each other, and groups whose robot is none."""
    known = draft.named("channels")
    robots = {name: table for name, (table, _) in draft.channels.items() if isinstance(table, Settings)}
    first: dict[str, str] = {}
    for name, table in robots.items():
        other = first.setdefault(table.bot_id, name)
        if other != name:
            yield Finding(
                "same_bot", ("channels", name, "bot_id"), {"other": other}, also=("channels", other, "bot_id")
            )
    for name, (settings, _) in draft.channels.items():
        if not isinstance(settings, GroupSettings) or settings.bot in robots:
            continue
        if settings.bot in draft.channels:
            yield Finding("not_a_bot", ("channels", name, "bot"), {"value": settings.bot})
        elif settings.bot not in known and draft.whole:
            hint, args = choices(settings.bot, known)
            yield Finding("no_channel", ("channels", name, "bot"), {"value": settings.bot, **args}, hint=hint)
