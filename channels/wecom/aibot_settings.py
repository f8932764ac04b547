"""``[channels.<name>]`` of a WeCom intelligent robot, and of a group in which it is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from yarl import URL

from channels.fields import Readers
from channels.outcome import OutcomeKind
from channels.wecom.aibot_errors import ASSUMED, DOCUMENTED
from channels.wecom.app_messages import Shape

LONGEST_TEXT = 20_480
"""Of an answer and of a message, in bytes of UTF-8."""
CHAT_ID = r"^[A-Za-z0-9][A-Za-z0-9_@.-]{0,63}$"
WELCOME = "这里是安全生产警情通知。收到警情后请按卡片上的“签收”，或回复“签收 编号”；回复“帮助”看全部说法。"


def _ws_url(value: str) -> str:
    url = URL(value)
    if url.scheme not in ("ws", "wss") or not url.host:
        raise ValueError("应为 wss://主机 或 ws://主机:端口")
    return value


class Limits(BaseModel):
    """What a robot's table and that of a group have in common: the vendor's limits are those of one chat."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    per_minute: int = Field(28, ge=2, le=30, description="每个会话每分钟最多发几条，推送和答复合计；平台上限 30")
    per_hour: int = Field(960, ge=10, le=1000, description="每个会话每小时最多发几条；平台上限 1000")
    reserve: int = Field(8, ge=0, description="其中留给紧急消息的条数")
    text_bytes: int = Field(4096, ge=512, le=LONGEST_TEXT, description="一条消息最多多少字节；平台上限 20480")
    timeout: float = Field(10.0, ge=2, le=60, description="一次发送最多等待的秒数")

    @model_validator(mode="after")
    def _leaves_room(self) -> Limits:
        if self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        return self


class Settings(Limits):
    """``[channels.<name>]`` with ``kind = "wecom_aibot"``."""

    kind: Literal["wecom_aibot"]
    bot_id: str = Field(pattern=r"^[A-Za-z0-9_-]{4,128}$", description="智能机器人的 Bot ID（API 模式，长连接）")
    secret: SecretStr = Field(min_length=1, description="长连接专用的 Secret")
    url: Annotated[str, AfterValidator(_ws_url)] = Field(
        "wss://openws.work.weixin.qq.com", description="长连接地址；经内网转发时改成转发地址"
    )
    form: Literal["markdown", "card"] = Field("card", description="须处置的通知用 card（带按钮）还是 markdown")
    welcome: str = Field(WELCOME, max_length=500, description="成员当天首次打开会话时的欢迎语；写空字符串则不发")
    heartbeat: float = Field(30.0, ge=5, le=60, description="每多少秒发一次心跳，两次没有应答就重连")
    ack_timeout: float = Field(5.0, ge=1, le=30, description="一帧最多等多少秒的应答")
    frequency_rest: float = Field(60.0, ge=1, le=3600, description="订阅太频繁（45009）之后停多少秒")
    displaced_rest: float = Field(
        1800.0, ge=60, le=86_400, description="被另一个程序顶下线之后，多少秒内不再去连，免得互相顶"
    )
    answer_seconds: float = Field(540.0, ge=10, le=600, description="收到消息后多少秒内用答复帧回答，之后改为推送")
    media_seconds: int = Field(300, ge=30, le=3600, description="图片下载地址的有效秒数")
    evidence_bytes: int = Field(
        10_000_000, ge=10_000, le=50_000_000, description="成员发来的现场图片最大多少字节，超过的不保存"
    )
    at_once: int = Field(8, ge=1, le=64, description="同时提交的条数")
    codes: dict[int, OutcomeKind] = Field(default=dict(ASSUMED), description="平台文档之外的 errcode 及其含义")

    @property
    def shape(self) -> Shape:
        """As what a call to act is sent."""
        return Shape.CARD if self.form == "card" else Shape.MARKDOWN

    @property
    def meanings(self) -> dict[int, OutcomeKind]:
        """What each known code means; what the vendor documents cannot be set."""
        return {**ASSUMED, **self.codes, **DOCUMENTED}


class GroupSettings(Limits):
    """``[channels.<name>]`` with ``kind = "wecom_aibot_group"``."""

    kind: Literal["wecom_aibot_group"]
    bot: str = Field(min_length=1, description="智能机器人的渠道名称（kind 为 wecom_aibot 的那个）")
    chatid: str = Field(pattern=CHAT_ID, description="群的 chatid；在群里 @机器人 说一句话，日志里就有")
    readers: Readers
