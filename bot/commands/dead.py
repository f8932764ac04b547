"""``fenghuo dead``: the notices that reached nobody, and what is to become of each."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot import dead_asking
from bot.commands.common import loaded_or_exit, print_result
from bot.commands.errands import Errand, by_whom, errand_arguments, not_there
from bot.deadletters import DeadDone, DeadLine, DeadList, NotDone


def dead_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of ``dead``."""
    errands = (
        Errand("list", "列出全部死信，最早的在前 / list them, oldest first"),
        Errand("show", "一封死信的全部内容 / one of them"),
        Errand(
            "replay",
            "再发一次，用收件人现在的联系方式 / send it again, by the contacts of today",
            decides=True,
            needs_why=True,
        ),
        Errand("drop", "了结，不再发送 / let it go", decides=True, needs_why=True),
    )
    errand_arguments(parser, "what", errands, "notice", "通知编号，见 dead list")


def run_dead(options: argparse.Namespace) -> int:
    """Run one of them; 1 where there is no such letter or nobody needs it any more."""
    _, settings = loaded_or_exit(options.config)
    if options.what == "list":
        found = asyncio.run(dead_asking.dead_list(settings))
        print_result(found, options.json, lambda: listed(found))
        return 0
    if options.what == "show":
        letter = asyncio.run(dead_asking.dead_show(settings, options.notice))
        if letter is None:
            return _none(options.notice)
        print_result(letter, options.json, lambda: shown(letter))
        return 0
    by, why = by_whom(options.by), options.why.strip()
    if not why:
        raise ValueError("--why 不能为空：原因要记入台账 / --why must say why")
    try:
        done = asyncio.run(dead_asking.dead_settle(settings, options.what, options.notice, by=by, why=why))
    except NotDone as error:
        print(error, file=sys.stderr)
        return 1
    if done is None:
        return _none(options.notice)
    print_result(done, options.json, lambda: settled(done))
    return 0


def _none(notice: str) -> int:
    return not_there(f"没有编号为 {notice} 的死信 / there is no dead letter {notice}")


def listed(found: DeadList) -> str:
    """For a terminal, in Chinese."""
    if not found.total:
        return "没有死信。"
    more = f"，只列出最早的 {len(found.letters)} 封" if len(found.letters) < found.total else ""
    return "\n".join([f"共 {found.total} 封{more}：", *(_in_a_line(letter) for letter in found.letters)])


def _in_a_line(letter: DeadLine) -> str:
    who = "、".join(letter.names) or letter.address
    when = letter.at[5:16].replace("T", " ")
    urgent = "【紧急】" if letter.urgency == "critical" else ""
    return f"  {when}  {letter.notice}  {urgent}{letter.kind_word}  {who}（{letter.channel}）  {letter.why}"


def shown(letter: DeadLine) -> str:
    """One letter, a fact a line."""
    rows = [
        ("通知", letter.notice),
        ("警情", letter.incident),
        ("内容", letter.kind_word),
        ("给", "、".join(letter.names)),
        ("渠道", f"{letter.channel} {letter.address}".strip()),
        ("放弃时间", letter.at),
        ("结果", letter.result),
        ("对方说", letter.why),
        ("原文", letter.text),
    ]
    return "\n".join(f"{name}：{value}" for name, value in rows if value)


def settled(done: DeadDone) -> str:
    """What was done, and where to look next."""
    if done.done == "dropped":
        return f"{done.notice} 已了结，不再发送；{done.by}：{done.why}"
    ids = "\n".join(f"  {each}" for each in done.sent)
    return f"{done.notice} 已交待发，{done.by}：{done.why}\n{ids}".rstrip()
