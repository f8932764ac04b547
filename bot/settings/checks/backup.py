"""Channels that stand in for others can: they exist, reach the same kind of address, and are not the channel itself."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings.channel_facts import Need, need_of
from bot.settings.checks.draft import Draft
from bot.settings.positions import Loc
from bot.settings.problem import Finding, choices

_NUMBERED = (Need.MOBILE, Need.PHONE, Need.MAIL)
"""Addresses that more than one channel can reach."""


def backup(draft: Draft) -> Iterator[Finding]:
    """Rows of ``[backup]`` that would help nobody."""
    known = draft.named("channels")
    for name, others in draft.named("backup").items():
        yield from _exists(name, ("backup", name), draft, key=True)
        for number, other in enumerate(others if isinstance(others, list) else []):
            at: Loc = ("backup", name, number)
            if not isinstance(other, str):
                continue
            yield from _exists(other, at, draft)
            if other == name or other in others[:number]:
                yield Finding("backup_itself", at, {"value": other})
            elif name in draft.channels and other in draft.channels and {name, other} <= set(known):
                needs = {need_of(draft.channels[each][1]) for each in (name, other)}
                if len(needs) > 1 or not needs <= set(_NUMBERED):
                    yield Finding("backup_address", at, {"value": other, "channel": name})


def _exists(name: str, at: Loc, draft: Draft, *, key: bool = False) -> Iterator[Finding]:
    known = draft.named("channels")
    if name not in known and draft.whole:
        hint, args = choices(name, known)
        yield Finding("no_channel", at, {"value": name, **args}, hint=hint, key=key)
