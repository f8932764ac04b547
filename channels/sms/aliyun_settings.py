"""The TOML table of an Alibaba Cloud SMS channel, with its approved templates, and what the vendor's codes mean."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from channels.fields import HttpUrl, Networks, bare_signature
from channels.outcome import OutcomeKind
from channels.sms.registered import LONGEST_MESSAGE, SENTENCE, TOPICS, Template
from channels.sms.text import units

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


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "sms_aliyun"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["sms_aliyun"]
    access_key_id: str = Field(min_length=1, description="RAM 用户的 AccessKey ID")
    access_key_secret: SecretStr = Field(min_length=1, description="RAM 用户的 AccessKey Secret")
    endpoint: HttpUrl = Field(
        "https://dysmsapi.aliyuncs.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    signature: Annotated[str, AfterValidator(bare_signature)] = Field(
        min_length=1, description="报备通过的签名，不带【】"
    )
    templates: tuple[Template, ...] = Field(min_length=1, description="报备通过的模板")
    empty: str = Field("无", min_length=1, max_length=2, description="没有内容的变量填什么；平台不收空变量")
    extend_code: str = Field("", pattern=r"^[0-9]{0,10}$", description="上行扩展码，没有购买则不写")
    max_parts: int = Field(3, ge=1, le=8, description="一条消息最长允许按几条计费，check 据此检查模板")
    per_minute: int = Field(1, ge=0, le=100, description="每个号码每分钟最多几条；0 表示不限")
    per_hour: int = Field(5, ge=0, le=1000, description="每个号码每小时最多几条；0 表示不限")
    per_day: int = Field(10, ge=0, le=1000, description="每个号码 24 小时最多几条；0 表示不限")
    reserve: int = Field(3, ge=0, description="每个时段留给紧急消息的条数")
    query_after: float = Field(10.0, ge=1, le=600, description="应答丢失后过多少秒再查询是否已发出")
    callback_token: SecretStr = Field(
        SecretStr(""), description="回调地址中的密令，至少 16 个字符；不写则不收回执和回复"
    )
    callback_addresses: Networks = Field((), description="允许回调的地址或网段")
    uplink: bool = Field(True, description="是否开通了上行短信；没有开通写 false，短信里就不写“回1签收”")
    at_once: int = Field(16, ge=1, le=128, description="同时提交的条数")
    timeout: float = Field(10.0, gt=0, le=20, description="一次调用最多等待的秒数")
    codes: dict[str, OutcomeKind] = Field(default=dict(_ASSUMED), description="平台文档之外的 Code 及其含义")

    @model_validator(mode="after")
    def _door_is_guarded(self) -> Settings:
        token = self.callback_token.get_secret_value()
        if token and len(token) < 16:
            raise ValueError("callback_token 至少 16 个字符：回调地址只靠它与地址名单保护")
        if token and not self.callback_addresses:
            raise ValueError("写了 callback_token 就要写 callback_addresses，否则平台的回调进不来")
        return self

    @model_validator(mode="after")
    def _every_message_has_one_template(self) -> Settings:
        taken: dict[str, str] = {}
        for template in self.templates:
            for topic in template.topics or ("*",):
                if topic in taken:
                    what = "没有写 topics" if topic == "*" else f"都用于 {topic}"
                    raise ValueError(f"模板 {taken[topic]} 和 {template.code} {what}，只能有一个")
                taken[topic] = template.code
        if SENTENCE not in taken and not any(each.flows and not each.topics for each in self.templates):
            raise ValueError('缺少用于 sentence 的模板（汇总、答复等），变量填 text：topics = ["sentence"]')
        if SENTENCE in taken and any(each.flows and not each.topics for each in self.templates):
            raise ValueError("填 text 的模板只要一个：已有用于 sentence 的，另一个应写 level、code 等变量")
        missing = [topic for topic in TOPICS if topic not in taken]
        if missing and "*" not in taken:
            raise ValueError(f"没有模板用于：{'、'.join(missing)}；可加一个不写 topics 的模板")
        return self

    @model_validator(mode="after")
    def _is_short_enough(self) -> Settings:
        for template in self.templates:
            length = template.longest + units(template.signature or self.signature) + 2
            if length > LONGEST_MESSAGE:
                raise ValueError(f"模板 {template.code} 最长 {length} 字（含签名），平台上限 {LONGEST_MESSAGE} 字")
        if self.by_topic[SENTENCE].room < 35:
            raise ValueError("用于 sentence 的模板，变量合计至少 35 字，否则编号和级别放不下")
        return self

    @property
    def meanings(self) -> dict[str, OutcomeKind]:
        """What each known ``Code`` means; what the vendor documents cannot be set."""
        return {**_ASSUMED, **self.codes, **MEANINGS}

    @property
    def by_topic(self) -> dict[str, Template]:
        """The template of every topic."""
        rest = next((each for each in self.templates if not each.topics), self.templates[0])
        named = {topic: each for each in self.templates for topic in each.topics}
        return {topic: named.get(topic, rest) for topic in TOPICS}
