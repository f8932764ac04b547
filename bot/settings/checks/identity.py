"""Codes and addresses are well formed: 统一社会信用代码, mobile numbers, mail addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.settings.channel_facts import Need, may_lack_address, meant_number, need_of
from bot.settings.checks.draft import Draft
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Weight, choices
from bot.settings.uscc import ALPHABET, LOOKALIKES, corrected
from escalation.directory import ContactEntry


def codes(draft: Draft) -> Iterator[Finding]:
    """Enterprises' codes that cannot be right."""
    for loc, uscc in draft.ids("enterprises", "uscc"):
        finding = _uscc(loc, uscc)
        if finding is not None:
            yield finding


def _uscc(loc: Loc, uscc: str) -> Finding | None:
    for at, mark in enumerate(uscc, 1):
        if mark not in ALPHABET:
            lookalike = LOOKALIKES.get(mark.upper(), "")
            args: dict[str, object] = {"at": at, "mark": mark, "digit": lookalike}
            return Finding("uscc_mark", loc, args, hint="uscc_zero" if lookalike else "")
    if len(uscc) != 18:
        return Finding("uscc_length", loc, {"length": len(uscc)})
    whole = corrected(uscc)
    return None if whole == uscc else Finding("uscc_digit", loc, {"right": str(whole)[-1], "whole": whole})


def contacts(draft: Draft) -> list[tuple[Loc, str, ContactEntry]]:
    """Every contact with whose it is: a person's name, or a post's unit."""
    of_people = [
        ((*loc, "contacts", number), f"{person.name} ({person.id})", entry)
        for loc, person in draft.people
        for number, entry in enumerate(person.contacts)
    ]
    of_posts = [
        ((*loc, "contacts", number), f"{post.unit} {post.role.word}", entry)
        for loc, post in draft.posts
        for number, entry in enumerate(post.contacts)
    ]
    return of_people + of_posts


def addresses(draft: Draft) -> Iterator[Finding]:
    """Contacts on channels that do not exist, and addresses that such a channel cannot use."""
    known = draft.named("channels")
    for loc, _, entry in contacts(draft):
        if entry.channel not in known:
            if draft.whole:
                hint, args = choices(entry.channel, known)
                yield Finding("no_channel", (*loc, "channel"), {"value": entry.channel, **args}, hint=hint)
            continue
        if entry.channel in draft.channels:
            yield from _address(loc, entry, draft)


def _address(loc: Loc, entry: ContactEntry, draft: Draft) -> Iterator[Finding]:
    settings, abilities = draft.channels[entry.channel]
    need = need_of(abilities)
    need_zh, need_en = need.words
    args: dict[str, Any] = {
        "channel": entry.channel,
        "value": entry.address,
        "need_zh": need_zh,
        "need_en": need_en,
        "example": need.example,
    }
    if need is Need.NONE:
        if entry.address:
            yield Finding("needless_address", (*loc, "address"), args)
    elif not entry.address:
        if not may_lack_address(settings, need):
            yield Finding("no_address", loc, args)
    elif not need.holds(entry.address):
        meant = meant_number(entry.address) if need in (Need.MOBILE, Need.PHONE) else ""
        hint = "meant_number" if meant else ""
        yield Finding("bad_address", (*loc, "address"), args | ({"example": meant} if meant else {}), hint=hint)


def shared_addresses(draft: Draft) -> Iterator[Finding]:
    """A warning for a telephone of two people: one of them may answer for the other."""
    first: dict[str, tuple[Loc, str]] = {}
    told: set[tuple[str, str]] = set()
    for loc, person in draft.people:
        for number, entry in enumerate(person.contacts):
            if entry.channel not in draft.channels:
                continue
            if need_of(draft.channels[entry.channel][1]) not in (Need.MOBILE, Need.PHONE) or not entry.address:
                continue
            at = (*loc, "contacts", number, "address")
            earlier, owner = first.setdefault(entry.address, (at, person.id))
            if owner != person.id and (entry.address, person.id) not in told:
                told.add((entry.address, person.id))
                args = {"value": entry.address, "first": owner, "second": person.id}
                yield Finding("phone_twice", at, args, Weight.WARNING, also=earlier)
