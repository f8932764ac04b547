"""Several orders in one message: which words belong to which codes. Pure.

签收A0231，误报A0232; 处理完毕，申请消警: each order is read from its own part of the text. Where the parts cannot be
told apart for certain, only the first is done, and the rest is named.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from bot.chat.folding import folded
from bot.chat.grammar import CODE, Understood, packed, read, understand
from bot.chat.verbs import TABLE
from escalation.vocabulary import Verb

MOST_ORDERS = 8
"""How many orders of one message are taken; what says more is asked to send them apart."""
_APART = re.compile(r"[，,。;；!！\n]+")
_ALONE = frozenset({Verb.UNDO, Verb.APPROVE, Verb.REFUSE})
"""Never one of several: what they speak of is what came just before."""
_WORDS = re.compile("|".join(f"(?:{word.said.pattern})" for word in TABLE), re.IGNORECASE)


def orders_in(text: str, now: int = 0) -> tuple[Understood, ...]:
    """The message as one or more orders, in the order of the text; each but the first without accident words, which
    belong to the message as a whole."""
    whole = understand(text, now)
    acting = [verb for verb in whole.everything if verb.acts]
    if whole.verb is None or not whole.verb.acts or whole.slip:
        return (whole,)
    typed = packed(folded(text))
    denied = _denied(typed, now)
    if denied:
        return _without(_orders(whole, acting, typed, now), whole, denied)
    return _orders(whole, acting, typed, now)


def _orders(whole: Understood, acting: list[Verb], typed: str, now: int) -> tuple[Understood, ...]:
    """The orders of a message that acts, before what it denies is taken out."""
    if (len(acting) < 2 and len(whole.codes) < 2) or not _ALONE.isdisjoint(acting):
        return (whole,)
    for pieces in (_by_clauses(typed, now), _by_codes(typed, now)):
        if len(whole.codes) > 1 and _all_apart(pieces):
            return _whole_first(whole, pieces)
    if whole.more and len(whole.codes) <= 1:
        pieces = _by_clauses(typed, now)
        got = [piece.verb for piece in pieces]
        if len(pieces) > 1 and set(whole.more) | {whole.verb} <= set(got):
            kept = [piece for piece in pieces if piece.verb is whole.verb or piece.verb in whole.more]
            return _whole_first(whole, [replace(piece, codes=whole.codes) for piece in kept])
        rest = [replace(whole, verb=verb, rest="") for verb in whole.more]
        return _whole_first(whole, [whole, *rest])
    return (whole,)


def _denied(typed: str, now: int) -> set[str]:
    """Codes of which a clause says that something is not so, or asks: A0232不是误报."""
    found: set[str] = set()
    for part in _APART.split(typed):
        if CODE.search(part) and _WORDS.search(part):
            one = read(part, now)
            found |= set(one.codes) if one.verb is None else set()
    return found


def _without(orders: tuple[Understood, ...], whole: Understood, denied: set[str]) -> tuple[Understood, ...]:
    kept = [
        replace(order, codes=tuple(code for code in order.codes if code not in denied))
        for order in orders
        if not order.codes or set(order.codes) - denied
    ]
    if not any(order.codes for order in kept):
        return (replace(whole, verb=None, more=(), everything=()),)
    first = replace(kept[0], emergency=whole.emergency)
    return (first, *kept[1:])


def _whole_first(whole: Understood, pieces: list[Understood]) -> tuple[Understood, ...]:
    """The orders as they are carried out; the first bears what belongs to the message."""
    clean = [replace(piece, more=(), emergency=whole.emergency if not at else ()) for at, piece in enumerate(pieces)]
    return tuple(clean) if len(clean) <= MOST_ORDERS else (whole,)


def _all_apart(pieces: list[Understood]) -> bool:
    """Whether every part is one order of its own, with codes of its own, and none is said twice."""
    codes = [code for piece in pieces for code in piece.codes]
    single = all(piece.verb is not None and piece.verb.acts and not piece.more and not piece.slip for piece in pieces)
    return len(pieces) > 1 and single and all(piece.codes for piece in pieces) and len(codes) == len(set(codes))


def _by_clauses(typed: str, now: int) -> list[Understood]:
    """Parted by punctuation; a part without a verb belongs to the one before it, or to the first that has one."""
    parts: list[str] = []
    waiting = ""
    for part in _APART.split(typed):
        verb = read(part, now).verb
        if verb is not None and verb.acts:
            parts.append(waiting + part)
            waiting = ""
        elif parts:
            parts[-1] += f"，{part}"
        else:
            waiting += f"{part}，"
    return [read(part, now) for part in parts if part]


def _by_codes(typed: str, now: int) -> list[Understood]:
    """Without punctuation: verb and codes in turn, or codes and verb in turn."""
    marks = sorted(
        [(match.start(), "C") for match in CODE.finditer(typed)]
        + [(match.start(), "V") for match in _WORDS.finditer(typed)]
    )
    turns = "".join(kind for _, kind in marks)
    if re.fullmatch(r"(?:VC+){2,}", turns):
        starts = [at for at, kind in marks if kind == "V"]
    elif re.fullmatch(r"(?:C+V){2,}", turns):
        starts = [at for place, (at, kind) in enumerate(marks) if kind == "C" and turns[max(place - 1, 0)] != "C"]
        starts = [marks[0][0], *(at for at in starts if at != marks[0][0])]
    else:
        return []
    starts[0] = 0
    return [read(typed[start:end], now) for start, end in pairwise([*starts, len(typed)])]
