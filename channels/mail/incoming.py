"""What a mail that came in means: an answer, news of a letter that was returned, or nothing. Pure.

From is written by whoever likes. An answer counts as its sender's own only if it carries a sealed word
(:mod:`channels.mail.seal`) of a mail that went to that very address; else it is handed on as unproven.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from hashlib import sha256

from channels.channel import ReceiptKind, Report, Uplink
from channels.mail.bodies import words_of
from channels.mail.bounces import Returned, returned
from channels.mail.headers import Headers, parsed
from channels.mail.quoting import own_words
from channels.mail.seal import Proof, Seal, words_in
from channels.masking import Masker

_LONGEST_TEXT = 2000
_masked = Masker(())
_CODE = re.compile(r"\[([AW][0-9]{4,})\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Incoming:
    """What follows from one mail; where it is nothing, ``why`` says so in words for a log."""

    items: tuple[Uplink | Report, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the mails of one channel. ``own`` are the addresses it sends from and is answered at, in lower case."""

    channel: str
    seal: Seal
    own: frozenset[str]

    def read(self, raw: bytes, at: int) -> Incoming:
        """What a mail means; ``at`` is the hub's time in ms. Raises ValueError, with words fit for a log, where that
        cannot be told."""
        try:
            return self._read(raw, at)
        except Exception as error:
            # The standard library's parser answers hostile bytes with whatever breaks first.
            raise ValueError(f"邮件无法解析：{type(error).__name__}") from error

    def _read(self, raw: bytes, at: int) -> Incoming:
        mail = parsed(raw)
        headers = Headers(mail)
        news = returned(mail, headers)
        if news is not None:
            return self._returned(news, at)
        sender = headers.sender
        if not sender:
            return Incoming(why="发件人地址缺失或不止一个")
        if sender in self.own:
            return Incoming(why="本系统自己发出的邮件")
        whole, other = words_of(mail)
        words = own_words(whole)
        machine = headers.automatic(words)
        if machine:
            return Incoming(why=f"自动回复或群发（{machine}）")
        return self._answer(mail, headers, whole, words, other, at)

    def _answer(self, mail: Message, headers: Headers, whole: str, words: str, other: str, at: int) -> Incoming:
        carried = [*headers.recipients(), *headers.answered(), *words_in(whole)]
        proof = _best(self.seal.proofs(carried, headers.sender))
        said = words
        if headers.subject and not headers.answers and (proof is None or not words):
            said = f"{headers.subject}\n{words}".strip()
        if not said and proof is None:
            return Incoming(why="空邮件")
        uplink = Uplink(
            channel=self.channel,
            message_id=headers.message_id or _digest(mail, whole),
            sender=headers.sender,
            text=said[:_LONGEST_TEXT],
            at=at,
            other="" if said else other or "空消息",
            about=_about(proof, headers.subject) if proof else "",
            unproven=proof is None,
        )
        return Incoming((uplink,))

    def _returned(self, news: list[Returned], at: int) -> Incoming:
        reports: list[Report] = []
        why = "退信：未说明结果"
        for each in news:
            said = _masked(each.said)
            if each.kind is None:
                why = f"退信：仍在投递（{said}）"
                continue
            key = self._letter(each)
            if key is None:
                why = f"退信：找不到对应的通知（{said}）"
                continue
            word = "已送达" if each.kind is ReceiptKind.DELIVERED else "退信"
            reports.append(Report(self.channel, key, "", each.kind, at, f"{word} {said}".strip()))
        return Incoming(tuple(reports), "" if reports else why)

    def _letter(self, news: Returned) -> str | None:
        """The id of the letter that was returned, by a word sealed for its addressee."""
        for address in news.addresses[:20]:
            for proof in self.seal.proofs(news.words, address):
                if "." in proof.key and not proof.key.startswith("thread."):
                    return proof.key
        return None


def _best(proofs: list[Proof]) -> Proof | None:
    """The first that names an incident, else the first."""
    return next((each for each in proofs if each.code), proofs[0] if proofs else None)


def _about(proof: Proof, subject: str) -> str:
    if proof.code:
        return proof.code
    named = {each.upper() for each in _CODE.findall(subject)}
    return named.pop() if len(named) == 1 else ""


def _digest(mail: Message, text: str) -> str:
    """An id for a mail without one."""
    told = "\n".join([*(f"{name}: {value}" for name, value in mail.raw_items() if name in ("Date", "From")), text])
    return "hash-" + sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:40]
