"""``fenghuo dead``: the notices that reached nobody, and what is to become of each."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot import dead_asking
from bot.commands.common import print_result, settings_or_running
from bot.commands.errands import Errand, by_whom, errand_arguments, not_there
from bot.deadletters import DeadDone, DeadLine, DeadList, DeadSwept, NotDone


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
            or_channel="这个渠道的全部死信，最早的先发 / all of a channel",
        ),
        Errand("drop", "了结，不再发送 / let it go", decides=True, needs_why=True),
    )
    errand_arguments(parser, "what", errands, "notice", "通知编号，见 dead list")


def run_dead(options: argparse.Namespace) -> int:
    """Run one of them; 1 where there is no such letter or nobody needs it any more."""
    settings = settings_or_running(options.config)
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
    if options.what == "replay" and bool(options.notice) == bool(options.channel):
        raise ValueError("写一个通知编号，或 --channel 渠道名 / give one notice id, or --channel")
    if options.what == "replay" and options.channel:
        if options.channel not in settings.channels:
            raise ValueError(f"没有渠道 {options.channel} / there is no channel {options.channel}")
        all_of_it = asyncio.run(dead_asking.dead_sweep(settings, options.channel, by=by, why=why))
        print_result(all_of_it, options.json, lambda: swept(all_of_it))
        return 0
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


def swept(done: DeadSwept) -> str:
    """How many were sent again, and which are left."""
    if not done.replayed and not done.over:
        return f"渠道 {done.channel} 没有死信。"
    over = "".join(f"\n  {each}" for each in done.over)
    left = f"；{len(done.over)} 封不必再发，可用 drop 了结：{over}" if done.over else "。"
    return f"渠道 {done.channel} 的 {len(done.replayed)} 封死信已交待发，{done.by}：{done.why}{left}"
