"""A small invented county: one line from an enterprise to the province, with posts, rosters and people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from escalation.calendar import ZONE
from escalation.directory import (
    ContactEntry,
    Directory,
    Enterprise,
    Limits,
    MajorHazard,
    Person,
    Point,
    Post,
    Shift,
    Unit,
)
from escalation.vocabulary import Industry, Role, Tier

FACTORY = "91000000DEM0000019"
NEXT_DOOR = "91000000DEM000002C"
NAMES = {
    "zhao": "赵一",
    "qian": "钱二",
    "sun": "孙三",
    "li": "李四",
    "zhou": "周五",
    "wu": "吴六",
    "zheng": "郑七",
    "wang": "王元",
    "feng": "冯九",
    "chen": "陈十",
    "chu": "褚东",
    "wei": "卫南",
    "jiang": "蒋西",
    "shen": "沈北",
    "han": "韩中",
    "yang": "杨春",
    "zhu": "朱夏",
    "qin": "秦秋",
    "you": "尤冬",
}


def at(text: str) -> int:
    """``2026-11-21 02:00`` in Asia/Shanghai, in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


def sms(number: int) -> tuple[ContactEntry, ...]:
    return (ContactEntry(channel="sms", address=f"138001300{number:02}"),)


def robot(name: str) -> tuple[ContactEntry, ...]:
    return (ContactEntry(channel=name),)


UNITS = (
    Unit(id="province", name="示例省应急厅", tier=Tier.PROVINCE),
    Unit(id="city", name="示例市应急局", tier=Tier.CITY, parent="province"),
    Unit(id="county", name="示例县应急局", tier=Tier.COUNTY, parent="city"),
    Unit(id="town", name="石桥镇", tier=Tier.TOWN, parent="county"),
)

PEOPLE = tuple(Person(id=key, name=name, contacts=sms(i)) for i, (key, name) in enumerate(NAMES.items()))

ENTERPRISES = (
    Enterprise(
        uscc=FACTORY,
        name="示例木业有限公司",
        industry=Industry.DUST,
        unit="town",
        points=(
            Point(code="T01", name="1号除尘器灰斗温度"),
            Point(code="T02", name="2号除尘器灰斗温度", responsible=("you",), limits=Limits(sign=2, verify=600)),
            Point(code="G01", name="罐区可燃气体"),
        ),
        hazards=(
            MajorHazard(
                code="H1",
                name="甲醇罐区",
                main_person="han",
                technical_person="yang",
                operational_person="zhu",
                points=("G01",),
            ),
        ),
    ),
    Enterprise(uscc=NEXT_DOOR, name="示例铝业有限公司", industry=Industry.ALUMINIUM, unit="county", trial=True),
)

TOWN_ROSTER = (
    Shift(people=("feng",), days=(1, 2, 3, 4, 5), start="08:30", end="17:30"),
    Shift(people=("chen",), days=(1, 2, 3, 4, 5), start="17:30", end="08:30"),
    Shift(people=("feng",), days=(6, 7), start="08:30", end="08:30"),
    Shift(people=("qin",), date="2026-10-01", start="08:30", end="08:30"),
)

POSTS = (
    Post(unit=FACTORY, role=Role.OPERATOR, people=("zhao", "qian")),
    Post(unit=FACTORY, role=Role.SAFETY_OFFICER, people=("sun", "zhao")),
    Post(unit=FACTORY, role=Role.EQUIPMENT, people=("li",)),
    Post(unit=FACTORY, role=Role.SAFETY_HEAD, people=("zhou",)),
    Post(unit=FACTORY, role=Role.MAIN_PERSON, people=("wu",)),
    Post(
        unit=FACTORY,
        role=Role.DUTY_ROOM,
        contacts=robot("factory-robot"),
        roster=(
            Shift(people=("zheng",), start="08:00", end="20:00"),
            Shift(people=("wang",), start="20:00", end="08:00"),
        ),
    ),
    Post(unit="town", role=Role.DUTY_ROOM, contacts=robot("town-robot"), roster=TOWN_ROSTER),
    Post(unit="town", role=Role.OFFICER, people=("chu", "wei")),
    Post(unit="town", role=Role.LEADER_ON_DUTY, people=("jiang",)),
    Post(unit="county", role=Role.DUTY_ROOM, contacts=robot("county-robot")),
    Post(unit="county", role=Role.OFFICER, people=("shen",)),
    Post(unit="county", role=Role.LEADER_ON_DUTY, people=("han",)),
    Post(unit="city", role=Role.DUTY_ROOM, contacts=robot("city-robot")),
    Post(unit="city", role=Role.LEADER_ON_DUTY, people=("yang",)),
    Post(unit="province", role=Role.DUTY_ROOM, contacts=robot("province-robot")),
    Post(unit="county", role=Role.MAINTAINER, people=("zhu",)),
)


def county(
    *,
    posts: tuple[Post, ...] = POSTS,
    units: tuple[Unit, ...] = UNITS,
    enterprises: tuple[Enterprise, ...] = ENTERPRISES,
    people: tuple[Person, ...] = PEOPLE,
    fallback_unit: str = "county",
    groups: Mapping[str, frozenset[str]] | None = None,
    spoken: tuple[str, ...] = (),
) -> Directory:
    """The county, or a variant of it."""
    return Directory(
        units=units,
        enterprises=enterprises,
        posts=posts,
        people=people,
        fallback_unit=fallback_unit,
        groups=groups,
        spoken=spoken,
    )


def without(*roles: tuple[str, Role]) -> Directory:
    """The county with some posts (unit, role) left unfilled."""
    return county(posts=tuple(post for post in POSTS if (post.unit, post.role) not in roles))
