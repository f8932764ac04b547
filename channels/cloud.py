"""What every account at a cloud that sends for us has: how much it sends to one number, and its call-back door."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from channels.channel import Window
from channels.fields import Networks

MINUTE, HOUR, DAY = 60, 3600, 86_400


class SecretDoor(BaseModel):
    """Where a vendor that does not sign its call-backs may knock: a secret in the path, and a list of addresses."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    callback_token: SecretStr = Field(
        SecretStr(""), description="回调地址中的密令，至少 16 个字符；不写则不收回执和回复"
    )
    callback_addresses: Networks = Field((), description="允许回调的地址或网段")

    @model_validator(mode="after")
    def _door_is_guarded(self) -> SecretDoor:
        token = self.callback_token.get_secret_value()
        if token and len(token) < 16:
            raise ValueError("callback_token 至少 16 个字符：回调地址只靠它与地址名单保护")
        if token and not self.callback_addresses:
            raise ValueError("写了 callback_token 就要写 callback_addresses，否则平台的回调进不来")
        return self


class Limits(BaseModel):
    """How much a vendor sends to one number."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    per_minute: int = Field(1, ge=0, le=100, description="每个号码每分钟最多几条；0 表示不限")
    per_hour: int = Field(5, ge=0, le=1000, description="每个号码每小时最多几条；0 表示不限")
    per_day: int = Field(10, ge=0, le=1000, description="每个号码 24 小时最多几条；0 表示不限")
    reserve: int = Field(3, ge=0, description="每个时段留给紧急消息的条数")
    at_once: int = Field(16, ge=1, le=256, description="同时提交的条数")

    @property
    def windows(self) -> tuple[Window, ...]:
        """The limits as the courier keeps them."""
        counts = ((self.per_minute, MINUTE), (self.per_hour, HOUR), (self.per_day, DAY))
        return tuple(Window(count, per) for count, per in counts if count)
