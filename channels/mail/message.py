"""A letter as a mail message, byte for byte the same on every repeat. Pure.

The header rules are RFC 5322 (identity and threads), RFC 3834 (automatic messages) and RFC 2047 (Chinese in headers).
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from channels.channel import Letter
from channels.mail.settings import is_address

_SHANGHAI = timezone(timedelta(hours=8))
_LONGEST_SUBJECT = 200
# What may stand left of the @ of a Message-ID without quoting.
_DOT_ATOM = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class WrongRecipientError(ValueError):
    """The letter's address is no mail address."""


class WrongContentError(ValueError):
    """Subject or text cannot stand in a mail: control characters, or what no charset can write."""


def message_id(key: str, domain: str) -> str:
    """``<key@domain>``, with a hash in place of a key that holds what an id may not."""
    plain = _DOT_ATOM.fullmatch(key) and len(key) <= 120
    left = key if plain else "h-" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"<{left}@{domain}>"


def compose(letter: Letter, sender: str, domain: str, reply_to: str = "") -> bytes:
    """The whole message with CRLF line ends, 7-bit clean.

    All letters of one thread refer to one root id made of the thread's key, so that mail programs group them however
    many of them a person was sent; those after the first also answer to it. Raises :class:`WrongRecipientError` and
    :class:`WrongContentError`.
    """
    if not is_address(letter.address):
        raise WrongRecipientError("不是邮件地址")
    if _CONTROL.search(letter.subject) or not letter.subject.strip():
        raise WrongContentError("主题为空，或含有换行、控制字符")
    if len(letter.subject) > _LONGEST_SUBJECT:
        raise WrongContentError(f"主题超过 {_LONGEST_SUBJECT} 字")
    try:
        for part in (letter.subject, letter.text, letter.html, letter.address):
            part.encode("utf-8")
        return _compose(letter, sender, domain, reply_to).as_bytes()
    except UnicodeEncodeError:
        raise WrongContentError("含有无法编码的字符") from None


def _compose(letter: Letter, sender: str, domain: str, reply_to: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = _mailbox(sender)
    message["To"] = letter.address
    if reply_to:
        message["Reply-To"] = _mailbox(reply_to)
    message["Subject"] = letter.subject
    moment = datetime.fromtimestamp(letter.at / 1000, UTC).astimezone(_SHANGHAI)
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = message_id(letter.id, domain)
    if letter.thread:
        root = message_id(f"thread.{letter.thread}", domain)
        if not letter.thread_first:
            message["In-Reply-To"] = root
        message["References"] = root
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if letter.critical:
        message["Importance"] = "high"
        message["X-Priority"] = "1"
    # Base64 for every part: some servers on the way still do not carry eight bits.
    message.set_content(letter.text, charset="utf-8", cte="base64")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", charset="utf-8", cte="base64")
        # A boundary of chance would make a repeat another message.
        message.set_boundary("=_" + hashlib.sha256(letter.id.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return message


def _mailbox(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(display_name=name, addr_spec=address)
