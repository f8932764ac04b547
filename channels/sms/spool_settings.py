"""The TOML table of an smstools spool: where its folders are, and how messages are written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from channels.cloud import Limits
from channels.fields import bare_signature
from channels.sms.text import PART_UNITS, SINGLE_UNITS, units


class Settings(Limits):
    """``[channels.<name>]`` with ``kind = "sms_spool"``."""

    kind: Literal["sms_spool"]
    spool: str = Field("/var/spool/sms", pattern=r"^/", description="smstools 的收发目录，绝对路径")
    outgoing: str = Field("outgoing", min_length=1, description="发送目录，与 smsd.conf 一致；相对于 spool 或绝对路径")
    checked: str = Field("checked", min_length=1, description="smsd 已接手的目录")
    incoming: str = Field("incoming", min_length=1, description="收到短信的目录；里面的文件由本系统取走")
    sent: str = Field("sent", min_length=1, description="已发目录，smsd.conf 中必须设置，否则没有回执，也不能查重")
    failed: str = Field("failed", min_length=1, description="发送失败目录，smsd.conf 中必须设置")
    report: str = Field("", description="回执目录；smsd.conf 没有单独设置时不写，回执在 incoming 里")
    drafts: str = Field("fenghuo", min_length=1, description="本系统写草稿的目录，与 outgoing 在同一磁盘分区")
    reports: bool = Field(True, description="是否要求送达回执（Report: yes）；调制解调器或运营商不支持时写 false")
    uplink: bool = Field(True, description="是否收短信；smsd 只发不收时写 false，短信里就不写“回1签收”")
    alphabet: Literal["UCS2", "UTF-8"] = Field("UCS2", description="文件编码；UTF-8 便于查看，要 smstools 3.1.16 以上")
    number_prefix: str = Field("86", pattern=r"^[0-9]{0,4}$", description="号码前加的国家码，不带 +")
    queue: str = Field("", pattern=r"^[A-Za-z0-9_-]{0,32}$", description="smsd 的队列（Queue），可不写")
    signature: Annotated[str, AfterValidator(bare_signature)] = Field(
        "", description="加在每条短信开头的签名，不带【】"
    )
    max_parts: int = Field(3, ge=1, le=10, description="一条长短信最多拆几段")
    stuck_after: int = Field(
        120, ge=10, le=3600, description="文件多少秒没有动静就算 smsd 或调制解调器停了：撤回并换渠道"
    )
    keep_days: int = Field(7, ge=1, le=90, description="已发目录里本系统的文件保留几天")
    look_seconds: float = Field(1.0, ge=0.2, le=60, description="每隔多少秒看一次有没有新短信")
    per_minute: int = Field(0, ge=0, le=100, description="每个号码每分钟最多几条；0 表示不限")
    per_hour: int = Field(0, ge=0, le=1000, description="每个号码每小时最多几条；0 表示不限")
    per_day: int = Field(0, ge=0, le=1000, description="每个号码 24 小时最多几条；0 表示不限")
    at_once: int = Field(4, ge=1, le=32, description="同时写入的条数")
    timeout: float = Field(5.0, gt=0, le=30, description="一次写入最多等待的秒数")

    @field_validator("outgoing", "checked", "incoming", "sent", "failed", "report", "drafts")
    @classmethod
    def _stays_below(cls, value: str) -> str:
        if ".." in Path(value).parts:
            raise ValueError("目录里不能有 ..")
        return value

    def folder(self, name: str) -> Path:
        """The folder of one of the settings above."""
        return Path(self.spool, getattr(self, name))

    @property
    def opening(self) -> str:
        """What stands before each text."""
        return f"【{self.signature}】" if self.signature else ""

    @property
    def most(self) -> int:
        """How many characters a text may have beside the signature."""
        whole = SINGLE_UNITS if self.max_parts == 1 else PART_UNITS * self.max_parts
        return whole - units(self.opening)
