"""``[channels.<name>]`` of a WeCom app."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from channels.fields import HttpUrl
from channels.outcome import OutcomeKind
from channels.wecom.app_errors import ASSUMED, DOCUMENTED
from channels.wecom.app_messages import Shape
from channels.wecom.callback_crypto import read_key


def _aes_key(value: SecretStr) -> SecretStr:
    if value.get_secret_value():
        read_key(value.get_secret_value())
    return value


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "wecom_app"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["wecom_app"]
    corpid: str = Field(pattern=r"^[A-Za-z0-9_-]{4,64}$", description="企业 ID（我的企业 → 企业信息）")
    agentid: int = Field(ge=1, description="应用的 AgentId")
    secret: SecretStr = Field(min_length=1, description="应用的 Secret")
    base_url: HttpUrl = Field(
        "https://qyapi.weixin.qq.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    per_minute: int = Field(28, ge=2, le=30, description="每人每分钟最多发几条；平台超过 30 条就不声不响地丢弃")
    per_hour: int = Field(960, ge=10, le=1000, description="每人每小时最多发几条；平台超过 1000 条就不声不响地丢弃")
    reserve: int = Field(8, ge=0, description="其中留给紧急消息的条数")
    repeat_seconds: int = Field(
        600, ge=0, le=3600, description="应答丢失后重发时，平台至少在多少秒内去重；0 表示不去重"
    )
    callback_token: SecretStr = Field(SecretStr(""), description="接收消息的 Token；不写则收不到回复")
    callback_key: Annotated[SecretStr, AfterValidator(_aes_key)] = Field(
        SecretStr(""), description="接收消息的 EncodingAESKey，43 个字符"
    )
    callback_window: int = Field(300, ge=10, le=86_400, description="回调的时间戳与本机时钟最多相差的秒数")
    form: Shape = Field(
        Shape.TEXT,
        description="须处置的通知用什么样式：text、markdown、textcard，或 card（带按钮，须配置回调，否则按 text）",
    )
    evidence_bytes: int = Field(
        10_000_000, ge=10_000, le=50_000_000, description="成员发来的现场图片最大多少字节，超过的不保存"
    )
    at_once: int = Field(16, ge=1, le=128, description="同时提交的条数")
    timeout: float = Field(10.0, ge=1, le=60, description="一次发送最多等待的秒数，含取 access_token")
    codes: dict[int, OutcomeKind] = Field(default=dict(ASSUMED), description="平台文档之外的 errcode 及其含义")

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        if self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        token = self.callback_token.get_secret_value()
        if bool(token) != bool(self.callback_key.get_secret_value()):
            raise ValueError("callback_token 与 callback_key 要么都写，要么都不写")
        if token and not re.fullmatch(r"[A-Za-z0-9]{3,32}", token, re.ASCII):
            raise ValueError("callback_token 应为 3 到 32 个字母或数字，照企业微信后台原样复制")
        return self

    @property
    def shape(self) -> Shape:
        """As what a call to act is sent: a card with buttons makes no sense where no press comes back."""
        return Shape.TEXT if self.form is Shape.CARD and not self.callback_token.get_secret_value() else self.form

    @property
    def meanings(self) -> dict[int, OutcomeKind]:
        """What each known code means; what the vendor documents cannot be set."""
        return {**ASSUMED, **self.codes, **DOCUMENTED}
