"""What Tencent Cloud has approved of an account's templates and signatures: DescribeSmsTemplateList and
DescribeSmsSignList.

Source of the rules: the vendor's pages on these two calls, API version 2021-01-11, and its library.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels.greeting import Greeting
from channels.outcome import Outcome
from channels.sms.review import Asked, Review, concluded, of_state, of_text, signatures
from channels.sms.tencent_account import Account
from channels.sms.tencent_settings import Settings

_STATES = {0: "", 1: "还在审核", 2: "通过审核，还没有生效", -1: "没有通过审核"}
_UNKNOWN = "在平台上没有"
_MOST = 100
"""How many signatures are listed at once."""
_NONE_THERE = ("FailedOperation.MissingTemplateList", "FailedOperation.TemplateIdNotExist")


async def reviewed(account: Account, settings: Settings, greeting: Greeting, at: int) -> Greeting:
    """``greeting`` with what is found; ``at`` is the hub's time in ms."""
    templates, signs = await asyncio.gather(_templates(account, settings, at), _signs(account, settings, at))
    return concluded(greeting, [*templates, *signs])


async def _templates(account: Account, settings: Settings, at: int) -> list[Review]:
    codes = [int(each.code) for each in settings.templates]
    asked = {"International": 0, "TemplateIdSet": codes}
    rows = await _rows(account, "DescribeSmsTemplateList", asked, "DescribeTemplateStatusSet", at)
    if isinstance(rows, Outcome):
        if not rows.detail.startswith(_NONE_THERE):
            return [Review(unasked=rows.detail)]
        rows = []
    known = {row.get("TemplateId"): row for row in rows}
    found: list[Review] = []
    for number, template in enumerate(settings.templates):
        place, row = Asked(template.code, ("templates", number, "code")), known.get(int(template.code))
        review = _read("模板", place, row)
        approved = review == Review() and row is not None
        found.append(of_text(place, template.text, str(row.get("TemplateContent", ""))) if approved and row else review)
    return found


async def _signs(account: Account, settings: Settings, at: int) -> list[Review]:
    asked = {"International": 0, "SignIdSet": [], "Limit": _MOST, "Offset": 0}
    rows = await _rows(account, "DescribeSmsSignList", asked, "DescribeSignListStatusSet", at)
    if isinstance(rows, Outcome):
        return [Review(unasked=rows.detail)]
    known = {row.get("SignName"): row for row in rows}
    # Beyond what is listed at once nothing is known of a signature that is not among them.
    listed = len(rows) < _MOST
    return [_read("签名", each, known.get(each.name)) for each in signatures(settings) if listed or each.name in known]


async def _rows(
    account: Account, action: str, asked: dict[str, Any], name: str, at: int
) -> list[dict[str, Any]] | Outcome:
    answer = await account.call(action, asked, at)
    if isinstance(answer, Outcome):
        return answer
    response, refused = account.read(answer, at)
    if refused is not None:
        return refused
    rows = response.get(name)
    if not isinstance(rows, list):
        return account.unread(answer, at, name)
    return [row for row in rows if isinstance(row, dict)]


def _read(what: str, asked: Asked, row: dict[str, Any] | None) -> Review:
    if row is None:
        return of_state(what, asked, _UNKNOWN, "")
    state = row.get("StatusCode")
    if not isinstance(state, int) or state not in _STATES:
        return Review(unasked=f"StatusCode {str(state)[:20]}")
    return of_state(what, asked, _STATES[state], str(row.get("ReviewReply") or ""))
