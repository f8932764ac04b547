"""The words of the system: one English name and one Chinese word for each thing, in code, TOML, messages and manual.

Levels and severities are named, never numbered: public systems number them in contradicting ways, so numbers are mapped
for each source at the edge.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """The two lifecycles: an alarm is verified at once, a warning is studied and ends cleared or lowered."""

    ALARM = "alarm"
    WARNING = "warning"

    @cached_property
    def letter(self) -> str:
        """The first character of the incident's code: ``A`` or ``W``."""
        return "A" if self is Kind.ALARM else "W"

    @cached_property
    def word(self) -> str:
        return "监测报警" if self is Kind.ALARM else "风险预警"


class Level(StrEnum):
    """The colour of an enterprise's risk, highest first."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"

    @cached_property
    def rank(self) -> int:
        """4 for red down to 1 for blue; for comparison only, never shown or stored."""
        return {"red": 4, "orange": 3, "yellow": 2, "blue": 1}[self.value]

    @cached_property
    def word(self) -> str:
        return {"red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色"}[self.value]

    @cached_property
    def risk_word(self) -> str:
        return {"red": "重大风险", "orange": "较大风险", "yellow": "一般风险", "blue": "低风险"}[self.value]


class Severity(StrEnum):
    """What an alarm of one point means."""

    HIGH_HIGH = "high_high"
    LOW_LOW = "low_low"
    INTERLOCK = "interlock"
    HIGH = "high"
    LOW = "low"
    FAULT = "fault"
    OFFLINE = "offline"

    @cached_property
    def rank(self) -> int:
        """3 for what is critical, 2 for a first limit, 1 for a fault or a lost signal; for comparison only."""
        return {"high_high": 3, "low_low": 3, "interlock": 3, "high": 2, "low": 2, "fault": 1, "offline": 1}[self.value]

    @cached_property
    def word(self) -> str:
        return {
            "high_high": "高高报",
            "low_low": "低低报",
            "interlock": "联锁动作",
            "high": "高报",
            "low": "低报",
            "fault": "故障",
            "offline": "离线",
        }[self.value]


class Urgency(StrEnum):
    """``critical`` is never digested, held, inhibited or delayed by a limit's queue."""

    CRITICAL = "critical"
    NORMAL = "normal"


class Tier(StrEnum):
    """Administrative tiers, from the shop floor upwards."""

    ENTERPRISE = "enterprise"
    TOWN = "town"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"

    @cached_property
    def rank(self) -> int:
        return ("enterprise", "town", "county", "city", "province").index(self.value)

    @cached_property
    def word(self) -> str:
        return {"enterprise": "企业", "town": "镇街", "county": "区县", "city": "市", "province": "省"}[self.value]

    @cached_property
    def above(self) -> Tier | None:
        """The next tier up, or None above the province."""
        tiers = list(Tier)
        return tiers[self.rank + 1] if self.rank + 1 < len(tiers) else None


class Industry(StrEnum):
    STEEL = "steel"
    ALUMINIUM = "aluminium"
    DUST = "dust"
    HAZCHEM = "hazchem"

    @cached_property
    def word(self) -> str:
        return {"steel": "钢铁", "aluminium": "铝加工（深井铸造）", "dust": "粉尘涉爆", "hazchem": "危险化学品"}[
            self.value
        ]


class Mode(StrEnum):
    """CAP's Actual / Exercise / Test: travels with each event from the first line on, and real and unreal never mix."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"

    @cached_property
    def mark(self) -> str:
        """What stands first in every message: nothing, 【演练】 or 【测试】."""
        return {"actual": "", "exercise": "【演练】", "test": "【测试】"}[self.value]


class Role(StrEnum):
    """What a post is for: rules name roles, the directory says which posts have them, the roster who stands there."""

    OPERATOR = "operator"
    SAFETY_OFFICER = "safety_officer"
    EQUIPMENT = "equipment"
    SAFETY_HEAD = "safety_head"
    MAIN_PERSON = "main_person"
    DUTY_ROOM = "duty_room"
    LEADER_ON_DUTY = "leader_on_duty"
    OFFICER = "officer"
    PATROL = "patrol"
    MAINTAINER = "maintainer"

    @cached_property
    def word(self) -> str:
        return {
            "operator": "操作负责人",
            "safety_officer": "安全员",
            "equipment": "设备管理员",
            "safety_head": "安全负责人",
            "main_person": "主要负责人",
            "duty_room": "值班室",
            "leader_on_duty": "带班领导",
            "officer": "监管人员",
            "patrol": "巡查员",
            "maintainer": "系统维护员",
        }[self.value]


class Purpose(StrEnum):
    """What a notice asks of its reader; printed in every message so that nobody has to guess."""

    ACT = "act"
    ATTEND = "attend"
    COPY = "copy"

    @cached_property
    def word(self) -> str:
        return {"act": "须处置", "attend": "请关注", "copy": "抄送知悉"}[self.value]


class ClockKind(StrEnum):
    """The time limits of a duty."""

    SIGN = "sign"
    VERIFY = "verify"
    CLEAR = "clear"
    FEEDBACK = "feedback"

    @cached_property
    def word(self) -> str:
        return {"sign": "签收", "verify": "核查", "clear": "消警", "feedback": "系统反馈"}[self.value]


class Measure(StrEnum):
    """Supervision measures the hub may propose to an officer; only an officer with the post issues one."""

    SITE_CHECK = "site_check"
    SITE_SUPERVISION = "site_supervision"
    CIRCULAR = "circular"
    ENFORCEMENT = "enforcement"

    @cached_property
    def word(self) -> str:
        return {
            "site_check": "现场检查",
            "site_supervision": "现场督办",
            "circular": "警示通报",
            "enforcement": "执法处罚",
        }[self.value]


class Verdict(StrEnum):
    """What intake answers for one event, with the incident's code where there is one."""

    CREATED = "created"
    MERGED = "merged"
    UPDATED = "updated"
    REOPENED = "reopened"
    CLEARED = "cleared"
    DUPLICATE = "duplicate"
    STALE = "stale"
    QUARANTINED = "quarantined"


class Verb(StrEnum):
    """What a person may say by an answer, in any channel."""

    SIGN = "sign"
    VERIFY = "verify"
    DISPOSE = "dispose"
    CLEAR = "clear"
    FALSE_ALARM = "false_alarm"
    TRANSFER = "transfer"
    EXTEND = "extend"
    APPROVE = "approve"
    REFUSE = "refuse"
    UNDO = "undo"
    URGE = "urge"
    PHONED = "phoned"
    FED_BACK = "fed_back"
    QUERY = "query"
    TODO = "todo"
    WHY = "why"
    HELP = "help"
    MAINTAIN = "maintain"
    DUTY = "duty"
    SWAP = "swap"
    HANDOVER = "handover"
    CHECKIN = "checkin"
    CLEANING = "cleaning"
    HAZARD = "hazard"
    FILED = "filed"
    PATROL = "patrol"

    @cached_property
    def word(self) -> str:
        return _VERB_WORDS[self.value]

    @cached_property
    def asks(self) -> bool:
        """True for what only wants to be told something."""
        return self in (Verb.QUERY, Verb.TODO, Verb.WHY, Verb.HELP)

    @cached_property
    def later(self) -> bool:
        """True for what is read and cannot be done by an answer yet."""
        return list(Verb).index(self) >= list(Verb).index(Verb.MAINTAIN)

    @cached_property
    def acts(self) -> bool:
        """True for what may change something."""
        return not self.asks and not self.later


_VERB_WORDS = {
    "sign": "签收",
    "verify": "核查",
    "dispose": "处置",
    "clear": "消警",
    "false_alarm": "误报",
    "transfer": "转派",
    "extend": "延期",
    "approve": "批准",
    "refuse": "不批准",
    "undo": "撤回",
    "urge": "催办",
    "phoned": "电话已通知",
    "fed_back": "已系统反馈",
    "query": "查询",
    "todo": "待办",
    "why": "为什么",
    "help": "帮助",
    "maintain": "报备",
    "duty": "值班",
    "swap": "换班",
    "handover": "交接班",
    "checkin": "查岗应答",
    "cleaning": "清扫打卡",
    "hazard": "隐患上报",
    "filed": "已报送",
    "patrol": "巡查",
}
