"""Pictures that members send to a DingTalk app: a code that came with the message buys an address, and that the file.

Source of the rules: the vendor's page on files that a robot receives.
"""

from __future__ import annotations

import aiohttp
from yarl import URL

from channels.callback import Media
from channels.dingtalk.api import Api
from channels.exchange import TOO_LONG, ask, limits_for, rest_given
from channels.outcome import Outcome, OutcomeKind

_BUY = "v1.0/robot/messageFiles/download"


async def fetch(
    api: Api,
    session: aiohttp.ClientSession,
    robot: str,
    code: str,
    at: int,
    *,
    secure: bool,
    longest: int,
    seconds: float,
) -> Media | Outcome:
    """The file of a download code; see :class:`channels.callback.MediaSource`. ``secure``: only over TLS. ``longest``
    in bytes."""
    said = await api.call("POST", _BUY, at, body={"downloadCode": code, "robotCode": robot})
    if isinstance(said, Outcome):
        if said.kind is OutcomeKind.REFUSED_CONTENT:
            return said
        return Outcome(OutcomeKind.TRANSIENT, said.detail, retry_after=said.retry_after)
    given = said.get("downloadUrl")
    url = _address(given, secure=secure) if isinstance(given, str) else None
    if url is None:
        return Outcome(OutcomeKind.TRANSIENT, "应答中没有可用的 downloadUrl")
    answer = await ask(session, "GET", url, headers={}, limits=limits_for(seconds), mask=api.mask, longest=longest)
    if isinstance(answer, Outcome):
        if TOO_LONG in answer.detail:
            return Outcome(OutcomeKind.REFUSED_CONTENT, f"图片超过 {longest} 字节")
        return Outcome(OutcomeKind.TRANSIENT, "取图片时未收到完整应答")
    if answer.status == 200 and answer.body:
        return Media(answer.body)
    # An address holds for a while only; the next try buys another.
    return Outcome(OutcomeKind.TRANSIENT, f"HTTP {answer.status}，没有文件", retry_after=rest_given(answer, at))


def _address(given: str, *, secure: bool) -> URL | None:
    try:
        url = URL(given, encoded=True)
    except ValueError:
        return None
    return url if url.host and url.scheme in (("https",) if secure else ("https", "http")) else None
