"""Channels that stand in for others can: they exist, reach the same kind of address, and are not the channel itself."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings.channel_facts import Need, need_of
from bot.settings.checks.draft import Draft
from bot.settings.positions import Loc
from bot.settings.problem import Finding, choices
from channels.channel import Abilities

_NUMBERED = (Need.MOBILE, Need.MAIL)
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
            elif (
                {name, other} <= set(known)
                and {name, other} <= set(draft.channels)
                and not _alike(draft.channels[name][1], draft.channels[other][1])
            ):
                yield Finding("backup_address", at, {"value": other, "channel": name})


def _alike(one: Abilities, other: Abilities) -> bool:
    """Whether one may stand in for the other. A call stands in for a call alone: it is made at its own step."""
    if one.voice or other.voice:
        return one.voice and other.voice
    need = need_of(one)
    return need is need_of(other) and need in _NUMBERED


def _exists(name: str, at: Loc, draft: Draft, *, key: bool = False) -> Iterator[Finding]:
    known = draft.named("channels")
    if name not in known and draft.whole:
        hint, args = choices(name, known)
        yield Finding("no_channel", at, {"value": name, **args}, hint=hint, key=key)
