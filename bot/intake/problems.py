"""What the door answers when it refuses: RFC 9457 problems, in Chinese and English, that name the field."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
import orjson

MEDIA_TYPE = "application/problem+json"
# The manual's page for every problem; the fragment is the problem's name.
_PAGE = "/docs/intake#"


class ProblemKind(StrEnum):
    """Every reason why a request is not taken. The value is the last part of the problem's ``type``."""

    MALFORMED = "malformed"
    UNAUTHORISED = "unauthorised"
    UNKNOWN_SOURCE = "unknown_source"
    SLOW_BODY = "slow_body"
    OTHER_BODY = "other_body"
    TOO_LARGE = "too_large"
    UNSUPPORTED_TYPE = "unsupported_type"
    UNREADABLE = "unreadable"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"

    @property
    def status(self) -> int:
        return _KINDS[self][0]

    @property
    def title_zh(self) -> str:
        return _KINDS[self][1]

    @property
    def title_en(self) -> str:
        return _KINDS[self][2]


_KINDS: dict[ProblemKind, tuple[int, str, str]] = {
    ProblemKind.MALFORMED: (400, "请求体无法解析", "The body cannot be parsed"),
    ProblemKind.UNAUTHORISED: (401, "身份验证未通过", "Not authenticated"),
    ProblemKind.UNKNOWN_SOURCE: (404, "没有这个来源", "No such source"),
    ProblemKind.SLOW_BODY: (408, "请求体传输超时", "The body took too long"),
    ProblemKind.OTHER_BODY: (409, "编号相同而内容不同", "Same id, other body"),
    ProblemKind.TOO_LARGE: (413, "请求体过大", "The body is too large"),
    ProblemKind.UNSUPPORTED_TYPE: (415, "不支持的内容类型", "Unsupported content type"),
    ProblemKind.UNREADABLE: (422, "事件无法读懂", "The event cannot be read"),
    ProblemKind.BUSY: (429, "事件过多，请稍后重发", "Too many events, send again later"),
    ProblemKind.UNAVAILABLE: (503, "暂时不能受理", "Not ready to take events"),
}


class FieldError(msgspec.Struct, frozen=True):
    """One wrong field: its JSON pointer (RFC 6901), what is wrong and what would be right."""

    pointer: str
    detail: str
    detail_en: str

    def under(self, prefix: str) -> FieldError:
        """The same error seen from an enclosing document: ``/type`` becomes ``/3/type``."""
        return FieldError(prefix + self.pointer, self.detail, self.detail_en)

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "detail": self.detail, "detail_en": self.detail_en}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal. ``items`` are the verdicts of the single items, where the request was read that far;
    ``retry_after`` is in seconds and makes the header ``Retry-After``."""

    kind: ProblemKind
    detail: str
    detail_en: str
    errors: tuple[FieldError, ...] = ()
    items: Sequence[dict[str, Any]] = ()
    retry_after: int = 0

    def body(self) -> bytes:
        """The document of ``docs/schema/problem.schema.json``."""
        document: dict[str, Any] = {
            "type": _PAGE + self.kind,
            "title": self.kind.title_zh,
            "title_en": self.kind.title_en,
            "status": self.kind.status,
            "detail": self.detail,
            "detail_en": self.detail_en,
        }
        if self.errors:
            document["errors"] = [error.as_json() for error in self.errors]
        if self.items:
            document["items"] = list(self.items)
        return orjson.dumps(document)

    def headers(self) -> dict[str, str]:
        found = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        if self.kind is ProblemKind.UNAUTHORISED:
            found["WWW-Authenticate"] = 'Bearer realm="events"'
        elif self.kind is ProblemKind.UNSUPPORTED_TYPE:
            found["Accept-Encoding"] = "gzip"
        return found


class Refused(Exception):
    """The whole request is refused; nothing of it was taken."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.kind.status} {problem.detail_en}")
        self.problem = problem


def refused(kind: ProblemKind, detail: str, detail_en: str, *, retry_after: int = 0) -> Refused:
    """The exception to raise for a refusal without field errors."""
    return Refused(Problem(kind=kind, detail=detail, detail_en=detail_en, retry_after=retry_after))
