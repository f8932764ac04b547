"""A mail's headers as they matter here: who, answering what, and whether a machine wrote it. Pure."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from channels.mail.charsets import header_of
from channels.mail.settings import is_address

_ANGLE = re.compile(r"<\s*([^<>\s]+)\s*>\s*(?:\([^()]*\))?\s*$")
_PLUS = re.compile(r"\+([A-Za-z0-9_.-]{18,120})@")
_PREFIX = re.compile(
    r"\A\s*(?:re|fw|fwd|aw|答复|回复|回覆|回應|转发|轉寄)\s*(?:[\[(（]?\d+[\])）]?)?\s*[:：]\s*", re.IGNORECASE
)
_DAEMON = re.compile(r"(?:mailer-?daemon|postmaster|mail-?delivery.*|bounces?(?:[+=-].*)?)@", re.IGNORECASE)
_AUTOMATIC_SUBJECT = re.compile(
    r"\s*[\[【(（]?\s*(?:自动(?:回复|答复|应答|回覆)|自動(?:回覆|回復)|auto(?:matic)?[ -]?(?:reply|response|answer)|"
    r"out of (?:the )?office|ooo\b|外出(?:自动)?(?:回复|通知)?[:：]|休假(?:自动)?(?:回复|通知)|不在办公室)",
    re.IGNORECASE,
)
_AUTOMATIC_WORDS = re.compile(
    r"(?:这是(?:一封)?|此(?:邮件)?(?:为|是)|本邮件(?:为|是)).{0,12}自动(?:回复|答复|发送)|"
    # What stands at the beginning: who signs first and is polite afterwards is a person.
    r"^(?:尊敬的.{0,10}|您好|你好|亲爱的.{0,10}|hi|hello)?[\s，,。！!：:]*(?:我)?(?:已经?)?(?:收到)?(?:了)?(?:您|你)的(?:来信|邮件|来件)"
    r".{0,8}(?:收到|收悉)?.{0,30}(?:尽快|稍后|第一时间|及时).{0,8}(?:回复|答复|回信|查阅)|"
    r"(?:休假|年假|产假|外出|出差)(?:中|期间)?.{0,40}(?:无法|不能|不便).{0,12}(?:回复|查收|查看|收发).{0,4}(?:邮件|来信|您)|"
    r"(?:i am|i'm|i will be) (?:currently )?(?:out of (?:the )?office|on leave|on vacation|away from)",
    re.IGNORECASE,
)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_MACHINES = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoreply-From", "X-Mail-Autoreply", "List-Id")
_SUPPRESSED = frozenset({"all", "oof", "autoreply", "dr", "rn", "nrn"})


class Headers:
    """The headers of one mail."""

    def __init__(self, mail: Message) -> None:
        self._mail = mail

    def raw(self, name: str) -> list[str]:
        """Every value of a header, not decoded."""
        return [str(value) for key, value in self._mail.raw_items() if key.lower() == name.lower()]

    def first(self, name: str) -> str:
        """The first value of a header as a person reads it; '' where there is none."""
        return next((header_of(value[:4000]) for value in self.raw(name)), "")

    @property
    def sender(self) -> str:
        """Whose address stands in From, in lower case; '' where that is not exactly one."""
        values = self.raw("From")
        if len(values) != 1 or len(values[0]) > 2000:
            return ""
        angle = _ANGLE.search(values[0])
        address = (angle[1] if angle else values[0].strip()).lower()
        return address if is_address(address) else ""

    @property
    def subject(self) -> str:
        return self.first("Subject")[:300]

    @property
    def answers(self) -> bool:
        """Whether the subject says that this answers or forwards something."""
        return _PREFIX.match(self.subject) is not None

    @property
    def message_id(self) -> str:
        """The mail's own id without its brackets; '' where it has none."""
        return next((value.strip().strip("<>").strip()[:250] for value in self.raw("Message-ID")), "")

    @property
    def from_daemon(self) -> bool:
        """Whether a mail server speaks: from its own address, or with an empty way back."""
        nobody = any(value.strip() == "<>" for value in self.raw("Return-Path"))
        return nobody or _DAEMON.match(self.sender) is not None

    def recipients(self) -> list[str]:
        """What stands behind the plus of the addresses it went to."""
        names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
        return [word for name in names for value in self.raw(name) for word in _PLUS.findall(value[:4000])]

    def answered(self) -> list[str]:
        """The ids of what it answers, the nearest first."""
        ids = [each.split() for name in ("In-Reply-To", "References") for each in (" ".join(self.raw(name))[:16_000],)]
        nearest, chain = ids
        return [each.strip("<>,;").partition("@")[0] for each in (*nearest, *reversed(chain))]

    def automatic(self, words: str) -> str:
        """Why a machine is taken to have written this, '' where a person did. ``words`` is the mail's own text."""
        if any(value.split(";")[0].strip().lower() not in ("", "no") for value in self.raw("Auto-Submitted")):
            return "Auto-Submitted"
        if any(value.strip().lower() in _BULK for value in self.raw("Precedence")):
            return "Precedence"
        for value in self.raw("X-Auto-Response-Suppress"):
            if not _SUPPRESSED.isdisjoint(value.lower().replace(",", " ").split()):
                return "X-Auto-Response-Suppress"
        for name in _MACHINES:
            if self.raw(name):
                return name
        if self._mail.get_content_type() == "multipart/report":
            return "multipart/report"
        if self.from_daemon:
            return "Return-Path"
        if _AUTOMATIC_SUBJECT.match(_PREFIX.sub("", self.subject, count=1)):
            return "Subject"
        return "words" if _AUTOMATIC_WORDS.search(" ".join(words[:400].split())) else ""


def parsed(raw: bytes) -> Message:
    """The mail as the standard library takes it apart, with every byte as it came."""
    return BytesParser(policy=compat32).parsebytes(raw)
