"""``[channels.<name>]`` of a DingTalk app robot, for members and for one group."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from channels.dingtalk.app_errors import ASSUMED, DOCUMENTED
from channels.dingtalk.app_messages import Shape
from channels.fields import HttpUrl, Networks, Readers
from channels.outcome import OutcomeKind

Seconds = Annotated[int, Field(ge=10, le=86_400)]
_MOST_ASKS = 8


class Way(StrEnum):
    """How what members write and press comes in."""

    NONE = "none"
    STREAM = "stream"
    HTTP = "http"


class AppSettings(BaseModel):
    """What every table of an app robot has."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: str = Field(pattern=r"^[A-Za-z0-9_-]{4,64}$", description="应用的 Client ID（原 AppKey）")
    client_secret: SecretStr = Field(min_length=1, description="应用的 Client Secret（原 AppSecret）")
    robot_code: str = Field(
        "", pattern=r"^[A-Za-z0-9_-]{0,64}$", description="机器人的 robotCode；不写则与 client_id 相同"
    )
    base_url: HttpUrl = Field(
        "https://api.dingtalk.com", min_length=1, description="接口地址；国际版或经内网转发时改掉"
    )
    per_minute: int = Field(18, ge=2, le=60, description="每个人（或群）每分钟最多发几条；平台另有流控")
    reserve: int = Field(4, ge=0, description="其中留给紧急消息的条数")
    max_bytes: int = Field(5000, ge=1000, le=14_000, description="一条消息正文最多几字节")
    at_once: int = Field(16, ge=1, le=128, description="同时提交的条数")
    timeout: float = Field(10.0, ge=1, le=60, description="一次发送最多等待的秒数，含取 accessToken")
    codes: dict[str, OutcomeKind] = Field(default=dict(ASSUMED), description="平台的错误代码（或其开头）及其含义")

    @model_validator(mode="after")
    def _leaves_room(self) -> AppSettings:
        if self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        return self

    @property
    def robot(self) -> str:
        """The robot's code."""
        return self.robot_code or self.client_id

    @property
    def meanings(self) -> dict[str, OutcomeKind]:
        """What each known code means; what the vendor documents cannot be set."""
        return {**ASSUMED, **self.codes, **DOCUMENTED}


class Settings(AppSettings):
    """``[channels.<name>]`` with ``kind = "dingtalk_app"``."""

    kind: Literal["dingtalk_app"]
    form: Shape = Field(
        Shape.MARKDOWN,
        description="消息样式：text、markdown，或 card（须处置的通知带按钮，要写 card_template 和 inbound）",
    )
    card_template: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]{0,128}$", description="卡片模板 ID，在平台的卡片搭建工具里做好后复制"
    )
    card_route: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="inbound 为 http 时，卡片回调地址注册时用的 callbackRouteKey"
    )
    inbound: Way = Field(Way.NONE, description="怎样接收成员的回复：stream（长连接，不需要公网地址）、http 或 none")
    stream_ping: float = Field(30.0, ge=5, le=60, description="长连接每隔几秒探测一次对方是否还在")
    stream_quiet: int = Field(1800, ge=0, le=86_400, description="长连接多少秒没有收到任何消息就换一条新的；0 表示不换")
    callback_token: SecretStr = Field(SecretStr(""), description="inbound 为 http 时回调地址中的密令，至少 16 个字符")
    callback_addresses: Networks = Field((), description="inbound 为 http 时允许回调的地址或网段")
    callback_window: int = Field(3600, ge=10, le=3600, description="回调签名的时间戳与本机时钟最多相差的秒数")
    session_url: HttpUrl = Field(
        "https://oapi.dingtalk.com", min_length=1, description="临时会话地址（sessionWebhook）所在的主机，只认这一个"
    )
    read_after: tuple[Seconds, ...] = Field(
        (60, 300, 1800),
        max_length=_MOST_ASKS,
        description="发出后第几秒查询是否已读，逐次递增；每次查询占用一次接口调用，写 [] 则不查",
    )
    evidence_bytes: int = Field(
        10_000_000, ge=10_000, le=50_000_000, description="成员发来的现场图片最大多少字节，超过的不保存"
    )

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        token = self.callback_token.get_secret_value()
        if self.inbound is Way.HTTP:
            if len(token) < 16:
                raise ValueError('inbound = "http" 时 callback_token 至少 16 个字符：平台的签名不覆盖正文')
            if not self.callback_addresses:
                raise ValueError('inbound = "http" 时要写 callback_addresses，否则平台的回调进不来')
        if self.form is Shape.CARD:
            if not self.card_template:
                raise ValueError('form = "card" 时要写 card_template')
            if self.inbound is Way.NONE:
                raise ValueError('form = "card" 时 inbound 要写 stream 或 http，否则按钮点了收不到')
            if self.inbound is Way.HTTP and not self.card_route:
                raise ValueError('form = "card" 且 inbound = "http" 时要写 card_route')
        if list(self.read_after) != sorted(set(self.read_after)):
            raise ValueError("read_after 要从小到大写，不重复")
        return self


class GroupSettings(AppSettings):
    """``[channels.<name>]`` with ``kind = "dingtalk_app_group"``."""

    kind: Literal["dingtalk_app_group"]
    conversation: str = Field(pattern=r"^[A-Za-z0-9+/=_-]{4,128}$", description="群的 openConversationId，以 cid 开头")
    readers: Readers
    app: str = Field(
        "", description="同一应用的 dingtalk_app 渠道名称，它要写 inbound；写了，群里的消息就说可以 @机器人 回复"
    )
    form: Literal["markdown", "text"] = Field("markdown", description="消息样式：markdown，或不带格式的 text")
