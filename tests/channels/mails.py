"""A mail channel with a mailbox, its letters, and the mails that answer them."""

from __future__ import annotations

import base64
import quopri
from email.message import Message
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.parser import BytesParser
from email.policy import default
from typing import Any

from channels.channel import Letter
from channels.mail.incoming import Reader
from channels.mail.message import compose
from channels.mail.seal import Seal
from channels.mail.settings import Settings
from tests.channels.conftest import NIGHT, a_letter

HUB = "fenghuo@example.gov.cn"
ZHANG = "zhang.san@example.com"
IMAP = {
    "host": "127.0.0.1",
    "security": "none",
    "username": "fenghuo",
    "password": "fake-password",
    "reply_secret": "a fake secret of more than 32 signs",
}
SEAL = Seal(IMAP["reply_secret"])
READER = Reader("mail", SEAL, frozenset({HUB}))
LETTER_ID = "A0231.1.s1-raised.0123456789ab"


def settings(imap: dict[str, Any] | None = None, **other: Any) -> Settings:
    table = {"kind": "smtp_mail", "host": "127.0.0.1", "sender": f"烽火值班 <{HUB}>", "imap": {**IMAP, **(imap or {})}}
    return Settings.model_validate(table | other)


def letter(**other: Any) -> Letter:
    fields = {
        "id": LETTER_ID,
        "address": ZHANG,
        "subject": "[高高报][A0231] 须处置",
        "text": "着火\n",
        "thread": "A0231",
    }
    return a_letter(**{**fields, **other})


def sent(one: Letter | None = None, **other: Any) -> Any:
    """The mail of a letter, as its addressee's program parses it."""
    return BytesParser(policy=default).parsebytes(compose(one or letter(), settings(**other), SEAL))


def proof_line(one: Letter | None = None) -> str:
    """The last line of the mail of a letter."""
    plain = sent(one).get_body(("plain",))
    return str(plain.get_content().strip().splitlines()[-1])


def answer(case: dict[str, Any], answered: Letter | None = None) -> bytes:
    """A mail of the corpus that answers a letter."""
    mail = sent(answered)
    filled = {"{id}": mail["Message-ID"], "{line}": proof_line(answered), "{to}": HUB, "{from}": ZHANG}
    text = case.get("html", case.get("text", ""))
    for place, what in filled.items():
        text = text.replace(place, what)
    part: Message = _part(text, "html" if "html" in case else "plain", case)
    if case.get("image"):
        part = MIMEMultipart(_subparts=[part, MIMEImage(b"\x89PNG\r\n", "png")])
    part["From"] = f"=?utf-8?B?5byg5LiJ?= <{case.get('sender', ZHANG)}>"
    part["To"] = case.get("to", HUB)
    part["Subject"] = _subject(case["subject"], case)
    part["Message-ID"] = case.get("message_id", "<reply-1@example.com>")
    if not case.get("no_ids"):
        part["In-Reply-To"] = mail["Message-ID"]
        part["References"] = f"{mail['References']} {mail['Message-ID']}"
    for name, value in case.get("headers", {}).items():
        part[name] = value
    return part.as_bytes()


def read(raw: bytes) -> Any:
    return READER.read(raw, NIGHT)


def _part(text: str, kind: str, case: dict[str, Any]) -> Message:
    charset = case.get("charset", "utf-8")
    label = case.get("label", charset)
    part = MIMENonMultipart("text", kind, **({"charset": label} if label else {}))
    part.set_payload(text.lstrip("\n").encode(charset))
    way = case.get("cte", "8bit")
    raw = text.lstrip("\n").encode(charset)
    if way == "base64":
        part.set_payload(base64.encodebytes(raw).decode("ascii"))
    elif way == "quoted-printable":
        part.set_payload(quopri.encodestring(raw).decode("ascii"))
    else:
        part.set_payload(raw.decode("ascii", "surrogateescape"))
    part["Content-Transfer-Encoding"] = way
    return part


def _subject(text: str, case: dict[str, Any]) -> str:
    charset = case.get("charset", "utf-8")
    said = base64.b64encode(text.encode(charset)).decode("ascii")
    return f"=?{case.get('label') or charset}?B?{said}?="
