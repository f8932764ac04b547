"""Accounts that lead to somebody: a person with a post at the account's unit, or a post that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from bot.passwords import Strength, strength
from bot.settings.accounts import Account
from bot.settings.checks.draft import Draft
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Weight, choices
from escalation.directory import Directory


def accounts(draft: Draft) -> Iterator[Finding]:
    """Accounts for nobody, for nowhere, or with a password that is guessed too cheaply."""
    people = {name for _, name in draft.ids("people")}
    places = {name for _, name in (*draft.ids("units"), *draft.ids("enterprises", "uscc"))}
    for name, table in draft.named("accounts").items():
        loc: Loc = ("accounts", name)
        # Of an account with another fault, such as its hash, too: everything is told at once.
        lost = list(_nowhere(loc, table, people, places)) if draft.whole and isinstance(table, dict) else []
        yield from lost
        try:
            account = Account.model_validate(table)
        except ValidationError:
            continue
        if strength(account.password_hash) is Strength.WEAK:
            yield Finding("weak_hash", (*loc, "password_hash"), weight=Weight.WARNING)
        if draft.whole and not lost and draft.directory is not None:
            yield from _without_post(loc, account, draft.directory)


def _nowhere(loc: Loc, table: dict[str, Any], people: set[str], places: set[str]) -> Iterator[Finding]:
    for name, code, known in (("person", "no_person", people), ("unit", "no_place", places)):
        value = table.get(name)
        if isinstance(value, str) and value not in known:
            hint, args = choices(value, known)
            yield Finding(code, (*loc, name), {"value": value, **args}, hint=hint)


def _without_post(loc: Loc, account: Account, directory: Directory) -> Iterator[Finding]:
    unit = directory.unit_name(account.unit)
    if account.post is not None:
        if not directory.posts_at(account.unit, account.post):
            yield Finding("account_no_post", (*loc, "post"), {"unit": unit, "post": account.post.value})
        return
    person = account.person or ""
    if not stands_at(directory, account.unit, person) and not account.wall:
        args = {"unit": unit, "person": directory.people[person].name}
        yield Finding("account_elsewhere", (*loc, "person"), args)


def stands_at(directory: Directory, unit: str, person: str) -> bool:
    """Whether the person holds any post at the unit, or answers there for a point or a major hazard."""
    held = any(
        person in (*post.people, *(each for shift in post.roster for each in shift.people))
        for post in directory.posts
        if post.unit == unit
    )
    enterprise = directory.enterprises.get(unit)
    if held or enterprise is None:
        return held
    hazards = enterprise.hazards
    of_hazards = (who for each in hazards for who in (each.main_person, each.technical_person, each.operational_person))
    return person in {*(who for point in enterprise.points for who in point.responsible), *of_hazards}
