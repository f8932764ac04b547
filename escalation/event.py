"""What came in: one event from an upstream system, after its door has read it.

The envelope is CloudEvents 1.0; ``type`` is unprefixed. An event's identity is (source, id). Reading the JSON, checking
signatures and mapping vendor codes happen at the edge; here stands only what the rules need. All times are milliseconds
since the epoch.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from escalation.vocabulary import Industry, Kind, Level, Mode, Severity


class EventType(StrEnum):
    """The kinds of event the first story knows."""

    ALARM_RAISED = "alarm.raised"
    ALARM_REPEATED = "alarm.repeated"
    ALARM_CLEARED = "alarm.cleared"
    WARNING_ISSUED = "warning.issued"
    WARNING_UPGRADED = "warning.upgraded"
    WARNING_DOWNGRADED = "warning.downgraded"
    WARNING_CLEARED = "warning.cleared"
    WARNING_CANCELLED = "warning.cancelled"
    DATA_OFFLINE = "data.offline"
    DATA_RESTORED = "data.restored"
    VIDEO_OFFLINE = "video.offline"
    VIDEO_RESTORED = "video.restored"

    @property
    def raises(self) -> bool:
        """True when the event says that something is, or still is, wrong."""
        return self in _RAISES

    @property
    def word(self) -> str:
        return _WORDS[self.value]

    @property
    def kind(self) -> Kind:
        return Kind.WARNING if self.startswith("warning.") else Kind.ALARM


_WORDS = {
    "alarm.raised": "监测报警",
    "alarm.repeated": "监测报警重复",
    "alarm.cleared": "监测报警恢复",
    "warning.issued": "风险预警",
    "warning.upgraded": "风险预警升级",
    "warning.downgraded": "风险预警降级",
    "warning.cleared": "风险预警解除",
    "warning.cancelled": "风险预警撤销",
    "data.offline": "数据中断",
    "data.restored": "数据恢复",
    "video.offline": "视频中断",
    "video.restored": "视频恢复",
}
_RAISES = frozenset(
    {
        EventType.ALARM_RAISED,
        EventType.ALARM_REPEATED,
        EventType.WARNING_ISSUED,
        EventType.WARNING_UPGRADED,
        EventType.WARNING_DOWNGRADED,
        EventType.DATA_OFFLINE,
        EventType.VIDEO_OFFLINE,
    }
)


class Flag(StrEnum):
    """What was odd about an event; told with it, never a reason to drop it."""

    CLOCK_SKEWED = "clock_skewed"
    LATE = "late"
    NO_TIME_ZONE = "no_time_zone"
    UNKNOWN_ENTERPRISE = "unknown_enterprise"
    UNKNOWN_POINT = "unknown_point"
    UNKNOWN_LEVEL = "unknown_level"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_READING = "unknown_reading"
    CLEARED_BEFORE_RAISE = "cleared_before_raise"

    @property
    def word(self) -> str:
        return {
            "clock_skewed": "上游时钟不准",
            "late": "迟到的报警",
            "no_time_zone": "时间缺时区，按北京时间",
            "unknown_enterprise": "企业未登记",
            "unknown_point": "点位未登记",
            "unknown_level": "级别不明，从严处理",
            "unknown_type": "事件类型不明，按报警处理",
            "unknown_reading": "上游的读数不是数字，以现场为准",
            "cleared_before_raise": "先收到恢复后收到报警",
        }[self.value]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One upstream event.

    ``at`` is when it happened by the source's clock (already replaced by ``received_at`` where the source's clock is
    impossible, with :attr:`Flag.CLOCK_SKEWED`); ``received_at`` is the hub's time. ``body_hash`` is the SHA-256 of the
    event's canonical JSON, so that the same id with another body is noticed. ``point`` is the point's code; for a lost
    signal of the whole enterprise it is ``data`` or ``video``.
    """

    source: str
    id: str
    type: EventType
    at: int
    received_at: int
    body_hash: str
    mode: Mode = Mode.ACTUAL
    enterprise: str = ""
    enterprise_name: str = ""
    industry: Industry | None = None
    point: str = ""
    point_name: str = ""
    equipment: str = ""
    severity: Severity | None = None
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    level: Level | None = None
    reasons: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    given_level: str = ""

    @property
    def input_id(self) -> str:
        """The identity under which the ledger remembers that this event was taken."""
        return f"e\x1f{self.source}\x1f{self.id}"

    @property
    def correlation(self) -> str:
        """What makes events one incident: the point of an enterprise for alarms, the enterprise for warnings.

        Modes never mix: an exercise and a real alarm of the same point are two incidents.
        """
        subject = "warning" if self.type.kind is Kind.WARNING else f"alarm\x1f{self.point}"
        if self.type in (EventType.DATA_OFFLINE, EventType.DATA_RESTORED):
            subject = f"data\x1f{self.point}"
        elif self.type in (EventType.VIDEO_OFFLINE, EventType.VIDEO_RESTORED):
            subject = f"video\x1f{self.point}"
        return f"{self.mode}\x1f{self.enterprise or self.source}\x1f{subject}"

    @property
    def partition_key(self) -> str:
        """What the partition is computed from: the enterprise, or the source where there is none."""
        return self.enterprise or f"source:{self.source}"
