"""``fenghuo explain`` and ``fenghuo replay``: what would happen, before it matters."""

from __future__ import annotations

import argparse
import asyncio

from bot.commands.common import loaded_or_exit, print_result
from bot.moments import moment
from bot.rehearsal.explain import Explanation, explain
from bot.rehearsal.recording import recordings
from bot.rehearsal.replay import Replayed, read_lines, replay
from bot.rules import Rules
from escalation.vocabulary import Kind, Level, Mode, Severity


def explain_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``explain``."""
    parser.add_argument("--enterprise", required=True, help="统一社会信用代码")
    parser.add_argument("--kind", choices=[kind.value for kind in Kind], help="写了级别可以不写")
    parser.add_argument("--level", choices=[level.value for level in Level], help="预警级别")
    parser.add_argument("--severity", choices=[severity.value for severity in Severity], help="报警级别")
    parser.add_argument("--point", default="", help="点位编码")
    parser.add_argument("--at", required=True, help="什么时刻，如 2026-11-21T02:00")


def run_explain(options: argparse.Namespace) -> int:
    """Print who would be told, by which channel, when and why, to the ladder's end."""
    _, settings = loaded_or_exit(options.config)
    kind = Kind.WARNING if options.level else Kind.ALARM
    if bool(options.level) == bool(options.severity) or options.kind not in (None, kind.value):
        raise ValueError(
            "预警只写 --level，报警只写 --severity / a warning needs --level alone, an alarm --severity alone"
        )
    rules = Rules.of(settings, recordings(settings, lambda _channel, _letter: None))
    if options.enterprise not in rules.directory.enterprises:
        raise ValueError(f"企业 {options.enterprise} 未登记 / no enterprise {options.enterprise}")
    at = moment(options.at)
    result = explain(
        rules.context(at),
        enterprise=options.enterprise,
        point=options.point,
        kind=kind,
        level=Level(options.level) if options.level else None,
        severity=Severity(options.severity) if options.severity else None,
        at=at,
    )
    print_result(result, options.json, lambda: _explained(result))
    return 0


def _explained(result: Explanation) -> str:
    trial = "（试运行：只记录，不发送）" if result.trial else ""
    head = [f"规则：{result.rule}（{result.basis}）{trial}"]
    head += [f"  {each.unit_name} {each.clock_word} 截止 {each.due[5:16]}" for each in result.clocks]
    body: list[str] = []
    day = ""
    for each in result.told:
        if each.at[:10] != day:
            day = each.at[:10]
            body.append(f"— {day} —")
        body.append(each.line())
    remarks = ["", "注意：", *(f"  {each}" for each in result.remarks)] if result.remarks else []
    return "\n".join([*head, "", *body, *remarks])


def run_replay(options: argparse.Namespace) -> int:
    """Print each event's verdict, every incident and every notice of a replayed file."""
    _, settings = loaded_or_exit(options.config)
    until = moment(options.until) if options.until else None
    result = asyncio.run(replay(settings, read_lines(options.file, settings), until))
    print_result(result, options.json, lambda: _replayed(result))
    return 0


def _replayed(result: Replayed) -> str:
    lines = ["事件："]
    for event in result.events:
        flags = f"  [{'，'.join(event.flags)}]" if event.flags else ""
        lines.append(f"  {event.at[5:19]}  {event.id}  {event.verdict}  {event.code}  {event.reason}{flags}")
    if result.answers:
        lines.append("答复：")
        lines += [f"  {each.at[5:19]}  {each.by}：{each.reply} → {each.answer}" for each in result.answers]
    lines.append("警情：")
    marks = {incident.code: Mode(incident.mode).mark for incident in result.incidents}
    for incident in result.incidents:
        signed = f"  签收：{'，'.join(incident.signed)}" if incident.signed else ""
        what = f"{incident.enterprise_name} {incident.point_name}".strip()
        lines.append(f"  {marks[incident.code]}{incident.code}  {what}  {incident.state_word}{signed}")
    lines.append("通知：")
    lines += [f"  {each.at[5:10]} {marks.get(each.incident, '')}{each.incident}  {each.line()}" for each in result.told]
    return "\n".join(lines)
