"""What somebody wrote, without what they answered to and without their signature. Pure; never raises.

Written for the mail programs in use here: QQ and Foxmail, 网易 (163, 126, 邮箱大师), Sina and Coremail, Outlook, Apple,
Gmail, Thunderbird. Where a form is not known, lines that every mail of ours has show where it was quoted.
"""

from __future__ import annotations

import re

from channels.mail.message import PROOF_LINE

_MARKS = r"\-–—_=*~－﹣"
_ORIGINAL = r"(?:原始(?:邮件|信件|消息)|回复的(?:原)?邮件|转发的(?:原)?邮件|原邮件|邮件原件|转发邮件(?:信息)?|转发信件)"
_ENGLISH = r"(?:original message|original email|forwarded message|reply message|replied message)"
_RULE = re.compile(
    rf"\s*(?:[{_MARKS}][\s{_MARKS}]*(?:{_ORIGINAL}|{_ENGLISH})|(?:{_ORIGINAL}|{_ENGLISH})\s*(?:[{_MARKS}]|[:：]?\s*$))",
    re.IGNORECASE,
)
"""A line that says that now comes what is answered."""
_LONE_RULE = re.compile(rf"\s*[{_MARKS}]{{8,}}\s*$")
_WROTE = re.compile(r"(?:写道|寫道|撰写|编写|wrote)\s*[:：]?\s*[>\"”]*\s*$", re.IGNORECASE)
_WROTE_BEGINS = re.compile(
    r"[\s>\"“]*(?:(?:在|于|於)\s*\d|on\s|at\s+\d|\d{4}\s*[-年/.]\s*\d|.{0,80}(?:<[^<>]{3,80}>|\b\d{4}[-年/.]\d))",
    re.IGNORECASE,
)
_WHEN_OR_WHO = re.compile(r"\d{1,2}[:：]\d{2}|\d{4}\s*年|[<@]")
_HEADER = re.compile(
    r"\s*[*|]*\s*(?:发件人|发信人|寄件者|寄件人|发送时间|发送日期|发送|收件人|收信人|抄送|主题|主旨|日期|时间|from|sent|to|cc|date|subject)"
    r"\s*\*{0,2}\s*[:：]",
    re.IGNORECASE,
)
_SENDER_HEADER = re.compile(r"\s*[*|]*\s*(?:发件人|发信人|寄件者|寄件人|from)\s*\*{0,2}\s*[:：]", re.IGNORECASE)
_QUOTED = re.compile(r"\s*(?:[>＞›┃▏]|\|\s?>)")
_SIGNATURE = re.compile(
    r"\s*(?:--|－－|——)\s*$|\s*(?:发自|发送自|來自|来自|由)\s*(?:我的|my\s)?.{0,30}(?:iphone|ipad|手机|邮箱|mail|outlook|大师|foxmail|windows)"
    r"|\s*(?:sent from|get outlook for|sent via)\b|\s*\|\s*\|\s*$",
    re.IGNORECASE,
)
_LETTERHEAD = re.compile(
    r"\s*(?:电话|手机|传真|邮箱|地址|邮编|网址|tel|mobile|phone|fax|e-?mail|add(?:ress)?)\s*[:：]", re.IGNORECASE
)
_DISCLAIMER = re.compile(
    r"\s*(?:【?(?:免责|保密)(?:声明|提示|须知)|(?:本|此)(?:电子)?邮件(?:及其?附件)?.{0,40}(?:保密|机密|商业秘密)|"
    r"this e-?mail.{0,60}confidential)",
    re.IGNORECASE,
)
_OURS = (PROOF_LINE[:12], "为什么收到：", "签收、核查、处置（本人专用")


def own_words(text: str) -> str:
    """The text up to the first sign of a quotation, without quoted lines, signature and disclaimer."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\ufeff", "").split("\n")
    kept: list[str] = []
    for place, line in enumerate(lines):
        if _quotation_begins(lines, place):
            break
        if _QUOTED.match(line):
            continue
        if _DISCLAIMER.match(line):
            break
        if _SIGNATURE.match(line) and _is_end(lines, place):
            break
        kept.append(line.strip())
    while kept and (not kept[-1] or _LETTERHEAD.match(kept[-1])):
        kept.pop()
    return "\n".join(kept).strip()


def _quotation_begins(lines: list[str], place: int) -> bool:
    line = lines[place]
    if len(line) > 400:
        return False
    if _RULE.match(line) or any(line.lstrip(" >|").startswith(ours) for ours in _OURS):
        return True
    following = [each for each in lines[place + 1 : place + 6] if each.strip()]
    if _SENDER_HEADER.match(line):
        return any(_HEADER.match(each) for each in following[:3])
    if _LONE_RULE.match(line):
        return bool(following) and _SENDER_HEADER.match(following[0]) is not None
    return _says_wrote(lines, place)


def _says_wrote(lines: list[str], place: int) -> bool:
    """A line such as 在 … 写道：, which programs break into two or three."""
    line = lines[place]
    if not _WROTE_BEGINS.match(line):
        return False
    joined = line
    for count in range(3):
        if _WROTE.search(joined) and _WHEN_OR_WHO.search(joined):
            return True
        if place + count + 1 >= len(lines) or not lines[place + count].strip():
            return False
        joined += " " + lines[place + count + 1]
    return False


def _is_end(lines: list[str], place: int) -> bool:
    """Whether hardly anything follows: 来自手机 may begin a sentence."""
    return len(lines[place].strip()) <= 40
