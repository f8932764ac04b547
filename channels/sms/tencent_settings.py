"""The TOML table of a Tencent Cloud SMS channel, and what the vendor's codes mean unless the table says otherwise."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from channels.fields import HttpUrl
from channels.outcome import OutcomeKind
from channels.sms.account import Account
from channels.sms.registered import Template
from channels.sms.tencent_account import MARKS, check_counted

OK = "Ok"
# The vendor's library names these; what follows from each is ours, so the table's ``codes`` come first.
MEANINGS = MappingProxyType(
    {
        "FailedOperation.ContainSensitiveWord": OutcomeKind.REFUSED_CONTENT,
        "FailedOperation.InsufficientBalanceInSmsPackage": OutcomeKind.MISCONFIGURED,
        "FailedOperation.PhoneNumberInBlacklist": OutcomeKind.REFUSED_RECIPIENT,
        "FailedOperation.SignatureIncorrectOrUnapproved": OutcomeKind.MISCONFIGURED,
        "FailedOperation.TemplateIncorrectOrUnapproved": OutcomeKind.MISCONFIGURED,
        "FailedOperation.TemplateUnapprovedOrNotExist": OutcomeKind.MISCONFIGURED,
        "InternalError.Timeout": OutcomeKind.UNCERTAIN,
        "InvalidParameterValue.IncorrectPhoneNumber": OutcomeKind.REFUSED_RECIPIENT,
        "InvalidParameterValue.InvalidDayTime": OutcomeKind.MISCONFIGURED,
        "InvalidParameterValue.SdkAppIdNotExist": OutcomeKind.MISCONFIGURED,
        "LimitExceeded.AppDailyLimit": OutcomeKind.MISCONFIGURED,
        "LimitExceeded.DailyLimit": OutcomeKind.MISCONFIGURED,
        "LimitExceeded.PhoneNumberSameContentDailyLimit": OutcomeKind.REFUSED_CONTENT,
        "RequestLimitExceeded": OutcomeKind.TRANSIENT,
    }
)
RESTS = MappingProxyType(
    {
        "LimitExceeded.PhoneNumberThirtySecondLimit": 30.0,
        "LimitExceeded.PhoneNumberOneHourLimit": 3600.0,
        "LimitExceeded.PhoneNumberDailyLimit": 3600.0,
    }
)
"""How long a number rests, in seconds; a minute for the other limits."""


class TencentTemplate(Template):
    """A template as the vendor approved it; its variables are ``{1}``, ``{2}`` in their order."""

    marks: ClassVar[re.Pattern[str]] = MARKS

    code: str = Field(pattern=r"^[0-9]{1,20}$", description="模板 ID")

    @model_validator(mode="after")
    def _counts_from_one(self) -> TencentTemplate:
        check_counted(self.code, self.variables)
        return self


class Settings(Account[TencentTemplate]):
    """``[channels.<name>]`` with ``kind = "sms_tencent"``."""

    kind: Literal["sms_tencent"]
    secret_id: str = Field(min_length=1, description="子用户的 SecretId")
    secret_key: SecretStr = Field(min_length=1, description="子用户的 SecretKey")
    app_id: str = Field(pattern=r"^[0-9]{1,20}$", description="短信应用的 SdkAppId")
    region: str = Field("ap-guangzhou", min_length=1, description="地域")
    endpoint: HttpUrl = Field(
        "https://sms.tencentcloudapi.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    ask_first: bool = Field(
        True, description="应答丢失后先查询再重发（PullSmsSendStatusByPhoneNumber）；账号没有开通这个接口时写 false"
    )
    query_after: float = Field(30.0, ge=1, le=600, description="应答丢失后过多少秒再查询是否已发出")
    timeout: float = Field(10.0, gt=0, le=20, description="一次调用最多等待的秒数")
    codes: dict[str, OutcomeKind] = Field(default={}, description="与默认含义不同的 Code 及其含义")

    @property
    def meanings(self) -> dict[str, OutcomeKind]:
        """What each known ``Code`` that is not "Ok" means."""
        return {**MEANINGS, **self.codes}
