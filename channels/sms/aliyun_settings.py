"""The TOML table of an Alibaba Cloud SMS channel, with its approved templates, and what the vendor's codes mean."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from pydantic import Field, SecretStr

from channels.fields import HttpUrl
from channels.outcome import OutcomeKind
from channels.sms.account import Account
from channels.sms.registered import Template

MEANINGS = MappingProxyType(
    {
        "OK": OutcomeKind.ACCEPTED,
        "isv.BUSINESS_LIMIT_CONTROL": OutcomeKind.THROTTLED,
        "isv.DAY_LIMIT_CONTROL": OutcomeKind.MISCONFIGURED,
        "isv.AMOUNT_NOT_ENOUGH": OutcomeKind.MISCONFIGURED,
        "isv.OUT_OF_SERVICE": OutcomeKind.MISCONFIGURED,
        "isv.MOBILE_NUMBER_ILLEGAL": OutcomeKind.REFUSED_RECIPIENT,
        "isv.SMS_TEMPLATE_ILLEGAL": OutcomeKind.MISCONFIGURED,
        "isv.SMS_SIGNATURE_ILLEGAL": OutcomeKind.MISCONFIGURED,
        "isv.EXTEND_CODE_ERROR": OutcomeKind.MISCONFIGURED,
        "isv.TEMPLATE_MISSING_PARAMETERS": OutcomeKind.REFUSED_CONTENT,
        "isv.PARAM_LENGTH_LIMIT": OutcomeKind.REFUSED_CONTENT,
        "isv.PARAM_NOT_SUPPORT_URL": OutcomeKind.REFUSED_CONTENT,
        "isv.BLACK_KEY_CONTROL_LIMIT": OutcomeKind.REFUSED_CONTENT,
        "isv.SMS_CONTENT_ILLEGAL": OutcomeKind.REFUSED_CONTENT,
        "isp.RAM_PERMISSION_DENY": OutcomeKind.MISCONFIGURED,
        "isp.SYSTEM_ERROR": OutcomeKind.TRANSIENT,
        "SignatureDoesNotMatch": OutcomeKind.MISCONFIGURED,
    }
)
# Of these the vendor's SMS pages say nothing; they are codes of its gateway.
_ASSUMED = MappingProxyType(
    {
        "Throttling": OutcomeKind.TRANSIENT,
        "Throttling.User": OutcomeKind.TRANSIENT,
        "Throttling.Api": OutcomeKind.TRANSIENT,
        "ServiceUnavailable": OutcomeKind.TRANSIENT,
        "InternalError": OutcomeKind.TRANSIENT,
        "SignatureNonceUsed": OutcomeKind.UNCERTAIN,
        "isv.INVALID_JSON_PARAM": OutcomeKind.REFUSED_CONTENT,
        "isv.INVALID_PARAMETERS": OutcomeKind.REFUSED_CONTENT,
    }
)


class AliyunTemplate(Template):
    """A template as the vendor approved it; its variables are ``${name}``."""

    code: str = Field(pattern=r"^SMS_[0-9]{1,20}$", description="模板 CODE")


class Settings(Account[AliyunTemplate]):
    """``[channels.<name>]`` with ``kind = "sms_aliyun"``."""

    kind: Literal["sms_aliyun"]
    access_key_id: str = Field(min_length=1, description="RAM 用户的 AccessKey ID")
    access_key_secret: SecretStr = Field(min_length=1, description="RAM 用户的 AccessKey Secret")
    per_minute: int = Field(6, ge=0, le=100, description="每个号码每分钟最多几条；0 表示不限")
    per_hour: int = Field(20, ge=0, le=1000, description="每个号码每小时最多几条；0 表示不限")
    per_day: int = Field(
        40, ge=0, le=1000, description="每个号码 24 小时最多几条；0 表示不限；平台对通知类的限额见控制台"
    )
    reserve: int = Field(10, ge=0, description="每个时段留给紧急消息的条数")
    endpoint: HttpUrl = Field(
        "https://dysmsapi.aliyuncs.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    query_after: float = Field(10.0, ge=1, le=600, description="应答丢失后过多少秒再查询是否已发出")
    timeout: float = Field(10.0, gt=0, le=20, description="一次调用最多等待的秒数")
    codes: dict[str, OutcomeKind] = Field(default=dict(_ASSUMED), description="平台文档之外的 Code 及其含义")

    @property
    def meanings(self) -> dict[str, OutcomeKind]:
        """What each known ``Code`` means; what the vendor documents cannot be set."""
        return {**_ASSUMED, **self.codes, **MEANINGS}
