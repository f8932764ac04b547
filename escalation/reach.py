"""Nobody at the post: who hears instead, and the named reasons that make it loud.

An opening or a rung asks for posts; this answers with people. Where a duty's posts reach nobody, it falls to whoever
leads there, then to the next tier's duty room and its leader, and so on up the line; past its end, to the maintainers.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from escalation import roster
from escalation.directory import Directory
from escalation.incident import Duty, DutyPlan, Rung, Step, StepAction
from escalation.notice import Addressee
from escalation.vocabulary import Role, Tier


class Fallback(StrEnum):
    """Why somebody else hears than the rule named; each is a row of the journal."""

    NOBODY_AT_POST = "nobody_at_post"
    GROUP_OF_OTHERS = "group_of_others"
    FELL_TO_LEADER = "fell_to_leader"
    FELL_TO_NEXT_TIER = "fell_to_next_tier"
    NOBODY_ANYWHERE = "nobody_anywhere"

    @property
    def word(self) -> str:
        return {
            "nobody_at_post": "岗位无人",
            "group_of_others": "群内有其他单位的人，不发本企业的信息",
            "fell_to_leader": "转由带班领导接收",
            "fell_to_next_tier": "转由上一级接收",
            "nobody_anywhere": "各级均无人可通知，已转系统维护员",
        }[self.value]


class Reached(msgspec.Struct, frozen=True):
    """Who is to hear, and which fallbacks it took, in the order they were tried: none when the posts were filled.
    ``unit`` and ``roles`` are the posts that were asked first: with fallbacks, those that were empty."""

    addressees: tuple[Addressee, ...]
    fallbacks: tuple[Fallback, ...] = ()
    unit: str = ""
    roles: tuple[Role, ...] = ()


LEADERS: Mapping[Tier, tuple[Role, ...]] = {
    tier: (Role.LEADER_ON_DUTY, Role.SAFETY_HEAD, Role.MAIN_PERSON)
    if tier is Tier.ENTERPRISE
    else (Role.LEADER_ON_DUTY,)
    for tier in Tier
}
"""Who leads at a tier, best first. Small enterprises have no leader on duty, but a safety head and a main person."""


def acting(
    directory: Directory,
    tier: Tier,
    unit: str,
    roles: tuple[Role, ...],
    at_ms: int,
    line: Mapping[Tier, str],
    point: str = "",
) -> Reached:
    """Who hears 须处置 for a duty of ``unit``: the point's responsible persons, then of each post the first person.

    ``line`` is the plan's ``units``. Never empty while anybody above, or any maintainer, can be reached.
    """
    standing = at_posts(directory, unit, roles, at_ms)
    told = open_to(directory, standing, line)
    withheld = [Fallback.GROUP_OF_OTHERS] if len(told) < len(standing) else []
    if tier is Tier.ENTERPRISE and point:
        told = roster.distinct((*roster.responsible_for_point(directory, unit, point, roles), *told))
    if told:
        return Reached(told, tuple(withheld), unit, roles)
    fallbacks = withheld or [Fallback.NOBODY_AT_POST]
    led = open_to(directory, _leader(directory, tier, unit, at_ms), line)
    if led:
        return Reached(led, (*fallbacks, Fallback.FELL_TO_LEADER), unit, roles)
    for above in sorted((other for other in line if other.rank > tier.rank), key=lambda other: other.rank):
        fallbacks.append(Fallback.FELL_TO_NEXT_TIER)
        room = open_to(directory, at_posts(directory, line[above], (Role.DUTY_ROOM,), at_ms), line)
        if room:
            return Reached(room, tuple(fallbacks), unit, roles)
        led = open_to(directory, _leader(directory, above, line[above], at_ms), line)
        if led:
            return Reached(led, (*fallbacks, Fallback.FELL_TO_LEADER), unit, roles)
    return Reached(maintainers(directory, "", at_ms), (*fallbacks, Fallback.NOBODY_ANYWHERE), unit, roles)


def maintainers(directory: Directory, unit: str, at_ms: int) -> tuple[Addressee, ...]:
    """Who keeps the hub running: the maintainers of ``unit``, or of every unit where that one has none."""
    here = roster.standing(directory, unit, Role.MAINTAINER, at_ms)
    if here:
        return here
    units = dict.fromkeys(post.unit for post in directory.posts if post.role is Role.MAINTAINER)
    return roster.distinct(who for each in units for who in roster.standing(directory, each, Role.MAINTAINER, at_ms))


def by_step(
    directory: Directory,
    duty: DutyPlan | Duty,
    step: Rung | Step,
    at_ms: int,
    line: Mapping[Tier, str],
    point: str = "",
) -> Reached:
    """Whom a rung of a duty's ladder reaches at this moment.

    A rung inside the duty's own unit does not leave it: where its post is empty it falls to whoever leads there, else
    it reaches nobody, says so, and the rungs above follow at their announced time. A second person who does not exist
    is no fault: then those of the opening hear again. Proposals reach officers only.
    """
    match step.action:
        case StepAction.REMIND | StepAction.PHONE | StepAction.ANNOUNCE:
            return acting(directory, duty.tier, duty.unit, duty.roles, at_ms, line, point)
        case StepAction.SECOND_PERSON:
            opening = acting(directory, duty.tier, duty.unit, duty.roles, at_ms, line, point)
            told = {who.person for who in opening.addressees}
            seconds = (who for role in duty.roles for who in roster.second(directory, duty.unit, role, at_ms))
            fresh = roster.distinct(who for who in seconds if who.person not in told)
            return Reached(fresh) if fresh else opening
        case StepAction.SAFETY_HEAD:
            return _within(directory, duty, Role.SAFETY_HEAD, at_ms, point)
        case StepAction.MAIN_PERSON:
            return _within(directory, duty, Role.MAIN_PERSON, at_ms, point)
        case StepAction.LEADER_ON_DUTY:
            return _within(directory, duty, Role.LEADER_ON_DUTY, at_ms, point)
        case StepAction.PROPOSE:
            unit = line.get(step.tier or duty.tier, duty.unit)
            officers = roster.standing(directory, unit, Role.OFFICER, at_ms)
            return Reached(officers, () if officers else (Fallback.NOBODY_AT_POST,), unit, (Role.OFFICER,))
        case StepAction.NEXT_DUTY_ROOM | StepAction.NEXT_LEADER:
            role = Role.DUTY_ROOM if step.action is StepAction.NEXT_DUTY_ROOM else Role.LEADER_ON_DUTY
            above = step.tier or duty.tier
            return acting(directory, above, line.get(above, duty.unit), (role,), at_ms, line)


def _within(directory: Directory, duty: DutyPlan | Duty, role: Role, at_ms: int, point: str) -> Reached:
    hazard = (who for who in roster.responsible_for_point(directory, duty.unit, point, (role,)) if who.role is role)
    told = roster.distinct((*hazard, *at_posts(directory, duty.unit, (role,), at_ms)))
    if told:
        return Reached(told)
    led = _leader(directory, duty.tier, duty.unit, at_ms)
    fallbacks = (Fallback.NOBODY_AT_POST, Fallback.FELL_TO_LEADER) if led else (Fallback.NOBODY_AT_POST,)
    return Reached(led, fallbacks, duty.unit, (role,))


def open_to(directory: Directory, found: tuple[Addressee, ...], line: Mapping[Tier, str]) -> tuple[Addressee, ...]:
    """Those who can be told of an enterprise of this line without anybody else reading it: one of their contacts is
    theirs alone, or a group of the line's own people."""
    units = line.values()
    return tuple(who for who in found if any(directory.may_read(each.channel, units) for each in who.contacts))


def _leader(directory: Directory, tier: Tier, unit: str, at_ms: int) -> tuple[Addressee, ...]:
    for role in LEADERS[tier]:
        led = at_posts(directory, unit, (role,), at_ms)
        if led:
            return led
    return ()


def at_posts(directory: Directory, unit: str, roles: tuple[Role, ...], at_ms: int) -> tuple[Addressee, ...]:
    """Of each post of these roles the duty room itself and the first person, nobody in their place."""
    return roster.distinct(who for role in roles for who in roster.first(directory, unit, role, at_ms))
