"""Groups in which a robot listens: its own channel has to be there, and has to be one that hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.settings.checks.draft import Draft
from bot.settings.problem import Finding, choices
from channels.dingtalk.app_settings import GroupSettings as DingGroup
from channels.dingtalk.app_settings import Settings as DingApp
from channels.dingtalk.app_settings import Way
from channels.wecom.aibot_settings import GroupSettings, Settings


def robots(draft: Draft) -> Iterator[Finding]:
    """Groups whose robot is none, or does not listen."""
    for name, (settings, _) in draft.channels.items():
        if isinstance(settings, GroupSettings):
            yield from _robot(draft, ("channels", name, "bot"), settings.bot, "not_a_bot", _is_robot)
        elif isinstance(settings, DingGroup) and settings.app:

            def listens(app: object, group: DingGroup = settings) -> bool:
                return isinstance(app, DingApp) and app.client_id == group.client_id and app.inbound is not Way.NONE

            yield from _robot(draft, ("channels", name, "app"), settings.app, "not_its_app", listens)


def _is_robot(settings: object) -> bool:
    return isinstance(settings, Settings)


def _robot(
    draft: Draft, path: tuple[str, str, str], wanted: str, code: str, fits: Callable[[object], bool]
) -> Iterator[Finding]:
    found, known = draft.channels.get(wanted), draft.named("channels")
    if found is not None and not fits(found[0]):
        yield Finding(code, path, {"value": wanted})
    elif wanted not in known and draft.whole:
        hint, args = choices(wanted, known)
        yield Finding("no_channel", path, {"value": wanted, **args}, hint=hint)
