"""What a vendor has approved, beside what the configuration says: what ``check --online`` adds to a login. Pure.

A template that the vendor refused, or knows by another text, refuses the first alarm; so it is asked for before.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from channels.greeting import Greeting, Standing
from channels.sms.account import Account, AnyTemplate

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A template's code or a signature, and where in the channel's table it stands (the first of the places)."""

    name: str
    where: Where


@dataclass(frozen=True, slots=True)
class Fault:
    """Why what stands at ``where`` would be refused."""

    where: Where
    words: str


@dataclass(frozen=True, slots=True)
class Review:
    """What came of asking for one thing: ``fault`` where it would be refused, ``unasked`` why nothing is known."""

    fault: Fault | None = None
    unasked: str = ""


def signatures(account: Account[AnyTemplate]) -> list[Asked]:
    """Every signature of an account, with where it stands first."""
    places = {account.signature: Asked(account.signature, ("signature",))}
    for number, template in enumerate(account.templates):
        if template.signature:
            places.setdefault(template.signature, Asked(template.signature, ("templates", number, "signature")))
    return list(places.values())


def of_state(what: str, asked: Asked, state: str, reason: str) -> Review:
    """``state`` in words, '' for what is approved; ``reason`` is the vendor's."""
    if not state:
        return Review()
    return Review(Fault(asked.where, f"{what} {asked.name} {state}" + (f"（{reason.strip()[:80]}）" if reason else "")))


def of_text(asked: Asked, ours: str, theirs: str) -> Review:
    """A template that is approved, by its text there: sent is what the vendor has, counted what the table says."""
    if not theirs or _bare(ours) == _bare(theirs):
        return Review()
    where = (*asked.where[:-1], "text")
    return Review(Fault(where, f"模板 {asked.name} 在平台上的正文是“{theirs[:120]}”，与这里写的不同"))


def concluded(greeting: Greeting, reviews: Sequence[Review]) -> Greeting:
    """A good greeting with what was found of templates and signatures."""
    faults = [each.fault for each in reviews if each.fault is not None]
    if faults:
        return Greeting(Standing.REFUSED, "；".join(each.words for each in faults), faults[0].where)
    unasked = next((each.unasked for each in reviews if each.unasked), "")
    said = f"模板和签名没有核对：{unasked}" if unasked else "模板和签名已核对"
    return replace(greeting, detail=f"{greeting.detail}，{said}")


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
