"""The files of an smstools spool: headers, a blank line, the text. Pure.

Source of the rules: the file format page of Debian's smstools 3.1.21. Headers it does not know stay in a file through
all folders: one of ours names the letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from channels.channel import ReceiptKind

LETTER = "Fenghuo"
"""Our header: the letter's id."""
_REPORT = b"SMS STATUS REPORT"
_BLANK = re.compile(rb"\r?\n\r?\n")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
# GSM 03.40, 9.2.3.15: below 32 the message has ended well, below 64 the centre still tries, above it does no more.
_ENDED, _TRYING = 32, 64
_MORE_THAN_SENT = 1


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file's headers (all values of each name, in their order) and its body as it is."""

    headers: dict[str, list[str]]
    body: bytes

    def first(self, name: str) -> str:
        """The first value of a header, '' where it is not there."""
        return self.headers.get(name, [""])[0]

    @property
    def letter(self) -> str:
        """The id of our letter in it, '' for somebody else's."""
        return self.first(LETTER)

    @property
    def is_report(self) -> bool:
        """Whether it tells of a message's end."""
        return self.body.startswith(_REPORT)

    @property
    def text(self) -> str:
        """The body as text, by the alphabet the file names. Raises ValueError where it is not in that."""
        alphabet = self.first("Alphabet").upper()
        try:
            if alphabet.startswith(("UCS", "CHI", "UNI")):
                return self.body.decode("utf-16-be")
            if alphabet.startswith("BIN"):
                raise ValueError("不是文字短信")
            try:
                return self.body.decode("utf-8")
            except UnicodeDecodeError:
                return self.body.decode("iso8859-15")
        except UnicodeDecodeError:
            raise ValueError(f"内容不是它所说的编码 {alphabet[:20]!r}") from None


@dataclass(frozen=True, slots=True)
class Fate:
    """What a status report says: of which message to which number, and how it ended (None: it has not)."""

    message_id: str
    number: str
    kind: ReceiptKind | None
    words: str


def read_file(raw: bytes) -> SpoolFile:
    """A file of any folder. Raises ValueError for what is none."""
    head, *rest = _BLANK.split(raw, maxsplit=1)
    headers: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"第一段不是“名称: 值”：{line[:40]!r}")
        headers.setdefault(name.strip(), []).append(value.strip())
    if not headers:
        raise ValueError("没有头部")
    return SpoolFile(headers, rest[0] if rest else b"")


def write_file(*, letter_id: str, to: str, text: str, alphabet: str, report: bool, urgent: bool, queue: str) -> bytes:
    """A file for the outgoing folder."""
    lines = [
        f"To: {to}",
        f"Alphabet: {alphabet}",
        f"Report: {'yes' if report else 'no'}",
        *(["Priority: High"] if urgent else []),
        *([f"Queue: {queue}"] if queue else []),
        f"{LETTER}: {letter_id}",
    ]
    body = text.encode("utf-16-be" if alphabet == "UCS2" else "utf-8")
    return "\n".join(lines).encode() + b"\n\n" + body


PREFIX = "fh."
"""How the names of our files begin."""


def name_of(letter_id: str) -> str:
    """The file's name of a letter: the same on every repeat."""
    return PREFIX + _UNSAFE.sub("_", letter_id)[:180]


def fate_of(report: SpoolFile) -> Fate:
    """What a status report says. Raises ValueError for one that says nothing."""
    lines = (line.partition(":") for line in report.text.splitlines())
    said = {name.strip(): value.strip() for name, colon, value in lines if colon}
    message_id, status = said.get("Message_id", ""), said.get("Status", "")
    code = status.partition(",")[0]
    if not message_id or not (code.isascii() and code.isdigit()):
        raise ValueError("回执里没有 Message_id 或 Status")
    number = int(code[:4])
    kind: ReceiptKind | None = ReceiptKind.UNDELIVERED
    if number < _TRYING:
        kind = ReceiptKind.DELIVERED if number < _ENDED and number != _MORE_THAN_SENT else None
    return Fate(message_id, report.first("From"), kind, status[:80])
