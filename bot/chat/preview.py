"""How a message would be read, before it matters: the same reading the hub makes, against codes that are open. Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from bot.chat.grammar import Understood
from bot.chat.orders import lettered, orders_in
from bot.chat.resolving import NOT_BESIDE_ACCIDENT
from escalation.calendar import local
from escalation.vocabulary import Verb

NONE = "none"
"""What stands for no verb."""


class OrderRead(msgspec.Struct, kw_only=True):
    """One order of a message. ``act`` says that it may change something."""

    verb: str
    codes: list[str]
    args: dict[str, str | int]
    act: bool


class ReadAs(msgspec.Struct, kw_only=True):
    """How one message is read.

    ``verb`` and ``args`` are those of the first order, ``none`` where nothing was understood. ``codes`` are all that
    the message names, or the only one that is open where it names none. ``ask``: the sender must be asked back; then
    ``missing`` says for what: ``code``, ``word``, ``to``, ``length`` or ``reason``. ``act``: it may change something.
    ``emergency`` and ``accident``: whether it speaks of an accident, in which words. ``unknown`` are codes that are
    none of the open ones. ``automatic``: a machine wrote it.
    """

    verb: str
    codes: list[str]
    ask: bool
    emergency: bool
    args: dict[str, str | int]
    act: bool
    accident: list[str]
    unknown: list[str]
    automatic: bool
    orders: list[OrderRead]
    missing: str = ""


def read_as(text: str, now: int, open_codes: Collection[str] | None) -> ReadAs:
    """Read ``text`` as written at ``now`` (ms) by somebody to whom these codes are open; None: any code is taken for
    open, and a message without one for a message about the only one. Never raises."""
    said = orders_in(text, now)
    said = said if open_codes is None else lettered(said, open_codes)
    first = said[0]
    named = list(dict.fromkeys(code for one in said for code in one.codes))
    unknown = [code for code in named if open_codes is not None and code not in open_codes]
    orders = [_order(one, open_codes, emergency=bool(first.emergency)) for one in said if one.verb is not None]
    main = orders[0] if orders else OrderRead(verb=_bare(first), codes=named, args={}, act=False)
    missing = _missing(first, open_codes, known=len(named) > len(unknown))
    if missing:
        orders = [msgspec.structs.replace(order, act=False) for order in orders]
    return ReadAs(
        verb=main.verb,
        codes=named or main.codes,
        ask=bool(missing),
        emergency=bool(first.emergency),
        args=main.args,
        act=any(order.act for order in orders),
        accident=list(first.emergency),
        unknown=unknown,
        automatic=first.automatic,
        orders=orders,
        missing=missing,
    )


def _bare(first: Understood) -> str:
    """A code by itself asks how it stands."""
    return Verb.QUERY.value if first.codes and not first.rest and not first.emergency else NONE


def _order(one: Understood, open_codes: Collection[str] | None, *, emergency: bool) -> OrderRead:
    verb = one.verb
    if verb is None:
        raise ValueError("an order has a verb")
    codes = [code for code in one.codes if open_codes is None or code in open_codes]
    if not one.codes and open_codes is not None and len(open_codes) == 1 and verb.acts:
        codes = list(open_codes)
    found = bool(codes) or open_codes is None or verb is Verb.UNDO
    beside = emergency and verb in NOT_BESIDE_ACCIDENT
    act = verb.acts and found and not beside
    return OrderRead(verb=verb.value, codes=codes, args=arguments(one), act=act)


def _missing(first: Understood, open_codes: Collection[str] | None, *, known: bool) -> str:
    """What the sender has to be asked for: ``word``, ``code``, ``to``, ``length`` or ``reason``; '' for nothing."""
    verb = first.verb
    if verb is None or not verb.acts:
        return ""
    if first.slip:
        return "word"
    several = open_codes is not None and len(open_codes) != 1
    if (first.codes and not known) or (not first.codes and several and open_codes and verb is not Verb.UNDO):
        return "code"
    if verb is Verb.TRANSFER and not first.details.to:
        return "to"
    if verb is Verb.EXTEND and not (first.details.minutes or first.details.until):
        return "length"
    return "reason" if verb is Verb.EXTEND and not first.rest else ""


def arguments(one: Understood) -> dict[str, str | int]:
    """What was said besides the verb and the codes, by name; nothing that was not said."""
    details = one.details
    given: dict[str, str | int] = {
        "cause": one.cause if one.verb is Verb.VERIFY else "",
        "to": details.to,
        "minutes": details.minutes,
        "until": local(details.until).isoformat(timespec="minutes") if details.until else "",
        "clock": details.clock.value if details.clock else "",
        "of": details.of.value if details.of else "",
        "text": one.rest if one.verb is not None and one.verb.acts else "",
    }
    return {name: value for name, value in given.items() if value}
