"""What the clouds that send text messages have in common: texts that none takes, and what a repeat makes of an earlier
try.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from channels.channel import ReceiptKind
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.registered import Registered
from channels.sms.text import find_link

log = logging.getLogger(__name__)


def why_refused(text: str, whole: str) -> str:
    """Why no vendor would take the message ``whole`` made of ``text``; '' where one would."""
    if not text.strip():
        return "文本为空"
    link = find_link(whole)
    if link:
        return f"短信中不能带链接：{link[:60]}"
    if any("\ud800" <= mark <= "\udfff" for mark in whole):
        return "文本含有无法编码的字符"
    return ""


def of_template(outcome: Outcome, template: Registered, channel: str) -> Outcome:
    """What it means that a vendor refuses the template a message was made of. Where another one says every sentence the
    message leaves in that: whoever must hear it has perhaps no other way. Only without that the channel is wrong."""
    if outcome.kind is not OutcomeKind.MISCONFIGURED or "TEMPLATE" not in outcome.detail.partition(" ")[0].upper():
        return outcome
    detail = f"{outcome.detail}（模板 {template.code}）"
    if template.flows:
        return replace(outcome, detail=detail)
    log.error("%s: a template is refused, its messages leave in the one for sentences until then: %s", channel, detail)
    return Outcome(OutcomeKind.REFUSED_CONTENT, detail)


def settled(fate: ReceiptKind, words: str, mask: Masker) -> Outcome:
    """What is done about a letter of which the vendor said, when asked, that it has it: nothing is sent again."""
    if fate is ReceiptKind.UNDELIVERED:
        return Outcome(OutcomeKind.REFUSED_RECIPIENT, mask(f"查询：前次已发出，未送达 {words}"))
    return Outcome(OutcomeKind.ACCEPTED, mask(f"查询：前次已受理，没有重发 {words}".strip()))


def unasked(found: Outcome, mask: Masker) -> Outcome:
    """Without an answer to the question nothing is sent: it is asked again soon, unless that will not help either."""
    if found.kind in (OutcomeKind.MISCONFIGURED, OutcomeKind.REFUSED_RECIPIENT):
        return found
    return Outcome(OutcomeKind.TRANSIENT, mask(f"重发前查询未成：{found.detail}"))


def patient(outcome: Outcome, seconds: float) -> Outcome:
    """What was taken a moment ago cannot be asked for at once."""
    if outcome.kind is not OutcomeKind.UNCERTAIN:
        return outcome
    return Outcome(outcome.kind, outcome.detail, retry_after=seconds)
