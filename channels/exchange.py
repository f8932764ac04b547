"""One question to a vendor over HTTP and its answer, each failure sorted by whether the question may have arrived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import orjson
from yarl import URL

from channels.certificates import certificate_words
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

# A vendor's answer is a few hundred bytes; what is longer is no answer.
_LONGEST_ANSWER = 64 * 1024
TOO_LONG = "answer is too long"
"""What is said of an answer that goes beyond what was to be read at most."""
_LONGEST_REST = 3600.0
_USUAL_REST = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; ``retry_after`` is the header as it came (some gateways name it otherwise), '' when
    absent."""

    status: int
    body: bytes
    retry_after: str = ""


class Once:
    """Lets a request leave one time only.

    aiohttp repeats idempotent methods by itself when a connection breaks; a GET that sends a text message is not
    idempotent, and a repeat nobody knows of would be a second message.
    """

    __slots__ = ("_error",)

    def __init__(self) -> None:
        self._error: Exception | None = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._error is not None:
            raise self._error
        try:
            return await handler(request)
        except (aiohttp.ClientError, OSError) as error:
            self._error = error
            raise


def limits_for(seconds: float) -> aiohttp.ClientTimeout:
    """At most ``seconds`` for a whole exchange, of which half may pass before the connection stands.

    The two differ so that a time-out says by its type whether the request can have left.
    """
    return aiohttp.ClientTimeout(total=seconds, connect=seconds / 2, sock_connect=seconds / 2)


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    headers: Mapping[str, str],
    limits: aiohttp.ClientTimeout,
    mask: Masker,
    body: bytes | None = None,
    server_hostname: str | None = None,
    longest: int = _LONGEST_ANSWER,
) -> Answer | Outcome:
    """Send one request, follow no redirect, read the answer whole.

    Returns the :class:`Answer`, or the outcome where there is none: ``transient`` when no connection was made,
    ``uncertain`` when it broke or the time ran out after the request may have left, ``misconfigured`` when the address
    or a certificate is wrong. ``server_hostname`` is the name a TLS certificate must bear when ``url`` holds a number;
    ``longest`` is how many bytes are read at most.
    """
    for last in (False, True):
        try:
            async with session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=limits,
                allow_redirects=False,
                server_hostname=server_hostname,
                middlewares=None if method == "POST" else (Once(),),
            ) as response:
                received = await read_whole(response, longest)
                headers = response.headers
                rest = headers.get("Retry-After", "") or headers.get("x-ogw-ratelimit-reset", "")
                return Answer(response.status, received, rest)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if last or not _never_left(error):
                return _without_answer(error, mask)
    raise AssertionError("the second attempt always returns")


def _without_answer(error: Exception, mask: Masker) -> Outcome:
    words = f"{type(error).__name__} {error}"
    match error:
        case aiohttp.ClientConnectorCertificateError():
            why = certificate_words(error.certificate_error) or "对方的 TLS 证书不可信"
            return Outcome(OutcomeKind.MISCONFIGURED, mask(f"{why}：{words}"))
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Outcome(OutcomeKind.TRANSIENT, mask(f"未连上：{words}"))
        case _ if _never_left(error):
            return Outcome(OutcomeKind.TRANSIENT, mask(f"未能发出：{words}"))
        case aiohttp.NonHttpUrlClientError() | ValueError():
            return Outcome(OutcomeKind.MISCONFIGURED, mask(f"地址或请求头不合法：{words}"))
        case _:
            return Outcome(OutcomeKind.UNCERTAIN, mask(f"已发出，未收到完整应答：{words}"))


def _never_left(error: Exception) -> bool:
    """Whether a kept connection was found closed before a byte was written: then a fresh one may be tried at once.

    aiohttp raises this error only when it refuses to write (for bodies below its 64 KiB buffer, as all here are).
    """
    reset = aiohttp.ClientConnectionResetError
    return isinstance(error, reset) or isinstance(error.__cause__, reset)


def retry_seconds(value: str, at: int, default: float) -> float:
    """A ``Retry-After`` header (seconds, or an HTTP date against the hub's time ``at`` in ms) as 0–3600 seconds."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_REST)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, IndexError, OverflowError, OSError):
        return default
    return min(max(moment - at / 1000, 0.0), _LONGEST_REST)


def rest_given(answer: Answer, at: int) -> float | None:
    """How long the vendor asks to wait, None where it does not say."""
    return retry_seconds(answer.retry_after, at, 0.0) if answer.retry_after else None


def json_object(body: bytes) -> dict[str, Any]:
    """A body's JSON object; an empty one for anything else."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def number_in(said: Mapping[str, Any], name: str) -> int | None:
    """The whole number under this name; None for anything else."""
    found = said.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def read_status(
    answer: Answer,
    at: int,
    mask: Masker,
    missing: str,
    *,
    rest: float = _USUAL_REST,
    whole_channel: bool = True,
) -> Outcome:
    """What an answer means whose body says nothing, by its HTTP status. ``missing`` is what the body should have said;
    ``rest`` how long a throttled sender rests (s) where the vendor does not say, ``whole_channel`` whether that is the
    account. ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date.
    """
    status = answer.status
    detail = mask(f"HTTP {status}，应答中没有 {missing}：{answer.body[:200].decode('utf-8', 'replace')}")
    if status == 429:
        seconds = retry_seconds(answer.retry_after, at, rest)
        return Outcome(OutcomeKind.THROTTLED, detail, retry_after=seconds, whole_channel=whole_channel)
    if status == 413:
        return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
    if status < 300 or status == 504:
        # A gateway that gave up waiting does not know whether the vendor took the message.
        return Outcome(OutcomeKind.UNCERTAIN, detail)
    if status >= 500 or status in (408, 425):
        return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
    return Outcome(OutcomeKind.MISCONFIGURED, detail)


async def read_whole(response: aiohttp.ClientResponse, longest: int = _LONGEST_ANSWER) -> bytes:
    """The body of an answer. Raises aiohttp's errors, also for one that is longer than ``longest`` bytes."""
    received = await response.content.readany()
    while not response.content.at_eof():
        received += await response.content.readany()
        if len(received) > longest:
            response.close()
            raise aiohttp.ClientPayloadError(TOO_LONG)
    return received
