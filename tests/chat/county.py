"""Town, county and city, one enterprise with a neighbour, and people who answer by SMS."""

from __future__ import annotations

from escalation.directory import ContactEntry, Directory, Enterprise, Person, Point, Post, Unit
from escalation.profile import Profile
from escalation.vocabulary import Industry, Role, Tier

MILL = "91000000DEM0000019"
SMELTER = "91000000DEM000002C"

ZHAO, QIAN, SUN, LI = "13800130001", "13800130002", "13800130003", "13800130004"
TOWN_ROOM, COUNTY_ROOM, CITY_ROOM, COUNTY_LEADER = "13900130001", "13900130002", "13900130003", "13900130004"
TOWN_OFFICER = "13900130005"
STRANGER = "13800130099"


def _sms(number: str) -> tuple[ContactEntry, ...]:
    return (ContactEntry(channel="sms", address=number),)


UNITS = (
    Unit(id="city", name="示例市应急局", tier=Tier.CITY),
    Unit(id="county", name="示例县应急局", tier=Tier.COUNTY, parent="city"),
    Unit(id="town", name="石桥镇", tier=Tier.TOWN, parent="county"),
)

PEOPLE = (
    Person(id="zhao", name="赵一", contacts=_sms(ZHAO)),
    Person(id="qian", name="钱二", contacts=_sms(QIAN)),
    Person(id="sun", name="孙三", contacts=_sms(SUN)),
    Person(id="li", name="李四", contacts=_sms(LI)),
    Person(id="chu", name="褚东", contacts=_sms(TOWN_OFFICER)),
    Person(id="han", name="韩中", contacts=_sms(COUNTY_LEADER)),
)

ENTERPRISES = (
    Enterprise(
        uscc=MILL,
        name="示例木业有限公司",
        industry=Industry.DUST,
        unit="town",
        points=(
            Point(code="T01", name="1号除尘器灰斗温度", unit="℃"),
            Point(code="T02", name="2号除尘器灰斗温度", unit="℃"),
            Point(code="T03", name="3号除尘器灰斗温度", unit="℃"),
        ),
    ),
    Enterprise(
        uscc=SMELTER,
        name="示例铝业有限公司",
        industry=Industry.ALUMINIUM,
        unit="town",
        points=(Point(code="L01", name="冷却水流量"),),
    ),
)

POSTS = (
    Post(unit=MILL, role=Role.OPERATOR, people=("zhao",)),
    Post(unit=MILL, role=Role.SAFETY_OFFICER, people=("qian",)),
    Post(unit=MILL, role=Role.EQUIPMENT, people=("li",)),
    Post(unit=SMELTER, role=Role.OPERATOR, people=("sun",)),
    Post(unit="town", role=Role.DUTY_ROOM, contacts=_sms(TOWN_ROOM)),
    Post(unit="town", role=Role.OFFICER, people=("chu",)),
    Post(unit="county", role=Role.DUTY_ROOM, contacts=_sms(COUNTY_ROOM)),
    Post(unit="county", role=Role.LEADER_ON_DUTY, people=("han",)),
    Post(unit="city", role=Role.DUTY_ROOM, contacts=_sms(CITY_ROOM)),
)

PROFILE = Profile.model_validate(
    {
        "name": "测试规则",
        "basis": "测试",
        "sample": True,
        "rules": [
            {
                "name": "紧急报警",
                "kind": "alarm",
                "severities": ["high_high"],
                "duties": [
                    {
                        "tier": "enterprise",
                        "roles": ["operator", "safety_officer"],
                        "clocks": [
                            {"clock": "sign", "limit": "5m", "ladder": [{"after": "5m", "do": "next_duty_room"}]},
                            {"clock": "verify", "limit": "30m", "extend": "1h"},
                        ],
                    }
                ],
                "informed": [{"tier": "town", "roles": ["duty_room", "officer"]}],
            }
        ],
    }
)


def county() -> Directory:
    return Directory(units=UNITS, enterprises=ENTERPRISES, posts=POSTS, people=PEOPLE, fallback_unit="county")
