"""``POST /events/{source}``: from the socket to the gate and back, every refusal a problem that says what to do.

The server must hand over bodies as they came (:data:`RUNNER_OPTIONS`): a signature is over the compressed bytes, and
the limit on what they inflate to is ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import orjson
from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from bot.intake.auth import Address, Bearer, Ground, admit_bearer, admit_signed, client_address
from bot.intake.batcher import Full
from bot.intake.body import Document, inflate, parse, too_large, too_many
from bot.intake.gate import Conflict, Gate, ItemVerdict, Refusal, Result, SourceRules, Unavailable, take_in_order
from bot.intake.items import conflicts, read_items
from bot.intake.problems import MEDIA_TYPE, FieldError, Problem, ProblemKind, Refused, refused
from bot.intake.reading import Item, Unreadable
from bot.intake.rubbish import rubbish
from escalation.event import Event

ROUTE = "/events/{source}"


class _RunnerOptions(TypedDict):
    auto_decompress: bool


# For aiohttp.web.AppRunner of any application that holds the door.
RUNNER_OPTIONS: _RunnerOptions = {"auto_decompress": False}

_MEDIA_TYPES = frozenset({"application/cloudevents+json", "application/cloudevents-batch+json", "application/json"})
# Of these the log has a line already, or the hub says what is the matter itself.
_TOLD_ELSEWHERE = frozenset({ProblemKind.UNAUTHORISED, ProblemKind.BUSY, ProblemKind.UNAVAILABLE})
_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What one request may be: bytes as sent and inflated, number of events, and seconds for its body to arrive."""

    body: int = 1024 * 1024
    inflated: int = 4 * 1024 * 1024
    items: int = 500
    seconds: float = 15.0


def events_handler(gate: Gate, limits: DoorLimits | None = None) -> Handler:
    """The aiohttp handler for :data:`ROUTE`.

    It answers 202 with a verdict for each item after the gate has committed at least one of them, and else a problem.
    """
    door = _Door(gate, limits or DoorLimits())

    async def post_events(request: web.Request) -> web.StreamResponse:
        try:
            return await door.take(request)
        except Refused as refusal:
            problem = refusal.problem
            if problem.kind not in _TOLD_ELSEWHERE:
                name, asker = request.match_info["source"][:64], _asker(request, gate)
                _log.warning("refused: %s, source %r, from %s: %s", problem.kind, name, asker, problem.detail_en)
            return _answer(request, problem)

    return post_events


class _Door:
    __slots__ = ("_gate", "_limits")

    def __init__(self, gate: Gate, limits: DoorLimits) -> None:
        self._gate = gate
        self._limits = limits

    async def take(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["source"]
        source = self._gate.source(name)
        if source is None:
            raise refused(
                ProblemKind.UNKNOWN_SOURCE,
                "这个来源没有配置：核对网址最后一段，或请管理员在 config.toml 中登记 [sources.名称]。",
                "This source is not configured: look at the last part of the URL, or have it added as [sources.NAME].",
            )
        _check_type(request)
        self._room(1, request.content_length or 0, source)
        address = _address(request, source)
        entrance = source.entrance
        if isinstance(entrance, Bearer):
            _let_in(admit_bearer(entrance, request.headers, address), source, address)
        body = await self._read(request)
        if not isinstance(entrance, Bearer):
            ground = admit_signed(entrance, request.headers, body, address, self._gate.now())
            _let_in(ground, source, address)
        now = self._gate.now()
        try:
            if _encoding(request) == "gzip":
                body = inflate(body, self._limits.inflated)
            document = parse(body, self._limits.items)
            items = read_items(document, source.name, source.reading, now)
            if len(items) > self._limits.items:
                raise too_many(self._limits.items, len(items))
        except Refused as refusal:
            raise await self._keep(body, refusal, source, now) from None
        self._room(len(items), len(body), source)
        results = await self._decide(items, now, source)
        if source.reading.mapping is not None:
            # A vendor's gateway reads no refusal of a single item: people have to hear of it.
            rows = conflicts(document, items, results, source.reading, now)
            await self._decide(rows, now, source)
        return _answer_items(request, document, items, results)

    async def _keep(self, body: bytes, refusal: Refused, source: SourceRules, now: int) -> Refused:
        """The refusal to answer with, after the body is in quarantine. What is only too large is kept for a mapped
        source alone: whoever speaks our events reads the answer and sends several requests."""
        problem = refusal.problem
        if problem.kind is not ProblemKind.MALFORMED and source.reading.mapping is None:
            return refusal
        row = rubbish(body, problem, source.name, source.reading, now)
        if row is None:
            return refusal
        await self._decide([row], now, source)
        detail = f"{problem.detail}原文已隔离保存并告知值班人员。"
        detail_en = f"{problem.detail_en} What was sent is kept in quarantine and told."
        return refused(problem.kind, detail, detail_en)

    def _room(self, n: int, size: int, source: SourceRules) -> None:
        refusal = self._gate.admit(n, size)
        if refusal is not None:
            raise _not_now(refusal, source)

    async def _read(self, request: web.Request) -> bytes:
        """The whole body as it was sent. Raises :class:`Refused`: 413, 408, 400 for a broken transfer."""
        limit = self._limits.body
        if (request.content_length or 0) > limit:
            raise too_large(limit)
        try:
            if request.content.is_eof():
                # It came with its head, as most do: nothing is left to wait for, and no clock is needed.
                body = await request.content.readany()
                if len(body) > limit:
                    raise too_large(limit)
                return body
            async with asyncio.timeout(self._limits.seconds):
                return await _whole(request.content, limit)
        except TimeoutError:
            raise refused(
                ProblemKind.SLOW_BODY,
                f"请求体应在 {self._limits.seconds:g} 秒内传完；什么也没有受理，请重发。",
                f"The body must arrive within {self._limits.seconds:g} seconds; nothing was taken, send it again.",
            ) from None
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
            raise refused(
                ProblemKind.MALFORMED,
                "请求体没有传完整；什么也没有受理，请重发。",
                "The body did not arrive whole; nothing was taken, send it again.",
            ) from None

    async def _decide(self, items: Sequence[Item], now: int, source: SourceRules) -> list[Result]:
        """The gate's results in the order of ``items``."""
        try:
            return await take_in_order(self._gate, items, now)
        except Unavailable as error:
            raise _not_now(error.refusal, source) from None
        except Full:
            full = Refusal(True, 1, "排队已满；请稍后重发。", "The queue is full; send again later.")
            raise _not_now(full, source) from None


async def _whole(content: StreamReader, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := await content.readany():
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _check_type(request: web.Request) -> None:
    charset = (request.charset or "utf-8").lower()
    if request.content_type not in _MEDIA_TYPES or charset not in ("utf-8", "utf8", "us-ascii"):
        raise refused(
            ProblemKind.UNSUPPORTED_TYPE,
            "Content-Type 应为 application/cloudevents+json、application/cloudevents-batch+json 或 application/json，"
            "编码为 UTF-8。",
            "Content-Type must be application/cloudevents+json, application/cloudevents-batch+json or "
            "application/json, in UTF-8.",
        )
    if "ce-specversion" in request.headers:
        raise refused(
            ProblemKind.UNSUPPORTED_TYPE,
            "不接受 CloudEvents 的二进制模式（ce- 开头的请求头）；请用结构化模式，把属性写在请求体的 JSON 中。",
            "The binary mode of CloudEvents (ce- headers) is not taken; use the structured mode.",
        )
    if _encoding(request) not in ("", "identity", "gzip"):
        raise refused(
            ProblemKind.UNSUPPORTED_TYPE,
            "Content-Encoding 只能是 gzip，或不压缩。",
            "Content-Encoding must be gzip or absent.",
        )


def _encoding(request: web.Request) -> str:
    return ", ".join(request.headers.getall("Content-Encoding", [])).strip().lower()


def _address(request: web.Request, source: SourceRules) -> Address | None:
    """Where the request comes from, behind the proxies that are believed."""
    return client_address(request.remote or "", request.headers.getall("X-Forwarded-For", []), source.proxies)


def _asker(request: web.Request, gate: Gate) -> Address | str | None:
    source = gate.source(request.match_info["source"])
    return _address(request, source) if source is not None else request.remote


def _let_in(ground: Ground, source: SourceRules, address: Address | None) -> None:
    if ground.admitted:
        return
    _log.warning("not authenticated: %s, source %s, from %s", ground, source.name, address or "an unreadable address")
    raise refused(
        ProblemKind.UNAUTHORISED,
        "签名或令牌无效、已过期，或来自未登记的地址；原因见烽火的运行日志。",
        "The signature or token is not valid, has expired, or comes from an address that is not listed.",
    )


def _not_now(refusal: Refusal, source: SourceRules) -> Refused:
    """429 or 503; a sender that does not speak our events may know only that a 5xx is to be sent again."""
    busy = refusal.busy and source.reading.mapping is None
    kind = ProblemKind.BUSY if busy else ProblemKind.UNAVAILABLE
    return refused(kind, refusal.detail, refusal.detail_en, retry_after=max(1, refusal.retry_after))


def _answer_items(
    request: web.Request, document: Document, items: Sequence[Item], results: Sequence[Result]
) -> web.StreamResponse:
    """202 when at least one item is taken, or none was sent; else the problem that all of them share."""
    rows = [_row(item, result) for item, result in zip(items, results, strict=True)]
    if not items or any(
        isinstance(i, Event) and isinstance(r, ItemVerdict) for i, r in zip(items, results, strict=True)
    ):
        return web.Response(status=202, body=orjson.dumps({"items": rows}), content_type="application/json")
    errors = tuple(
        error.under(f"/{item.index}" if document.batch and not item.place else "")
        for item in items
        if isinstance(item, Unreadable)
        for error in item.problems
    )
    if errors:
        problem = Problem(
            kind=ProblemKind.UNREADABLE,
            detail="原文已隔离保存并告知值班人员；请按 errors 改正后重发，可用原编号。",
            detail_en="What was sent is kept in quarantine and told; mend it by `errors` and send it again.",
            errors=errors,
            items=rows,
        )
    else:
        problem = Problem(
            kind=ProblemKind.OTHER_BODY,
            detail="这个编号的事件以前收到过，内容不同；什么也没有改变。新的情况请用新编号。",
            detail_en="An event with this id was taken before with another body; nothing was changed. Use a new id.",
            errors=tuple(
                FieldError(
                    f"/{index}/id" if len(items) > 1 or document.batch else "/id",
                    "编号已用于另一内容。",
                    "The id is taken by another body.",
                )
                for index in range(len(items))
            ),
            items=rows,
        )
    return _answer(request, problem)


def _row(item: Item, result: Result) -> dict[str, Any]:
    """One entry of ``items`` (``docs/schema/verdicts.schema.json``)."""
    if isinstance(result, Conflict):
        return {"id": result.id, "status": 409, "reason": result.reason}
    row: dict[str, Any] = {
        "id": result.id,
        "verdict": result.verdict,
        "code": result.code,
        "reason": result.reason,
        "flags": result.flags,
    }
    if isinstance(item, Unreadable):
        row["status"] = 422
        row["errors"] = [error.as_json() for error in item.problems]
    return row


def _answer(request: web.Request, problem: Problem) -> web.Response:
    response = web.Response(
        status=problem.kind.status, body=problem.body(), headers=problem.headers(), content_type=MEDIA_TYPE
    )
    if not request.content.is_eof():
        # What is left of the body would be read as the next request, or keep the connection busy for nothing.
        response.force_close()
    return response
