"""Messages that are no answer as a whole, whatever words are in them: programs' text, letters, menus. Pure."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"</?(?:script|img|svg|iframe|object|style|input|form)\b|\{\{|\{%|\$\{|<%")
"""Text made for a program; no person answers an alarm like this."""

_LETTER = re.compile(
    r"(?:您|你们?)的(?:来信|邮件|来电|来函|留言|申请|咨询|投诉|订单|快递|快件|包裹|信件)|"
    r"感谢(?:您的?)?(?:来信|来电|来函|关注|使用)|来信已?收到|收到会回|自动生成|尊敬的(?:先生|女士)|验证码"
)
"""What carriers, shops and offices write."""
_ORDER_FIRST = re.compile(r"\W*(?:(?:[aw]\d+)?(?:已?签收|已?核查|已?处置|误报|消警|转派|延期)|1(?!\d))")
"""Who begins with an order and is polite afterwards is a person."""
_AWAY = re.compile(r"(?:正在|在)(?:开会|开车|驾驶|休假|出差|通话)|不在(?:办公室|线)|休假|外出|离岗")
_LATER = re.compile(
    r"(?:稍后|稍候|晚点|尽快|到达后|回来后?|结束后?|会后)(?:再?给?您?)(?:回复|答复|联系|回电|回您|处理您)"
)
"""Absent, and back to you soon: a signature that nobody gave. Either alone is what people say."""

_WORD = r"(?:签收|收到|核查|核实|处置|处理|消警|误报|转派|延期|批准|驳回|撤回|催办)"
_LIST = re.compile(rf"{_WORD}[、/|]{_WORD}[、/|]{_WORD}")
_MENU = re.compile(
    rf"{_WORD}[/|或]{_WORD}|(?<![a-z0-9])[1-9][、.:)）]?{_WORD}.{{0,40}}?(?<![a-z0-9])[2-9][、.:)）]?{_WORD}"
)
"""Orders to choose from: 签收/误报/消警, 回1签收，回2误报."""
_SAME = re.compile(r"(?:核查|核实|处置|处理)[/|或](?:核查|核实|处置|处理)")


def is_no_answer(plain: str) -> bool:
    """Whether a folded text in lower case is no answer as a whole."""
    if _MARKUP.search(plain):
        return True
    said = "".join(plain.split())
    letter = not _ORDER_FIRST.match(said)
    if letter and (_LETTER.search(said) or (_AWAY.search(said) and _LATER.search(said))):
        return True
    return _LIST.search(said) is not None or _MENU.search(_SAME.sub("", said)) is not None
