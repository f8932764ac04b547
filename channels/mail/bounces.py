"""Returned mails: which of our letters, and whether it is given up, still tried, or delivered. Pure.

Standard reports (RFC 3464) say it in fields; what Chinese public mailboxes send (系统退信) says it in sentences, and
quotes or attaches the letter. Only the letter's own sealed id tells which it was: a return can be forged like any mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message

from channels.channel import ReceiptKind
from channels.mail.bodies import leaves, part_text, text_of_page
from channels.mail.charsets import header_of, text_of
from channels.mail.headers import Headers
from channels.mail.seal import words_in

_STATED = {"failed": ReceiptKind.UNDELIVERED, "delivered": ReceiptKind.DELIVERED}
_MAIL = re.compile(r"[^\s@<>\"'(),:;\[\]，。；：（）“”]{1,80}@[A-Za-z0-9.-]{3,100}")
_RETURNED = re.compile(
    r"退信|退回|投递失败|发送失败|无法(?:投递|送达)|未(?:能)?送达|undeliver|delivery (?:status|fail|has failed)|"
    r"failure notice|returned (?:mail|to sender)|mail delivery (?:failed|system)|delivery incomplete",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"延迟|延误|暂未|尚未送达|仍在尝试|稍后(?:将)?(?:再次|继续|重)|delay|still (?:being )?(?:trying|retried)|"
    r"will (?:be )?retr|not yet been delivered|warning: could not send",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(r"退信|退回|give(?:n|ing) up|permanent|不再(?:尝试|重试)|returned to sender", re.IGNORECASE)
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Returned:
    """What one mail server says of one letter: to which of ``addresses`` it was, by any of ``words``; ``kind`` is None
    while it is still tried."""

    addresses: tuple[str, ...]
    words: tuple[str, ...]
    kind: ReceiptKind | None
    said: str


def returned(mail: Message, headers: Headers) -> list[Returned] | None:
    """What a return says, one for each addressee; None where the mail is no return."""
    if mail.get_content_type() == "multipart/report":
        kind = str(mail.get_param("report-type", "")).lower()
        blocks = [part for part in leaves(mail) if part.get_content_type() == "message/delivery-status"]
        if blocks and kind in ("", "delivery-status"):
            return _stated(mail, blocks)
        if kind != "delivery-status":
            return None
    if not headers.from_daemon:
        return None
    words = "\n".join([headers.subject, *_texts(mail)])[:_LONGEST]
    if not _RETURNED.search(words[:4000]):
        return None
    beginning = words[:4000]
    waiting = _DELAYED.search(beginning) is not None and _GIVEN_UP.search(headers.subject) is None
    found = dict.fromkeys(each.lower().strip(".") for each in _MAIL.findall(words))
    said = " ".join(beginning.split())[:160]
    return [Returned(tuple(found), tuple(words_in(words)), None if waiting else ReceiptKind.UNDELIVERED, said)]


def _stated(mail: Message, blocks: list[Message]) -> list[Returned]:
    everything = "\n".join(_texts(mail))[:_LONGEST]
    found: list[Returned] = []
    for part in blocks:
        fields = _inside(part)
        envelope = " ".join(_field(each, "Original-Envelope-Id") for each in fields)
        words = tuple(dict.fromkeys([*words_in(envelope), *words_in(everything)]))
        for each in fields:
            action = _field(each, "Action").lower()
            if not action:
                continue
            stated = [_field(each, name).rpartition(";")[2] for name in ("Original-Recipient", "Final-Recipient")]
            # Whoever forwards mail is named instead of whom we wrote to: the letter's own To says it.
            asked = [*stated, *_MAIL.findall(everything)]
            addresses = tuple(dict.fromkeys(one.strip().strip("<>").lower() for one in asked if "@" in one))
            said = " ".join(
                filter(None, (_field(each, "Status"), _field(each, "Diagnostic-Code").partition(";")[2].strip()))
            )
            found.append(Returned(addresses, words, _STATED.get(action), " ".join(said.split())[:160]))
    return found


def _texts(mail: Message) -> list[str]:
    """Everything a return says in words, with what it attaches of the letter."""
    texts: list[str] = []
    for part in leaves(mail):
        kind = part.get_content_type()
        if kind == "text/html":
            texts.append(text_of_page(part_text(part)))
        elif kind in ("message/rfc822", "message/global", "message/delivery-status"):
            for each in _inside(part):
                texts += [f"{name}: {header_of(str(value)[:4000])}" for name, value in each.raw_items()]
                texts += [part_text(leaf) for leaf in leaves(each) if leaf.get_content_maintype() == "text"]
        elif kind.startswith(("text/", "message/")):
            texts.append(part_text(part) or text_of(part.as_bytes()[:_LONGEST]))
    return texts


def _inside(part: Message) -> list[Message]:
    inside = part.get_payload()
    return [each for each in inside if isinstance(each, Message)] if isinstance(inside, list) else []


def _field(block: Message, name: str) -> str:
    return next((header_of(str(value)[:2000]) for key, value in block.raw_items() if key.lower() == name.lower()), "")
