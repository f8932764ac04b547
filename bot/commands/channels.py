"""``fenghuo channels`` and ``fenghuo send-test``: what the channels can do, how they fare, and whether one arrives."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys

from bot.channel_asking import channel_list, send_test
from bot.channel_states import ChannelList, ChannelShown, StateShown, TemplateShown, WindowShown
from bot.commands.common import loaded_or_exit, print_result
from bot.deadletters import NotDone
from bot.trials import TrialLine, TrialReport

WAIT = 60.0
"""How long a test is waited for, in seconds."""
_FORMS = {
    "sms": "短信",
    "markdown": "markdown",
    "text": "文本",
    "mail": "邮件",
    "json": "JSON",
    "voice": "语音",
}
RECEIPTS = {
    "submitted": "提交",
    "accepted": "受理",
    "delivered": "送达",
    "read": "已读",
    "undelivered": "未送达",
    "answered": "已接听",
}
_SPANS = {1: "秒", 60: "分钟", 3600: "小时", 86_400: "天"}


def run_channels(options: argparse.Namespace) -> int:
    """List the channels; 1 where one is broken."""
    _, settings = loaded_or_exit(options.config)
    found = asyncio.run(channel_list(settings))
    print_result(found, options.json, lambda: listed(found))
    return 0 if all(each.state is None or each.state.works for each in found.channels) else 1


def trial_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``send-test``."""
    parser.add_argument("--to", default="", metavar="PERSON", help="人员 id，或 单位/岗位（如 shili-county/duty_room）")
    parser.add_argument(
        "--channel",
        action="append",
        default=[],
        help="只用这个渠道，可写几次；群机器人不必写 --to；不写则每种联系方式各发一条",
    )
    parser.add_argument("--wait", type=float, default=WAIT, metavar="SECONDS", help="最多等多少秒（默认 60）")


def run_trial(options: argparse.Namespace) -> int:
    """Send a test and say what came of it; 0 where all of it arrived as far as the channels can tell."""
    _, settings = loaded_or_exit(options.config)
    asked = send_test(settings, options.to, options.channel, by=getpass.getuser(), wait=options.wait)
    try:
        report = asyncio.run(asked)
    except NotDone as error:
        print(error, file=sys.stderr)
        return 2
    print_result(report, options.json, lambda: told(report))
    return 0 if report.well else 1


def listed(found: ChannelList) -> str:
    """For a terminal, in Chinese."""
    if not found.channels:
        return "没有配置渠道。"
    head = f"{len(found.channels)} 个渠道" + ("：" if found.running else "（没有运行中的烽火，只列能力）：")
    return "\n".join([head, *(line for each in found.channels for line in _lines(each))])


def _lines(channel: ChannelShown) -> list[str]:
    lines = [f"{channel.name}  {channel.word}（{channel.kind}）", f"    能力：{_abilities(channel)}"]
    if channel.windows:
        limits = "，".join(_window(each) for each in channel.windows)
        lines.append(f"    限额：{limits}" + (f"，其中 {channel.reserve} 条留给紧急消息" if channel.reserve else ""))
    lines += [f"    模板 {each.code}：{_template(each)}" for each in channel.templates]
    if channel.state is not None:
        lines.append(f"    状态：{_state(channel.state)}")
        lines += [
            f"      {each.address} 连续 {each.refusals} 次被拒，{_brief(each.until)} 前不再发：{each.said}"
            for each in channel.state.resting
        ]
    return lines


def _abilities(channel: ChannelShown) -> str:
    size = [f"{channel.max_bytes} 字节"] if channel.max_bytes else []
    size += [f"{channel.max_chars} 字"] if channel.max_chars else []
    words = [
        "打电话"
        if channel.voice
        else _FORMS.get(channel.form, channel.form) + (f"（{'、'.join(size)}）" if size else "")
    ]
    words.append("只有本人看得到" if channel.personal else "群里都看得到" if channel.form == "markdown" else "发给系统")
    flags = {
        "个人链接": channel.links,
        "点名": channel.mentions,
        "按钮": channel.buttons,
        "收答复": channel.replies,
        "群里 @机器人 可答复": channel.hears,
        f"按 {channel.key} 签收": bool(channel.key),
    }
    words += [name for name, there in flags.items() if there]
    receipts = "、".join(RECEIPTS.get(each, each) for each in channel.receipts)
    words.append(f"回执：{receipts}" if receipts else "没有回执")
    return "，".join(words)


def span(seconds: int) -> str:
    """A window's length in words."""
    return _SPANS.get(seconds, f" {seconds} 秒")


def _window(window: WindowShown) -> str:
    left = "" if window.left is None else f"（现余 {window.left}）"
    return f"每{span(window.seconds)} {window.count} 条{left}"


def _template(template: TemplateShown) -> str:
    counted = f"按 {template.parts} 条计费" if template.parts else f"念一遍约 {template.seconds} 秒"
    return f"填满 {template.chars} 字，{counted}：{template.text}"


def _state(state: StateShown) -> str:
    words = ["正常"] if state.works else [f"无法使用，{_brief(state.broken_since)} 起：{state.said}"]
    if state.works and state.failures:
        words.append(f"{_brief(state.failing_since)} 起连续失败 {state.failures} 次")
    if state.deaf_since:
        words.append(f"{_brief(state.deaf_since)} 起收不到答复（收信邮箱或长连接不通）")
    if state.rests_until:
        words.append(f"被限流，停到 {_brief(state.rests_until)}")
    words.append(f"最近一次成功 {_brief(state.last_good)}" if state.last_good else "还没有成功发送过")
    return "，".join(words)


def told(report: TrialReport) -> str:
    """What came of a test, a message a line."""
    ends = {True: "全部成功。", False: "没有全部成功。"}
    last = ends[report.well] if report.over else "等待时间到，仍有消息没有结果；稍后看 fenghuo channels 或台账。"
    return "\n".join([f"测试 {report.id}，{_brief(report.at)} 发出：", *map(_told, report.messages), last])


def _told(line: TrialLine) -> str:
    who = f"{line.name} {line.address}".strip()
    mark = "✓" if line.well else "…" if not line.over else "✗"
    said = f"：{line.said}" if line.said else ""
    bare = "" if line.receipt or not line.well else "（此渠道没有送达回执，请本人确认收到）"
    return f"  {mark} {line.channel}  {who}  {line.word}{said}{bare}"


def _brief(at: str) -> str:
    return at[5:16].replace("T", " ")
