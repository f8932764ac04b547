"""A small invented county for the message tests: its people, its incidents, and the channels they are reached by."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from channels.channel import Abilities, Form
from escalation.deed import Deed
from escalation.directory import ContactEntry, Directory, Enterprise, Person, Point, Post, Unit
from escalation.incident import Clock, ClockState, Duty, Incident, Plan, Step, StepAction
from escalation.notice import Addressee, Contact, Notice, NoticeKind
from escalation.vocabulary import (
    ClockKind,
    Industry,
    Kind,
    Level,
    Measure,
    Purpose,
    Role,
    Severity,
    Tier,
    Urgency,
    Verb,
)

MINUTE = 60_000
WOOD = "91000000DEM0000019"


def at(text: str) -> int:
    """Milliseconds of a local time written ``2026-11-22 02:12``."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * 1000


NOW = at("2026-11-22 02:13")

SMS = Abilities(kind="kannel", word="短信", form=Form.SMS, max_chars=500, first_chars=60, personal=True, replies=True)
GROUP = Abilities(kind="wecom_robot", word="企业微信群", form=Form.MARKDOWN, max_bytes=4096)
APP = Abilities(
    kind="wecom_app", word="企业微信应用", form=Form.TEXT, max_bytes=2048, personal=True, links=True, replies=True
)
MAIL = Abilities(kind="mail", word="邮件", form=Form.MAIL, personal=True, links=True)
CALL = Abilities(kind="voice", word="语音电话", form=Form.VOICE, personal=True, voice=True, digest=False, key="1")
WEBHOOK = Abilities(kind="webhook", word="对外通知接口", form=Form.JSON, max_bytes=20_000)
KINDS: tuple[NoticeKind, ...] = tuple(each for each in NoticeKind if each is not NoticeKind.CARD)
"""Every kind that is a message of its own: a card's change is none."""
CHANNELS = {"sms": SMS, "group": GROUP, "app": APP, "mail": MAIL, "webhook": WEBHOOK}

DIRECTORY = Directory(
    units=[
        Unit(id="shili-city", name="示例市应急管理局", short="示例市局", tier=Tier.CITY),
        Unit(id="shili-county", name="示例县应急管理局", short="示例县局", tier=Tier.COUNTY, parent="shili-city"),
        Unit(id="qingshi", name="青石镇人民政府", short="青石镇", tier=Tier.TOWN, parent="shili-county"),
    ],
    enterprises=[
        Enterprise(
            uscc=WOOD,
            name="示例木业有限公司",
            industry=Industry.DUST,
            unit="qingshi",
            points=(Point(code="DC01-T01", name="1号除尘器灰斗温度"),),
        )
    ],
    posts=[
        Post(unit=WOOD, role=Role.SAFETY_OFFICER, people=("zhang",)),
        Post(unit=WOOD, role=Role.MAIN_PERSON, people=("zhao",)),
        Post(unit="qingshi", role=Role.DUTY_ROOM, contacts=(ContactEntry(channel="group"),)),
    ],
    people=[
        Person(id="zhang", name="张安", contacts=(ContactEntry(channel="sms", address="13800130001"),)),
        Person(id="zhao", name="赵负", contacts=(ContactEntry(channel="sms", address="13900130002"),)),
    ],
    fallback_unit="shili-county",
)


def clock(kind: ClockKind = ClockKind.SIGN, *, due: int = NOW + 4 * MINUTE, **more: Any) -> Clock:
    up = Step(at=NOW + 10 * MINUTE, action=StepAction.NEXT_DUTY_ROOM, tier=Tier.TOWN)
    return Clock(**{"kind": kind, "started_at": NOW - MINUTE, "due_at": due, "steps": [up], **more})


def duty(*clocks: Clock, **more: Any) -> Duty:
    fields: dict[str, Any] = {
        "id": "d1",
        "tier": Tier.ENTERPRISE,
        "unit": WOOD,
        "roles": (Role.SAFETY_OFFICER,),
        "opened_at": NOW - MINUTE,
        "clocks": list(clocks or (clock(),)),
    }
    return Duty(**(fields | more))


def incident(**more: Any) -> Incident:
    """A first-limit alarm of a hopper's temperature, a minute old."""
    fields: dict[str, Any] = {
        "code": "A0231",
        "kind": Kind.ALARM,
        "correlation": "actual\x1fx",
        "partition": 0,
        "enterprise": WOOD,
        "enterprise_name": "示例木业有限公司",
        "industry": Industry.DUST,
        "point": "DC01-T01",
        "point_name": "1号除尘器灰斗温度",
        "equipment": "1号干式除尘器",
        "severity": Severity.HIGH_HIGH,
        "value": 86.4,
        "limit": 80.0,
        "unit": "℃",
        "urgency": Urgency.CRITICAL,
        "opened_at": NOW - MINUTE,
        "occurred_at": NOW - 2 * MINUTE,
        "last_at": NOW - 2 * MINUTE,
        "raised_at": NOW - 2 * MINUTE,
        "plan": Plan(
            profile="示例规则，非官方时限",
            rule="高高报",
            basis="示例，无文号",
            duties=(),
            units={Tier.ENTERPRISE: WOOD, Tier.TOWN: "qingshi", Tier.COUNTY: "shili-county"},
        ),
        "duties": [duty()],
    }
    return Incident(**(fields | more))


def warning(**more: Any) -> Incident:
    """An orange warning whose county duty runs."""
    fields: dict[str, Any] = {
        "code": "W0045",
        "kind": Kind.WARNING,
        "point": "",
        "point_name": "",
        "equipment": "",
        "severity": None,
        "level": Level.ORANGE,
        "value": None,
        "limit": None,
        "unit": "",
        "urgency": Urgency.NORMAL,
        "reasons": ("高高报未处置", "粉尘清扫未打卡"),
        "duties": [duty(clock(due=NOW + 30 * MINUTE), tier=Tier.COUNTY, unit="shili-county")],
    }
    return incident(**(fields | more))


def deed(verb: Verb = Verb.SIGN, **more: Any) -> Deed:
    fields: dict[str, Any] = {
        "verb": verb,
        "person": "zhang",
        "name": "张安",
        "unit": WOOD,
        "tier": Tier.ENTERPRISE,
        "role": Role.SAFETY_OFFICER,
        "at": NOW - MINUTE // 2,
        "channel": "sms",
    }
    return Deed(**(fields | more))


def notice(kind: NoticeKind = NoticeKind.RAISED, purpose: Purpose = Purpose.ACT, **more: Any) -> Notice:
    fields: dict[str, Any] = {
        "id": f"A0231.1.s1-{kind}.abcdef",
        "kind": kind,
        "purpose": purpose,
        "stage": f"s1-{kind}",
        "to": Addressee(unit=WOOD, tier=Tier.ENTERPRISE, role=Role.SAFETY_OFFICER, person="zhang", name="张安"),
        "contact": Contact(channel="sms", address="13800130001"),
        "created_at": NOW,
        "duty": "d1",
    }
    return Notice(**(fields | more))


TOWN_ROOM = Addressee(unit="qingshi", tier=Tier.TOWN, role=Role.DUTY_ROOM)


SAID = {
    NoticeKind.TRANSFERRED: (Purpose.ACT, "李四转派：探头在您班组"),
    NoticeKind.URGED: (Purpose.ACT, "青石镇值班室第2次催办"),
    NoticeKind.QUARANTINE: (Purpose.ATTEND, "张安无法送达（sms）"),
    NoticeKind.ANSWER: (Purpose.ACT, "A0231 已签收，请在04:12前核查"),
    NoticeKind.PROGRESS: (Purpose.ATTEND, "李管批准延期2小时，消警时限改为06:12"),
}
"""Kinds whose note says it all."""


def _said(kind: NoticeKind, late: Duty) -> tuple[Incident, Notice]:
    purpose, note = SAID[kind]
    return incident(duties=[late if kind is NoticeKind.URGED else duty()]), notice(kind, purpose, note=note)


def scene(kind: NoticeKind) -> tuple[Incident, Notice]:
    """The incident and notice as they are when a notice of this kind is due."""
    late = clock(due=NOW - MINUTE, lapsed_at=NOW - MINUTE)
    late_duty = duty(late)
    if kind in SAID:
        return _said(kind, late_duty)
    match kind:
        case NoticeKind.REMIND | NoticeKind.ANNOUNCE:
            return incident(duties=[late_duty]), notice(kind)
        case NoticeKind.ESCALATED:
            town = duty(clock(due=NOW + 5 * MINUTE, steps=[]), id="d2", tier=Tier.TOWN, unit="qingshi")
            return incident(duties=[late_duty, town]), notice(kind, to=TOWN_ROOM, duty="d2", note="d1")
        case NoticeKind.PHONE_TASK:
            return incident(duties=[late_duty]), notice(kind, to=TOWN_ROOM, note="张安、赵负")
        case NoticeKind.PROPOSAL:
            officer = Addressee(unit="qingshi", tier=Tier.TOWN, role=Role.OFFICER, person="li", name="李管")
            return incident(), notice(kind, Purpose.ATTEND, to=officer, measure=Measure.SITE_SUPERVISION)
        case NoticeKind.SIGNED | NoticeKind.FEEDBACK:
            signed = duty(clock(state=ClockState.MET, met_at=NOW), signed=deed())
            told = notice(kind, Purpose.COPY, deed=deed(), note="sign" if kind is NoticeKind.FEEDBACK else "")
            return incident(duties=[signed], deeds=[deed()]), told
        case NoticeKind.OFFICIAL:
            limit = clock(kind=ClockKind.FEEDBACK, due=NOW + 60 * MINUTE, steps=[])
            verified = deed(Verb.VERIFY, text="现场核实为温度探头故障", cause="传感器故障")
            disposed = deed(Verb.DISPOSE, text="已更换探头，温度显示正常", at=NOW)
            mine = duty(limit, signed=deed(), verified=verified, disposed=disposed)
            told = notice(kind, clock=ClockKind.FEEDBACK)
            return incident(duties=[mine], deeds=[deed(), verified, disposed]), told
        case NoticeKind.REQUESTED:
            asked = deed(Verb.CLEAR, text="灰斗已清空，温度正常", cause="工艺波动")
            return incident(deeds=[deed(), asked]), notice(kind, Purpose.ATTEND, to=TOWN_ROOM)
        case NoticeKind.RETURNED:
            return incident(active=False, cleared_at=NOW), notice(kind, Purpose.ATTEND)
        case NoticeKind.CLOSED:
            return incident(closed_at=NOW, closed_reason="cleared_and_signed"), notice(kind, Purpose.COPY)
        case NoticeKind.LOWERED:
            closed = duty(closed_at=NOW, tier=Tier.COUNTY, unit="shili-county")
            county = Addressee(unit="shili-county", tier=Tier.COUNTY, role=Role.DUTY_ROOM)
            told = notice(kind, Purpose.ATTEND, to=county, duty="", note="orange")
            town = duty(id="d2", tier=Tier.TOWN, unit="qingshi")
            return warning(level=Level.YELLOW, duties=[closed, town]), told
        case NoticeKind.ROSE:
            return incident(), notice(kind, note="high")
        case _:
            return incident(), notice(kind)
