"""How units, posts and persons are named in messages."""

from __future__ import annotations

import re

from bot.rendering import shorten
from bot.rendering.neutral import visible
from escalation.directory import ContactEntry, Directory
from escalation.incident import Duty, Incident
from escalation.notice import Notice
from escalation.vocabulary import Role

_MOST_TO_PHONE = 6
_NUMBER = re.compile(r"\+?\d[\d -]{5,18}\d", re.ASCII)


def unit(directory: Directory, unit_id: str) -> str:
    """The short name of a unit or enterprise: its configured short name, else the distinctive part of its name."""
    if unit_id in directory.units:
        known = directory.units[unit_id]
        return known.short or known.name
    if unit_id in directory.enterprises:
        enterprise = directory.enterprises[unit_id]
        return enterprise.short or shorten.enterprise(enterprise.name)
    return unit_id


def post(directory: Directory, unit_id: str, role: Role) -> str:
    """青石镇值班室, 示例木业安全员."""
    return f"{unit(directory, unit_id)}{role.word}"


def enterprise(directory: Directory, incident: Incident) -> tuple[str, str]:
    """The full and the short name of the incident's enterprise; the code where no name is known."""
    known = directory.enterprises.get(incident.enterprise)
    full = visible(incident.enterprise_name) or (known.name if known else "") or visible(incident.enterprise)
    # The last characters of a code tell enterprises apart; its first ones are the region.
    unnamed = f"未登记企业{full[-6:]}" if full and full == visible(incident.enterprise) else ""
    full = full or "未登记企业"
    short = visible(incident.short_name) or (known.short if known else "") or unnamed or shorten.enterprise(full)
    return full, short


def place(incident: Incident) -> str:
    """The name of the point; for a lost signal of a whole enterprise what was lost; '' for a warning."""
    named = visible(incident.point_name)
    return named or {"data": "监测数据", "video": "视频监控"}.get(incident.point) or visible(incident.point)


def number_of(contacts: tuple[ContactEntry, ...]) -> str:
    """The first address that is a phone number, or ''."""
    return next((entry.address for entry in contacts if _NUMBER.fullmatch(entry.address)), "")


def mentioned(directory: Directory, notice: Notice) -> tuple[str, ...]:
    """The phone numbers by which a group robot calls the notice's reader by name."""
    person = directory.people.get(notice.to.person)
    number = number_of(person.contacts) if person else ""
    return (number,) if number else ()


def to_phone(directory: Directory, incident: Incident, notice: Notice) -> list[tuple[str, str, str]]:
    """Whom a 人工电话 task asks to phone, each as (name, post, number), post and number '' where unknown.

    ``notice.note`` has the names, with 、 between them; without one it is the first person of each of the duty's
    posts. Posts and numbers are looked up among the duty's own people and the point's.
    """
    duty = next((duty for duty in incident.duties if duty.id == notice.duty), None)
    standing = _standing(directory, incident, duty) if duty else []
    names = [name for name in notice.note.split("、") if name][:_MOST_TO_PHONE]
    if names:
        known = {name: (where, number) for name, where, number in reversed(standing)}
        return [(name, *known.get(name, ("", ""))) for name in names]
    where = unit(directory, duty.unit) if duty else ""
    return standing[:1] or [("", where or enterprise(directory, incident)[1], "")]


def _standing(directory: Directory, incident: Incident, duty: Duty) -> list[tuple[str, str, str]]:
    """The people of a duty: of its roles first, then of the unit's other posts, then the point's own."""
    posts = sorted(
        (found for found in directory.posts if found.unit == duty.unit), key=lambda found: found.role not in duty.roles
    )
    rows = [
        (person, post(directory, found.unit, found.role))
        for found in posts
        for person in (*found.people, *(person for shift in found.roster for person in shift.people))
    ]
    point = directory.point(incident.enterprise, incident.point)
    if point and duty.unit == incident.enterprise:
        rows += [(person, f"{place(incident)}责任人") for person in point.responsible]
    rooms = [
        (f"{directory.unit_name(found.unit)}{found.role.word}", "", number_of(found.contacts))
        for found in posts
        if number_of(found.contacts)
    ]
    known = [(directory.people[person], where) for person, where in rows if person in directory.people]
    return [*((person.name, where, number_of(person.contacts)) for person, where in known), *rooms]


def why(directory: Directory, incident: Incident, notice: Notice, acting: str) -> str:
    """The line 为什么收到: the reader's post, the rule, and whose the work is."""
    where = f"您在“{post(directory, notice.to.unit, notice.to.role)}”岗位"
    rule = f"按规则“{incident.plan.rule}”"
    match notice.purpose.value:
        case "act":
            own = any(duty.unit == notice.to.unit for duty in incident.duties)
            return f"{where}；{rule}，{'本警情由您所在单位处置' if own else '责任单位逾期，转由您督促处置'}。"
        case "attend":
            return f"{where}；{rule}，请您关注进展，由{acting}处置。"
        case _:
            return f"{where}；{rule}，本消息抄送您知悉，由{acting}处置。"
