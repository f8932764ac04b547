"""Groups that are reached by the long line of an intelligent robot: that robot's channel has to be one."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings.checks.draft import Draft
from bot.settings.problem import Finding, choices
from channels.wecom.aibot_settings import GroupSettings, Settings


def robots(draft: Draft) -> Iterator[Finding]:
    """Groups whose robot is none."""
    known = draft.named("channels")
    for name, (settings, _) in draft.channels.items():
        if not isinstance(settings, GroupSettings):
            continue
        robot = draft.channels.get(settings.bot)
        if robot is not None and not isinstance(robot[0], Settings):
            yield Finding("not_a_bot", ("channels", name, "bot"), {"value": settings.bot})
        elif settings.bot not in known and draft.whole:
            hint, args = choices(settings.bot, known)
            yield Finding("no_channel", ("channels", name, "bot"), {"value": settings.bot, **args}, hint=hint)
