"""What ``fenghuo check`` warns of: a channel whose limits leave no room for what a message must say."""

from __future__ import annotations

from collections.abc import Iterable

from bot.rendering.rendered import cut
from bot.rendering.renderer import Renderer, fixed
from channels.channel import Abilities, Form
from escalation.directory import Directory, Unit
from escalation.incident import Clock, Duty, Incident, Plan
from escalation.notice import Addressee, Contact, Notice, NoticeKind
from escalation.vocabulary import ClockKind, Kind, Level, Mode, Purpose, Role, Severity, Tier, Urgency

_NOW = 1_800_000_000_000
_UNIT = "demo"
_ENTERPRISE = "91000000DEM0000019"
_WORDS = {
    "zh": "渠道“{word}”：{first}放不下模板“{kind}”的必要内容，{what}",
    "en": "channel {word!r}: template {kind!r} does not fit {first}; {what}",
}
_WHAT = {
    "zh": ("将改用更长的短信（多条计费）", "只能发出编号和级别"),
    "en": ("a longer message (several parts) will be sent", "only code and level will be sent"),
}


def warnings_for(abilities_list: Iterable[Abilities], language: str = "zh") -> list[str]:
    """One sentence (``zh`` or ``en``) for each channel and template whose limit is too small for a demanding but
    ordinary notice: long names, an exercise, a deadline that is not today."""
    renderer = Renderer(_directory)
    return [
        sentence
        for abilities in abilities_list
        for kind in NoticeKind
        if kind is not NoticeKind.CARD
        if (sentence := _warning(renderer, abilities, kind, language))
    ]


def _warning(renderer: Renderer, abilities: Abilities, kind: NoticeKind, language: str) -> str:
    incident, notice = _demanding(kind)
    made = renderer.render(incident, notice, abilities, _NOW)
    if made.complete:
        return ""
    bare = made.text == cut(fixed(incident, notice), abilities)
    if abilities.form is Form.SMS and not bare:
        first = (
            f"首条 {abilities.first_chars} 字" if language == "zh" else f"its first {abilities.first_chars} characters"
        )
    elif language == "zh":
        first = f"上限（{abilities.max_chars or '不限'} 字，{abilities.max_bytes or '不限'} 字节）"
    else:
        first = f"its limit ({abilities.max_chars or 'any'} characters, {abilities.max_bytes or 'any'} bytes)"
    return _WORDS[language].format(word=abilities.word, first=first, kind=kind.value, what=_WHAT[language][bare])


def _directory() -> Directory:
    unit = Unit(id=_UNIT, name="示例县应急管理局", tier=Tier.COUNTY)
    return Directory(units=[unit], enterprises=[], posts=[], people=[], fallback_unit=_UNIT)


def _demanding(kind: NoticeKind) -> tuple[Incident, Notice]:
    clock = Clock(kind=ClockKind.SIGN, started_at=_NOW - 1, due_at=_NOW + 3 * 86_400_000, steps=[])
    incident = Incident(
        code="A12345",
        kind=Kind.ALARM,
        correlation="",
        partition=0,
        enterprise=_ENTERPRISE,
        enterprise_name="示例省示例市示例精密金属制品制造有限责任公司",
        point="P-101",
        point_name="2号干式除尘器灰斗内部上层温度",
        severity=Severity.INTERLOCK,
        level=Level.RED,
        value=-1234.5,
        limit=-1200.0,
        unit="mg/m³",
        mode=Mode.EXERCISE,
        urgency=Urgency.CRITICAL,
        opened_at=_NOW,
        occurred_at=_NOW,
        last_at=_NOW,
        raised_at=_NOW,
        plan=Plan(profile="示例规则", rule="示例", basis="示例", duties=()),
        duties=[
            Duty(
                id="d1",
                tier=Tier.ENTERPRISE,
                unit=_ENTERPRISE,
                roles=(Role.OPERATOR,),
                opened_at=_NOW,
                clocks=[clock],
            )
        ],
    )
    notice = Notice(
        id="check",
        kind=kind,
        purpose=Purpose.ACT,
        stage="check",
        to=Addressee(unit=_UNIT, tier=Tier.COUNTY, role=Role.DUTY_ROOM),
        contact=Contact(channel="check"),
        created_at=_NOW,
        duty="d1",
        note="示例说明" if kind in (NoticeKind.ANSWER, NoticeKind.QUARANTINE) else "",
    )
    return incident, notice
