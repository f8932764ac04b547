"""The TOML table of a Tencent Cloud voice channel, and what the vendor's codes mean unless the table says otherwise."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from channels.fields import HttpUrl
from channels.outcome import OutcomeKind
from channels.sms.tencent_account import MARKS, check_counted
from channels.voice.account import Account, CallTemplate

LONGEST_TEXT = 350

# The vendor's library names these; what follows from each is ours, so the table's ``codes`` come first.
MEANINGS = MappingProxyType(
    {
        "FailedOperation.AccessUpstreamTimeout": OutcomeKind.UNCERTAIN,
        "FailedOperation.ContainSensitiveWord": OutcomeKind.REFUSED_CONTENT,
        "FailedOperation.InsufficientBalanceInVoicePackage": OutcomeKind.MISCONFIGURED,
        "FailedOperation.PhonenumberUnappliedOrExpired": OutcomeKind.MISCONFIGURED,
        "FailedOperation.TemplateIncorrectOrUnapproved": OutcomeKind.MISCONFIGURED,
        "InternalError.AccessUpstreamTimeout": OutcomeKind.UNCERTAIN,
        "InternalError.SsoSendRecvFail": OutcomeKind.UNCERTAIN,
        "InternalError.RequestTimeException": OutcomeKind.MISCONFIGURED,
        "InternalError.RestApiInterfaceNotExist": OutcomeKind.MISCONFIGURED,
        "InternalError.SigVerificationFail": OutcomeKind.MISCONFIGURED,
        "InvalidParameterValue.CalledNumberVerifyFail": OutcomeKind.REFUSED_RECIPIENT,
        "InvalidParameterValue.ContentLengthLimit": OutcomeKind.REFUSED_CONTENT,
        "InvalidParameterValue.SdkAppidNotExist": OutcomeKind.MISCONFIGURED,
        "LimitExceeded.DeliveryFrequencyLimit": OutcomeKind.THROTTLED,
        "RequestLimitExceeded": OutcomeKind.TRANSIENT,
    }
)


class TencentCallTemplate(CallTemplate):
    """A template as the vendor approved it; its variables are ``{1}``, ``{2}`` in their order."""

    marks: ClassVar[re.Pattern[str]] = MARKS

    code: str = Field(pattern=r"^[0-9]{1,20}$", description="模板 ID")

    @model_validator(mode="after")
    def _counts_from_one(self) -> TencentCallTemplate:
        check_counted(self.code, self.variables)
        if self.longest > LONGEST_TEXT:
            raise ValueError(f"模板 {self.code} 填满时 {self.longest} 字，平台上限 {LONGEST_TEXT} 字：减小 cap")
        return self


class Settings(Account[TencentCallTemplate]):
    """``[channels.<name>]`` with ``kind = "voice_tencent"``."""

    kind: Literal["voice_tencent"]
    secret_id: str = Field(min_length=1, description="子用户的 SecretId")
    secret_key: SecretStr = Field(min_length=1, description="子用户的 SecretKey")
    app_id: str = Field(pattern=r"^[0-9]{1,20}$", description="语音应用的 SdkAppid")
    takes_keys: bool = Field(False, description="账号开通了按键回调、模板里也说了按键的，写 true")
    region: str = Field("ap-guangzhou", min_length=1, description="地域")
    endpoint: HttpUrl = Field(
        "https://vms.tencentcloudapi.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    repeat_after: float = Field(
        90.0, ge=1, le=600, description="应答丢失后过多少秒才再打一次；平台没有查询接口，期间由人工电话接手"
    )
    timeout: float = Field(10.0, gt=0, le=20, description="一次调用最多等待的秒数")
    codes: dict[str, OutcomeKind] = Field(default={}, description="与默认含义不同的 Code 及其含义")

    @model_validator(mode="after")
    def _keys_come_by_call_back(self) -> Settings:
        if self.takes_keys and not self.callback_token.get_secret_value():
            raise ValueError("takes_keys 要写 callback_token 和 callback_addresses：按键只由回调送来")
        return self

    @property
    def keyed(self) -> bool:
        return self.takes_keys

    @property
    def meanings(self) -> dict[str, OutcomeKind]:
        """What each known ``Code`` means."""
        return {**MEANINGS, **self.codes}
