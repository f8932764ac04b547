"""A notice as short parts by name, for SMS vendors that take only the variables of an approved template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.rendering.facts import sms_wordings
from escalation.incident import Incident
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Kind

_NEWS: Mapping[NoticeKind, str] = {
    NoticeKind.RAISED: "新警情",
    NoticeKind.ROSE: "级别升高",
    NoticeKind.REOPENED: "再次报警",
    NoticeKind.LOWERED: "级别降低",
    NoticeKind.RETURNED: "数值恢复，未确认安全",
    NoticeKind.REMIND: "催办",
    NoticeKind.ANNOUNCE: "即将上转",
    NoticeKind.ESCALATED: "逾期升级",
    NoticeKind.SIGNED: "已签收",
    NoticeKind.REQUESTED: "请求消警，确认前不关闭",
    NoticeKind.CLOSED: "已关闭",
    NoticeKind.TRANSFERRED: "转派给您",
    NoticeKind.URGED: "上级催办",
    NoticeKind.PROGRESS: "有进展",
    NoticeKind.PHONE_TASK: "人工电话任务",
    NoticeKind.PROPOSAL: "建议措施",
    NoticeKind.QUARANTINE: "待核对",
    NoticeKind.ANSWER: "答复",
    NoticeKind.FEEDBACK: "办理情况",
    NoticeKind.OFFICIAL: "系统反馈文本",
}


def of(it: dict[str, Any], incident: Incident, notice: Notice, now: int) -> dict[str, str]:
    """The parts of a notice; ``it`` is what templates know of it, ``now`` in ms.

    ``level`` begins with the mode's word where nothing is actual, so that no drill looks like an alarm. It and ``code``
    are never empty and never long; the others may be cut by the vendor's caps.
    """
    short = sms_wordings(it, incident, now)[1]
    return {
        "level": _mode(it["mark"]) + _level(incident),
        "code": it["code"],
        "news": _news(it, notice),
        "duty": it["purpose"],
        "place": " ".join(part for part in (it["short"], it["point"]) if part),
        "enterprise": it["short"],
        "point": it["point"],
        "reading": short["reading"],
        "due": _due(it),
        "ask": _ask(it),
        "note": _note(it),
    }


def _mode(mark: str) -> str:
    return mark.strip("【】")


def _level(incident: Incident) -> str:
    if incident.kind is Kind.WARNING:
        return f"{incident.level.word if incident.level else '级别不明'}预警"
    word = (incident.level.word if incident.level else "") + (incident.severity.word if incident.severity else "")
    return word or "级别不明"


def _news(it: dict[str, Any], notice: Notice) -> str:
    if notice.kind is NoticeKind.SIGNED and it["deed"] and not it["deed"]["signed"]:
        return str(it["deed"]["done"])
    if notice.kind in (NoticeKind.REQUESTED, NoticeKind.FEEDBACK) and it["deed"]:
        return str(it["deed"]["done"])
    return _NEWS[notice.kind]


def _due(it: dict[str, Any]) -> str:
    if not it["act"] or not it["due"]:
        return ""
    return f"{it['due']}到期未{it['clock']}" if it["overdue"] else f"{it['due']}前{it['clock']}"


def _ask(it: dict[str, Any]) -> str:
    if it["act"]:
        return str(it["ask"])
    return f"由{it['acting'][:10]}处置，无需签收" if it["attend"] else "无需回复"


def _note(it: dict[str, Any]) -> str:
    """What this notice is about beside the alarm: who did what, who let it lapse, whom to phone, what was odd."""
    deed, lapse = it["deed"], it["lapse"]
    if it["phone"]:
        return "请致电" + "、".join(f"{each['name'] or each['post']}{each['number']}" for each in it["phone"])
    if lapse:
        return f"{lapse['tier']}{lapse['brief']}未{lapse['clock']}"
    if it["up"]:
        left = it["up"]["minutes"]
        return f"{f'再过{left}分钟' if left else '即将'}通知{it['up']['whom']}"
    if it["measure"]:
        return f"建议{it['measure']}，由监管人员决定"
    if deed:
        return f"{deed['who']}{deed['at']}{deed['text'] or deed['cause']}"
    before = f"原{it['before']}" if it["before"] else ""
    # A note in plain letters is the hub's own word for a level, a duty or a reason, and none for people.
    said = "" if it["note"].isascii() else it["note"]
    return str(said or before or it["closed"] or "；".join([*it["flags"], *it["reasons"]]))
