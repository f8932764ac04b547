"""What Alibaba Cloud has approved of an account's templates and signatures: GetSmsTemplate and GetSmsSign.

Source of the rules: the vendor's pages on these two calls, API version 2017-05-25, and its library.
"""

from __future__ import annotations

import asyncio

from channels.exchange import Answer, json_object
from channels.greeting import Greeting
from channels.outcome import Outcome, OutcomeKind
from channels.sms.aliyun_account import Account
from channels.sms.aliyun_settings import Settings
from channels.sms.review import Asked, Fault, Review, concluded, of_state, of_text, signatures

_STATES = {"0": "还在审核", "1": "", "2": "没有通过审核", "10": "已取消审核"}


async def reviewed(account: Account, settings: Settings, greeting: Greeting, at: int) -> Greeting:
    """``greeting`` with what is found; ``at`` is the hub's time in ms."""
    asks = [
        *(_template(account, settings, number, at) for number in range(len(settings.templates))),
        *(_sign(account, each, at) for each in signatures(settings)),
    ]
    return concluded(greeting, await asyncio.gather(*asks))


async def _template(account: Account, settings: Settings, number: int, at: int) -> Review:
    template = settings.templates[number]
    asked = Asked(template.code, ("templates", number, "code"))
    answer = await account.call("GetSmsTemplate", {"TemplateCode": template.code}, at)
    review = _read(account, "模板", asked, "TemplateStatus", answer, at)
    if review != Review() or isinstance(answer, Outcome):
        return review
    return of_text(asked, template.text, str(json_object(answer.body).get("TemplateContent", "")))


async def _sign(account: Account, asked: Asked, at: int) -> Review:
    answer = await account.call("GetSmsSign", {"SignName": asked.name}, at)
    return _read(account, "签名", asked, "SignStatus", answer, at)


def _read(account: Account, what: str, asked: Asked, name: str, answer: Answer | Outcome, at: int) -> Review:
    outcome = answer if isinstance(answer, Outcome) else account.read(answer, at)
    if isinstance(answer, Outcome) or outcome.kind is not OutcomeKind.ACCEPTED:
        # A rule of the product's says no to the thing itself; everything else is about asking.
        refused = outcome.detail.startswith("isv.") and outcome.kind is not OutcomeKind.THROTTLED
        return (
            Review(Fault(asked.where, f"{what} {asked.name}：{outcome.detail}"))
            if refused
            else Review(unasked=outcome.detail)
        )
    said = json_object(answer.body)
    audit = said.get("AuditInfo")
    reason = str(audit.get("RejectInfo") or "") if isinstance(audit, dict) else ""
    state = str(said.get(name, ""))
    if state not in _STATES:
        return Review(unasked=f"{name} {state[:20]}")
    return of_state(what, asked, _STATES[state], reason)
