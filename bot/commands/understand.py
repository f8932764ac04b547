"""``fenghuo understand``: how a message would be read, without sending it."""

from __future__ import annotations

import argparse

from bot.chat.preview import NONE, OrderRead, ReadAs, read_as
from bot.clock import WallClock
from bot.commands.common import print_result
from bot.moments import moment
from escalation.ledger.keys import read_code
from escalation.vocabulary import Verb

CHANNELS = ("sms", "wecom", "dingtalk", "mail", "page")
"""Where people write. One grammar reads them all; what a channel adds (quotes, calls by name) is taken off in each."""
_ARGS = {
    "cause": "原因",
    "to": "转给",
    "minutes": "延长分钟",
    "until": "延到",
    "clock": "时限",
    "of": "针对",
    "text": "内容",
}
_MISSING = {
    "word": "用词不清，先反问",
    "code": "不知道是哪一条，先反问",
    "to": "没有写转给谁，先反问",
    "length": "没有写延长多久，先反问",
    "reason": "没有写原因，先反问",
}


def understand_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``understand``."""
    parser.add_argument("--channel", choices=CHANNELS, default="sms", help="从哪里发来（默认 sms）")
    parser.add_argument("--open", help="对此人未关闭的编号，如 A0231,W0045；不写则不核对编号")
    parser.add_argument("--now", help="消息发出的时刻，如 2026-11-21T02:00（默认现在）")
    parser.add_argument("text", help="消息原文")


def run_understand(options: argparse.Namespace) -> int:
    """Print how the message is read. Raises ValueError for a code or a time that is none."""
    now = moment(options.now) if options.now else WallClock().now()
    result = read_as(options.text, now, _codes(options.open))
    print_result(result, options.json, lambda: text_of(result))
    return 0


def _codes(given: str | None) -> list[str] | None:
    if given is None:
        return None
    codes: list[str] = []
    for each in given.replace("，", ",").split(","):
        if each.strip():
            code = read_code(each.strip())
            if code is None:
                raise ValueError(f"{each.strip()} 不是编号，应如 A0231 / {each.strip()} is no code such as A0231")
            codes.append(code)
    return list(dict.fromkeys(codes))


def text_of(read: ReadAs) -> str:
    """For people, in Chinese."""
    lines = [_line(order) for order in read.orders]
    if not lines and read.verb == NONE:
        lines.append("没有看懂，不作任何记录（none）")
    elif not lines:
        lines.append(f"查询（query）  {'、'.join(read.codes)}")
    if read.unknown:
        lines.append(f"没有这个编号：{'、'.join(read.unknown)}，不会记到别的警情上")
    if read.missing:
        lines.append(_MISSING[read.missing])
    if read.emergency:
        lines.append(f"事故字样：{'、'.join(read.accident)}，立即送区县值班室，不会关闭任何警情")
    if read.automatic:
        lines.append("机器自动发出的消息，不办理，不回话")
    lines.append("会改动记录" if read.act else "不改动警情记录")
    return "\n".join(lines)


def _line(order: OrderRead) -> str:
    said = "，".join(f"{_ARGS[name]} {value}" for name, value in order.args.items())
    return f"{Verb(order.verb).word}（{order.verb}）  {'、'.join(order.codes) or '未指明编号'}  {said}".rstrip()
