"""Registered SMS templates: what the vendor approved, word for word, and how a message gets into its variables.

Cloud vendors send no free text: a message is the code of an approved template and a value for each of its variables,
short and without special signs. Which part of a message goes into which variable stands in the configuration.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from channels.sms.text import find_link, units

TEXT = "text"
SENTENCE = "sentence"
"""The topic of everything that is no single notice: digests, answers, the hub's own sentences, the plainest form."""

TOPICS = (
    "raised",
    "rose",
    "reopened",
    "lowered",
    "returned",
    "remind",
    "announce",
    "escalated",
    "signed",
    "requested",
    "closed",
    "transferred",
    "urged",
    "progress",
    "phone_task",
    "proposal",
    "quarantine",
    "answer",
    "feedback",
    "official",
    SENTENCE,
)
PARTS = ("level", "code", "news", "duty", "place", "enterprise", "point", "reading", "due", "ask", "note", TEXT)
"""What a message is made of, for ``part`` of a variable; ``text`` is the whole message as another gateway gets it."""

LONGEST_MESSAGE = 500
_ENDS = "，。；：、,;:! "
_CUT = ".."
_AS = str.maketrans(
    {"【": "（", "】": "）", "〔": "（", "〕": "）", "[": "（", "]": "）", "…": "..", "→": "至", "※": "", "\n": " "}
)
_SIGNS = frozenset("℃‰+-=<>~±×÷％%/")


class Variable(BaseModel):
    """One variable of a template, in the template's order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="变量名，即模板正文里括号中的名称或序号")
    part: str = Field("", description="填消息的哪一部分；不写则与变量同名")
    cap: int = Field(35, ge=2, le=200, description="平台允许的最多字数；阿里云默认 35")

    @property
    def source(self) -> str:
        return self.part or self.name


def _known_topics(value: tuple[str, ...]) -> tuple[str, ...]:
    for topic in value:
        if topic not in TOPICS:
            raise ValueError(f"没有 {topic!r} 这种消息；可以写：{'、'.join(TOPICS)}")
    return value


class Registered(BaseModel):
    """One approved template: ``[[channels.<name>.templates]]``. Its wording is checked as the vendor would.

    ``marks`` is how its vendor writes a variable in a template's text, ``least`` how many characters a part needs that
    may not be cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    marks: ClassVar[re.Pattern[str]] = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]{0,30})\}")
    least: ClassVar[Mapping[str, int]] = {"code": 6, "level": 8}

    code: str = Field(min_length=1, max_length=64, description="模板编号，照平台写")
    text: str = Field(min_length=1, description="报备通过的模板全文，不含签名")
    variables: tuple[Variable, ...] = Field(min_length=1, description="变量，按模板里的先后")
    topics: Annotated[tuple[str, ...], AfterValidator(_known_topics)] = Field(
        (), description="用于哪些消息；不写则用于其他模板没有写到的全部消息"
    )

    @model_validator(mode="after")
    def _is_as_approved(self) -> Registered:
        found = self.marks.findall(self.text)
        declared = [each.name for each in self.variables]
        if found != declared:
            raise ValueError(
                f"模板 {self.code} 的变量与 variables 不一致：正文依次是 {'、'.join(found) or '（无）'}，"
                f"这里写的是 {'、'.join(declared)}"
            )
        if len(set(found)) < len(found):
            raise ValueError(f"模板 {self.code}：一个变量只能出现一次")
        if self._has_neighbours() or not self.marks.sub("", self.text).strip(" ，。、；：,.;:"):
            raise ValueError(f"模板 {self.code}：变量不能相邻，也不能全是变量，平台不予通过")
        if "【" in self.text or "】" in self.text or find_link(self.marks.sub("", self.text)):
            raise ValueError(f"模板 {self.code}：正文里不写签名【】，也不能有网址")
        for each in self.variables:
            if each.source not in PARTS:
                raise ValueError(
                    f"模板 {self.code} 的变量 {each.name}：没有 {each.source!r} 这一部分，"
                    f"part 可以写：{'、'.join(PARTS)}"
                )
            if each.cap < self.least.get(each.source, 0):
                raise ValueError(
                    f"模板 {self.code} 的变量 {each.name}：{each.source} 至少要 {self.least[each.source]} 字，"
                    "否则会被截断"
                )
        return self

    def _has_neighbours(self) -> bool:
        places = [found.span() for found in self.marks.finditer(self.text)]
        return any(left[1] == right[0] for left, right in pairwise(places))

    @model_validator(mode="after")
    def _says_what_matters(self) -> Registered:
        sources = {each.source for each in self.variables}
        if TEXT in sources and sources != {TEXT}:
            raise ValueError(f"模板 {self.code}：填 text 的模板，全部变量都要填 text")
        if TEXT not in sources and not sources >= {"code", "level"}:
            raise ValueError(f"模板 {self.code}：必须有填 code（编号）和 level（级别）的变量")
        if SENTENCE in self.topics and TEXT not in sources:
            raise ValueError(f"模板 {self.code}：用于 sentence 的模板，变量只能填 text")
        if TEXT in sources and self.topics not in ((), (SENTENCE,)):
            raise ValueError(f'模板 {self.code}：填 text 的模板只用于 sentence，写 topics = ["sentence"]')
        return self

    @property
    def flows(self) -> bool:
        """Whether the whole text runs through its variables."""
        return self.variables[0].source == TEXT

    @property
    def room(self) -> int:
        """How many characters of text its variables hold together."""
        return sum(each.cap for each in self.variables)

    def values(self, text: str, parts: Mapping[str, str], empty: str) -> dict[str, str]:
        """A value for each variable, within its cap and without forbidden signs, ``empty`` where there is nothing to
        say. Code and level are never cut: their caps are large enough."""
        if self.flows:
            return self._poured(neutral(text), empty)
        return {
            each.name: shortened(neutral(parts.get(each.source, "")), each.cap, each.source) or empty
            for each in self.variables
        }

    def _poured(self, text: str, empty: str) -> dict[str, str]:
        """The text in pieces, each ended at a pause where the rest still has room."""
        found: dict[str, str] = {}
        left = self.room
        for each in self.variables:
            left -= each.cap
            piece = _piece(text, each.cap, max(1, len(text) - left)) if left else shortened(text, each.cap, TEXT)
            text = text[len(piece) :].lstrip(_ENDS)
            found[each.name] = piece.strip(_ENDS) or empty
        return found

    def whole(self, values: Mapping[str, str]) -> str:
        """The message as a phone shows it, without its signature."""
        return self.marks.sub(lambda found: values[found.group(1)], self.text)

    @property
    def longest(self) -> int:
        """How long the message is when every variable is full, in characters."""
        return units(self.marks.sub("", self.text)) + self.room


class Template(Registered):
    """A text message's template, whose signature may be another than its channel's."""

    signature: str = Field("", max_length=20, description="这个模板用的签名；不写则用渠道的签名")


def neutral(text: str) -> str:
    """``text`` with only what a variable may hold: special signs become plain ones or go."""
    kept: list[str] = []
    for mark in text.translate(_AS):
        category = unicodedata.category(mark)
        if category == "No":
            kept.append(unicodedata.normalize("NFKC", mark))
        elif mark in _SIGNS or (category[0] in "LNPZ" and mark <= "\uffff"):
            kept.append(mark)
    return " ".join("".join(kept).split())


def shortened(text: str, cap: int, source: str) -> str:
    """``text`` in at most ``cap`` characters. A place and a whole text lose their middle: an enterprise or a level
    stands at the beginning, what is measured or the code at the end."""
    if len(text) <= cap:
        return text
    room = cap - len(_CUT)
    if room <= 0:
        return text[:cap]
    tail = room // 2 if source in ("place", "point", TEXT) else 0
    return text[: room - tail].rstrip() + _CUT + (text[-tail:].lstrip() if tail else "")


def _piece(text: str, cap: int, least: int) -> str:
    """The beginning of ``text`` that goes into one of several variables: at least ``least`` characters, since what is
    left must have room in the others."""
    if len(text) <= cap:
        return text
    pause = max(text.rfind(mark, max(least, cap // 2), cap) for mark in "，。；、 ")
    return text[:pause] if pause > 0 else text[:cap]
