"""Slips of the ear and of the keyboard: words that sound like an order. What they seem to mean is asked back, and never
done; a signature alone is taken for what it sounds like, since it only says that somebody has read the message."""

from __future__ import annotations

import re

from bot.chat.verbs import ASKING, ASKING_END, FILLERS
from escalation.vocabulary import Verb

SLIPS: tuple[tuple[Verb, re.Pattern[str]], ...] = (
    (Verb.FALSE_ALARM, re.compile(r"[物勿吴五雾悟务午舞]报|无报(?![警告错修名备送])|误[爆抱宝保]|物暴")),
    (Verb.CLEAR, re.compile(r"消[井景净精惊竞径]|[销小肖校][井景净精]|[小肖校]警")),
    (Verb.VERIFY, re.compile(r"[和合河何喝荷][查茶察]|核[茶察叉插]|[合和河]实")),
    (Verb.DISPOSE, re.compile(r"处[制治至直志]|[除出储]置|处[里力利离]|[出除]理")),
    (Verb.EXTEND, re.compile(r"[言沿严盐炎]期|延[其七齐奇]")),
    (Verb.TRANSFER, re.compile(r"转[牌排拍]|[专砖]派")),
    (Verb.URGE, re.compile(r"[吹崔脆]办|催[半版伴]")),
    (Verb.UNDO, re.compile(r"撤[会悔汇]|[彻车扯]回")),
    (Verb.APPROVE, re.compile(r"[皮披匹]准|批[谆淮]")),
    (Verb.FED_BACK, re.compile(r"(?:系统|平台)?(?:已经?)?[反返][溃愧馈匮](?<!反馈)")),
)
_LEADS = re.compile(r"(?:申请|请求|请|要求|是|确认|属于)++$")
_WHOLE = re.compile(r"^(?:已经?|我|我们)?(?:受到|收道|手到|收倒|首到|[前钱牵欠]收|牵手)(?:了|啦)?$")
_TAIL = 8


def slip_in(clauses: list[str]) -> tuple[Verb, str] | None:
    """The verb that a clause seems to mean, and the word for it; None for questions and talk. Pure."""
    for clause in clauses:
        if ASKING.search(clause) or ASKING_END.search(clause):
            continue
        for verb, pattern in SLIPS:
            match = pattern.search(clause)
            if match and len(clause) - match.end() <= _TAIL and _begins(clause[: match.start()]):
                return verb, match[0]
    return None


def _begins(before: str) -> bool:
    return not _LEADS.sub("", FILLERS.sub("", re.sub(r"[a-z0-9\x02]+", "", before)))


def sounds_signed(clause: str) -> bool:
    """受到 for 收到, standing alone."""
    return _WHOLE.match(clause) is not None
