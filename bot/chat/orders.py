"""Several orders in one message: which words belong to which codes. Pure.

签收A0231，误报A0232; 处理完毕，申请消警: each order is read from its own part of the text. Where the parts cannot be
told apart for certain, only the first is done, and the rest is named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from bot.chat.details import NO_DETAILS
from bot.chat.grammar import CODE, Understood, read, said_in, understand
from bot.chat.verbs import TABLE
from escalation.vocabulary import Verb

MOST_ORDERS = 8
"""How many orders of one message are taken; what says more is asked to send them apart."""
_APART = re.compile(r"[，,。;；!！\n]+")
_JUDGING = frozenset({Verb.APPROVE, Verb.REFUSE})
_ALONE = _JUDGING | {Verb.UNDO}
"""Not one of several: what they speak of is what came just before. Only judgements of different codes go together."""
_UNSIGNED = frozenset({Verb.TRANSFER, Verb.URGE, Verb.PHONED})
"""What signs nothing by itself: 收到，转派给李四 are two orders. To verify or to ask for time is to have signed."""
_PARENTHESES = re.compile(r"[，,。;；!！\n()]+")
_ANY_CODE = re.compile(rf"{CODE.pattern}|(?<![A-Za-z0-9.:])0\d{{3}}(?!\d)", re.IGNORECASE)
"""A code, or the figures of one."""
_NOT_SO = re.compile(r"[别不没勿未无非再请要等]")
_AGAINST = re.compile(r"[别不没勿未无但却而或]|还是|除了|可是")
_JOINING = re.compile(
    r"[和与及跟也都均这那条个各的两几 、/+&\-:：.…\"'“”【】\[\]]|还有|以及|一样|同样|同上|一起|一并|编号|警情|报警|"
    r"预警|(?<!等)等(?![等一会下])|[aw]?\d+",
    re.IGNORECASE,
)
"""What a clause may hold besides codes, and still say nothing of its own."""
_WORDS = re.compile("|".join(f"(?:{word.said.pattern})" for word in TABLE), re.IGNORECASE)


def orders_in(text: str, now: int = 0, own: str = "") -> tuple[Understood, ...]:
    """The message as one or more orders, in the order of the text; each but the first without accident words, which
    belong to the message as a whole. ``own`` is the sender's name."""
    whole = understand(text, now, own)
    if not _acts(whole):
        return (whole,)
    typed = said_in(text, own)
    kept = _without_denied(typed, now)
    if kept is None or _run_together(kept, now):
        return (_nothing(whole),)
    if kept != typed:
        whole = replace(read(kept, now), emergency=whole.emergency)
        if not _acts(whole):
            return (whole,)
    acting = [verb for verb in whole.everything if verb.acts]
    return _signed_first(_orders(whole, acting, kept, now), acting)


def _acts(whole: Understood) -> bool:
    return whole.verb is not None and whole.verb.acts and not whole.slip


def _nothing(whole: Understood) -> Understood:
    return replace(whole, verb=None, more=(), everything=())


def lettered(orders: Sequence[Understood], open_codes: Collection[str]) -> tuple[Understood, ...]:
    """The orders, a signature's figures without their letter taken for the one open code that has them. What does more
    than sign has to name the code."""
    return tuple(_lettered(order, open_codes) if order.verb is Verb.SIGN else order for order in orders)


def _lettered(order: Understood, open_codes: Collection[str]) -> Understood:
    codes, rest = list(order.codes), order.rest
    for at, code in enumerate(codes):
        meant = [each for each in open_codes if code.isdecimal() and each[1:].lstrip("0") == code.lstrip("0")]
        if len(meant) == 1:
            codes[at] = meant[0]
            rest = rest.replace(code, "", 1).strip(" ，")
    return replace(order, codes=tuple(dict.fromkeys(codes)), rest=rest)


def _orders(whole: Understood, acting: list[Verb], typed: str, now: int) -> tuple[Understood, ...]:
    """The orders of a message that acts, before what it denies is taken out."""
    if len(acting) < 2 and len(whole.codes) < 2:
        return (whole,)
    if not _ALONE.isdisjoint(acting):
        return _alone(whole, acting, typed, now)
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


def _alone(whole: Understood, acting: list[Verb], typed: str, now: int) -> tuple[Understood, ...]:
    """批准A0231，不批准A0232 are two judgements; of anything else beside a judgement or an undoing the first is done,
    on its own codes, and the rest is named."""
    if len(whole.codes) < 2:
        return (whole,)
    pieces = next(filter(_all_apart, (_by_clauses(typed, now), _by_codes(typed, now))), None)
    if pieces is None:
        return (whole,) if len(set(acting)) < 2 and not _turns(typed) else (_nothing(whole),)
    if _JUDGING.issuperset(piece.verb for piece in pieces):
        return _whole_first(whole, pieces)
    more = tuple(dict.fromkeys(piece.verb for piece in pieces[1:] if piece.verb not in (None, pieces[0].verb)))
    return (replace(pieces[0], more=more, emergency=whole.emergency),)


def _signed_first(orders: tuple[Understood, ...], acting: list[Verb]) -> tuple[Understood, ...]:
    """A signature that was said beside what says nothing of having signed."""
    first = orders[0]
    told = first.verb is not Verb.TRANSFER or first.details.to
    if Verb.SIGN not in acting or len(orders) > 1 or first.verb not in _UNSIGNED or not told:
        return orders
    signed = replace(first, verb=Verb.SIGN, rest="", details=NO_DETAILS, more=())
    return signed, replace(first, emergency=())


def _without_denied(typed: str, now: int) -> str | None:
    """The text without the clauses that say of a code that something is not so, or ask (A0232不是误报), or say anything
    else of it while another has both a verb and its code (消警A0231，A0232还没恢复). None where no code is left."""
    marks = [*_PARENTHESES.findall(typed), ""]
    parts = list(zip(_PARENTHESES.split(typed), marks, strict=True))
    pieces = {part: read(part, now) for part, _ in parts if _named(part)}
    meant = {(code, piece.verb) for part, piece in pieces.items() if _acts(piece) for code in _named(part)}
    own = {code for code, _ in meant}
    denied: set[str] = set()
    gone: set[str] = set()
    for part, piece in pieces.items():
        if _acts(piece) or piece.slip:
            continue
        words = {word.verb for word in TABLE if word.said.search(part)}
        if words or (own and _JOINING.sub("", part)):
            denied.add(part)
            gone |= {code for code in _named(part) if code not in own or any((code, verb) in meant for verb in words)}
    if not denied:
        return typed
    left = "".join(part + mark for part, mark in parts if part not in denied)
    left = _ANY_CODE.sub(lambda match: "" if match[0].lower() in gone else match[0], left)
    return left if _named(left) else None


def _run_together(typed: str, now: int) -> bool:
    """Whether codes of one clause are set against each other, so that nobody can tell what is meant of which:
    消警A0231别消A0232, 签收A0231或A0232, A0231误报A0232真实超限."""
    for part in _PARENTHESES.split(typed):
        codes = list(_ANY_CODE.finditer(part))
        words = list(_WORDS.finditer(part))
        if len(codes) < 2 or not words:
            continue
        if _turns(part):
            ends = [code.end() for code in codes]
            before = [
                part[max((end for end in ends if end <= word.start()), default=0) : word.start()] for word in words
            ]
            if any(map(_NOT_SO.search, before)) or not _all_apart(_by_codes(part, now)):
                return True
            continue
        gaps = [part[one.end() : other.start()] for one, other in pairwise(codes)]
        between = any(codes[0].end() <= word.start() < codes[-1].start() for word in words)
        if any(map(_AGAINST.search, gaps)) or (between and _JOINING.sub("", part[codes[-1].end() :])):
            return True
    return False


def _named(part: str) -> list[str]:
    return [match[0].lower() for match in _ANY_CODE.finditer(part)]


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


def _turns(typed: str) -> list[int]:
    """Where the parts begin in a text without punctuation: verb and codes in turn, or codes and verb in turn."""
    marks = sorted(
        [(match.start(), "C") for match in CODE.finditer(typed)]
        + [(match.start(), "V") for match in _WORDS.finditer(typed)]
    )
    turns = "".join(kind for _, kind in marks)
    if re.fullmatch(r"(?:VC+){2,}", turns):
        return [0, *[at for at, kind in marks if kind == "V"][1:]]
    if re.fullmatch(r"(?:C+V){2,}", turns):
        return [0, *(at for place, (at, kind) in enumerate(marks) if place and kind == "C" and turns[place - 1] == "V")]
    return []


def _by_codes(typed: str, now: int) -> list[Understood]:
    """Without punctuation: each turn is a part."""
    return [read(typed[start:end], now) for start, end in pairwise([*_turns(typed), len(typed)])]
