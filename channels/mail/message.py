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
from channels.mail.seal import PLAIN_KEY, Seal, code_of
from channels.mail.settings import Settings, is_address

_SHANGHAI = timezone(timedelta(hours=8))
_LONGEST_SUBJECT = 200
# What may stand left of the @ of a Message-ID without quoting.
_DOT_ATOM = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
PROOF_LINE = "可直接回复本邮件答复。答复凭据（回复时请保留）："
"""What stands before the sealed word in the last line of a mail."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class WrongRecipientError(ValueError):
    """The letter's address is no mail address."""


class WrongContentError(ValueError):
    """Subject or text cannot stand in a mail: control characters, or what no charset can write."""


def mail_key(letter_id: str) -> str:
    """A letter's id as it may stand in a Message-ID: a hash in place of one that holds what an id may not."""
    plain = _DOT_ATOM.fullmatch(letter_id) and len(letter_id) <= 120
    digest = hashlib.sha256(letter_id.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return letter_id if plain else f"h-{digest}"


def envelope_id(letter: Letter, seal: Seal | None) -> str:
    """What a delivery report gives back of the letter (RFC 3461's ENVID): its id, sealed where answers are read."""
    return seal.sealed(mail_key(letter.id), letter.address) if seal else letter.id


def compose(letter: Letter, settings: Settings, seal: Seal | None = None) -> bytes:
    """The whole message with CRLF line ends, 7-bit clean.

    All letters of one thread refer to one root id made of the thread's key, so that mail programs group them however
    many of them a person was sent; those after the first also answer to it. With a ``seal`` every id carries the proof
    that the mail was for its addressee, and so do the reply address (where the mailbox takes that) and the last line of
    the text, for mail programs that give no ids back. Raises :class:`WrongRecipientError` and
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
        return _compose(letter, settings, seal).as_bytes()
    except UnicodeEncodeError:
        raise WrongContentError("含有无法编码的字符") from None


def _compose(letter: Letter, settings: Settings, seal: Seal | None) -> EmailMessage:
    def identity(key: str) -> str:
        key = mail_key(key)
        return f"<{seal.sealed(key, letter.address) if seal else key}@{settings.own_domain}>"

    proof = seal.sealed(code_of(letter.id) or PLAIN_KEY, letter.address) if seal else ""
    message = EmailMessage(policy=SMTP)
    message["From"] = _mailbox(settings.sender)
    message["To"] = letter.address
    reply_to = _reply_to(settings, proof)
    if reply_to is not None:
        message["Reply-To"] = reply_to
    message["Subject"] = letter.subject
    moment = datetime.fromtimestamp(letter.at / 1000, UTC).astimezone(_SHANGHAI)
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = identity(letter.id)
    if letter.thread:
        root = identity(f"thread.{letter.thread}")
        if not letter.thread_first:
            message["In-Reply-To"] = root
        message["References"] = root
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if letter.critical:
        message["Importance"] = "high"
        message["X-Priority"] = "1"
    # Base64 for every part: some servers on the way still do not carry eight bits.
    message.set_content(_with_line(letter.text, proof), charset="utf-8", cte="base64")
    if letter.html:
        html = _with_html_line(letter.html, proof)
        message.add_alternative(html, subtype="html", charset="utf-8", cte="base64")
        # A boundary of chance would make a repeat another message.
        message.set_boundary("=_" + hashlib.sha256(letter.id.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return message


def _with_line(text: str, proof: str) -> str:
    newline = "" if text.endswith("\n") else "\n"
    return f"{text}{newline}\n{PROOF_LINE}{proof}\n" if proof else text


def _with_html_line(html: str, proof: str) -> str:
    if not proof:
        return html
    line = f'<p style="color:#666666;font-size:12px">{PROOF_LINE}{proof}</p>\n'
    body, end, rest = html.rpartition("</body>")
    return f"{body}{line}{end}{rest}" if end else html + line


def _reply_to(settings: Settings, proof: str) -> Address | None:
    """The reply address, with the proof behind a plus where the mailbox takes that."""
    if not (proof and settings.imap is not None and settings.imap.plus):
        return _mailbox(settings.reply_to) if settings.reply_to else None
    name = parseaddr(settings.reply_to or settings.sender)[0]
    user, _, domain = settings.answer_address.rpartition("@")
    return Address(display_name=name, addr_spec=f"{user}+{proof}@{domain}")


def _mailbox(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(display_name=name, addr_spec=address)
