"""Who was, or would be, told: one line a notice, in words for people and in fields for programs."""

from __future__ import annotations

import msgspec

from escalation.calendar import local
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.inputs import Entry
from escalation.notice import Notice
from escalation.vocabulary import Role, Tier

KIND_WORDS = {
    "raised": "首次通知",
    "rose": "级别上升",
    "reopened": "再次报警",
    "lowered": "级别下降",
    "returned": "数值恢复",
    "remind": "催办",
    "announce": "升级预告",
    "escalated": "升级",
    "signed": "签收知会",
    "requested": "申请待确认",
    "transferred": "转派",
    "urged": "上级催办",
    "progress": "办理进展",
    "closed": "关闭",
    "phone_task": "人工电话",
    "proposal": "督办建议",
    "quarantine": "异常待查",
    "answer": "答复",
    "feedback": "回传上游",
    "official": "系统反馈文本",
    "card": "更新卡片",
}


class Reader(msgspec.Struct, kw_only=True):
    """Somebody else who hears by the same send."""

    tier: str
    unit: str
    unit_name: str
    post: str
    person: str
    name: str

    @property
    def who(self) -> str:
        post = f"{self.unit_name}{self.post}"
        return post if self.name in ("", post) else f"{post} {self.name}"


class Told(msgspec.Struct, kw_only=True):
    """One notice. ``at`` is RFC 3339, ``minute`` counts from the incident's opening; ``why`` is the named reason.
    ``also`` are the others who hear by this same send, since they share the robot, the number or the mailbox."""

    at: str
    minute: int
    incident: str
    kind: str
    kind_word: str
    purpose: str
    purpose_word: str
    tier: str
    unit: str
    unit_name: str
    post: str
    person: str
    name: str
    channel: str
    why: str
    sent: bool = True
    also: list[Reader] = []

    def line(self) -> str:
        """For a terminal."""
        mark = "" if self.sent else "（未发送）"
        post = f"{self.unit_name}{self.post}"
        who = post if self.name in ("", post) else f"{post} {self.name}"
        what = f"{self.kind_word:　<4} {self.purpose_word}"
        others = f"（同一条：{'、'.join(each.who for each in self.also)}）" if self.also else ""
        # Of an episode before the last one: how long ago that began says nothing.
        since = f"+{self.minute:>5} 分" if self.minute >= 0 else "（前一次）"
        return f"{self.at[11:16]} {since}  {what}  {who}{others}  {self.channel}{mark}"


def told(incident: Incident, notice: Notice, directory: Directory, at: int, why: str) -> Told:
    """The line of one notice of an incident, told at ``at`` (milliseconds)."""
    return told_of(
        incident_code=incident.code,
        opened_at=incident.opened_at,
        kind=notice.kind.value,
        purpose=(notice.purpose.value, notice.purpose.word),
        tier=notice.to.tier,
        unit=notice.to.unit,
        role=notice.to.role,
        person=notice.to.person,
        name=notice.to.name,
        channel=notice.contact.channel,
        directory=directory,
        at=at,
        why=why,
        sent=not incident.plan.trial,
    )


def reader_of(entry: Entry, directory: Directory) -> Reader:
    """Whom a journal's row about a shared send is about."""
    unit, role, person = entry.actor.split("/", 2)
    known = directory.people.get(person)
    return Reader(
        tier=str(entry.detail.get("tier", "")),
        unit=unit,
        unit_name=directory.unit_name(unit),
        post=Role(role).word,
        person=person,
        name=known.name if known is not None else "",
    )


def told_of(
    *,
    incident_code: str,
    opened_at: int,
    kind: str,
    purpose: tuple[str, str],
    tier: Tier,
    unit: str,
    role: Role,
    person: str,
    name: str,
    channel: str,
    directory: Directory,
    at: int,
    why: str,
    sent: bool,
) -> Told:
    """The line from its parts, for notices that are known from the journal only."""
    return Told(
        at=local(at).isoformat(timespec="seconds"),
        minute=(at - opened_at) // 60_000,
        incident=incident_code,
        kind=kind,
        kind_word=KIND_WORDS.get(kind, kind),
        purpose=purpose[0],
        purpose_word=purpose[1],
        tier=tier.value,
        unit=unit,
        unit_name=directory.unit_name(unit),
        post=role.word,
        person=person,
        name=name,
        channel=channel,
        why=why,
        sent=sent,
    )
