"""The TOML table of an Alibaba Cloud voice channel, with its approved templates, and what the vendor's codes mean."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

import orjson
from pydantic import Field, SecretStr, model_validator

from channels.fields import HttpUrl
from channels.outcome import OutcomeKind
from channels.voice.account import Account, CallTemplate

LONGEST_VALUES = 250
"""All of a template's variables together are shorter than this."""
_SHOWN = r"^[0-9]{3,15}$"
_SPOKEN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{2,99}$"

_LATER = (0, 30, 75, 225, 825)
"""How many seconds after the first question the others follow."""

# The vendor's table of codes says what each is; what follows from it is ours.
MEANINGS = MappingProxyType(
    {
        "OK": OutcomeKind.ACCEPTED,
        "isv.BUSINESS_LIMIT_CONTROL": OutcomeKind.THROTTLED,
        "isv.MOBILE_NUMBER_ILLEGAL": OutcomeKind.REFUSED_RECIPIENT,
        "isv.COMPLAINT_REJECT": OutcomeKind.REFUSED_RECIPIENT,
        "isv.TTS_TEMPLATE_ILLEGAL": OutcomeKind.MISCONFIGURED,
        "isv.TEMPLATE_ILLEGAL": OutcomeKind.MISCONFIGURED,
        "isv.VOICE_FILE_ILLEGAL": OutcomeKind.MISCONFIGURED,
        "isv.DISPLAY_NUMBER_ILLEGAL": OutcomeKind.MISCONFIGURED,
        "isv.BILLID_NOT_EXIST": OutcomeKind.MISCONFIGURED,
        "isv.PRODUCT_UN_SUBSCRIPT": OutcomeKind.MISCONFIGURED,
        "isv.PRODUCT_UNSUBSCRIBE": OutcomeKind.MISCONFIGURED,
        "isv.ACCOUNT_NOT_EXISTS": OutcomeKind.MISCONFIGURED,
        "isv.ACCOUNT_ABNORMAL": OutcomeKind.MISCONFIGURED,
        "isv.AMOUNT_NOT_ENOUGH": OutcomeKind.MISCONFIGURED,
        "isv.OUT_OF_SERVICE": OutcomeKind.MISCONFIGURED,
        "isv.VOICE_ROBOT_NOT_PERIOD": OutcomeKind.MISCONFIGURED,
        "isv.VOICE_CALL_PERIOD_ERROR": OutcomeKind.MISCONFIGURED,
        "isv.TEMPLATE_MISSING_PARAMETERS": OutcomeKind.REFUSED_CONTENT,
        "isv.TEMPLATE_PARAMS_ILLEGAL": OutcomeKind.REFUSED_CONTENT,
        "isv.BLACK_KEY_CONTROL_LIMIT": OutcomeKind.REFUSED_CONTENT,
        "isv.PARAM_NOT_SUPPORT_URL": OutcomeKind.REFUSED_CONTENT,
        "isv.PARAM_LENGTH_LIMIT": OutcomeKind.REFUSED_CONTENT,
        "isv.INVALID_PARAMETERS": OutcomeKind.REFUSED_CONTENT,
        "isv.VOICE_CALL_FAIL": OutcomeKind.TRANSIENT,
        "isp.RAM_PERMISSION_DENY": OutcomeKind.MISCONFIGURED,
        "isp.SYSTEM_ERROR": OutcomeKind.TRANSIENT,
        "SignatureDoesNotMatch": OutcomeKind.MISCONFIGURED,
    }
)
# Of these the vendor's voice pages say nothing; they are codes of its gateway.
_ASSUMED = MappingProxyType(
    {
        "Throttling": OutcomeKind.TRANSIENT,
        "Throttling.User": OutcomeKind.TRANSIENT,
        "Throttling.Api": OutcomeKind.TRANSIENT,
        "ServiceUnavailable": OutcomeKind.TRANSIENT,
        "InternalError": OutcomeKind.TRANSIENT,
        "SignatureNonceUsed": OutcomeKind.UNCERTAIN,
    }
)


class AliyunCallTemplate(CallTemplate):
    """A template as the vendor approved it; its variables are ``${name}``."""

    code: str = Field(pattern=r"^TTS_[0-9]{1,20}$", description="文本转语音模板的 CODE")

    @model_validator(mode="after")
    def _is_short_enough(self) -> AliyunCallTemplate:
        full = len(orjson.dumps({each.name: "字" * each.cap for each in self.variables}).decode())
        if full >= LONGEST_VALUES:
            raise ValueError(
                f"模板 {self.code} 的变量全部填满时连同变量名 {full} 字，平台要求少于 {LONGEST_VALUES} 字：减小 cap"
            )
        return self


class Settings(Account[AliyunCallTemplate]):
    """``[channels.<name>]`` with ``kind = "voice_aliyun"``."""

    kind: Literal["voice_aliyun"]
    access_key_id: str = Field(min_length=1, description="RAM 用户的 AccessKey ID")
    access_key_secret: SecretStr = Field(min_length=1, description="RAM 用户的 AccessKey Secret")
    show_number: str = Field(
        "", pattern=rf"{_SHOWN}|^$", description="被叫看到的号码，即买下的号码；公共模式不写，按键签收必须写"
    )
    signed_code: str = Field(
        "",
        pattern=rf"{_SPOKEN}|^$",
        description="按键签收后播放什么：没有变量的模板 CODE（如“已签收，谢谢”）；写了它，接听后能按键签收（IvrCall）",
    )
    bye_code: str = Field("", pattern=rf"{_SPOKEN}|^$", description="挂断前播放什么，与 signed_code 同类；不写则不播放")
    key_wait: float = Field(8.0, ge=1, le=60, description="播放后等多少秒按键")
    volume: int = Field(100, ge=0, le=100, description="音量，只用于不能按键的电话")
    speed: int = Field(0, ge=-500, le=500, description="语速，只用于不能按键的电话")
    endpoint: HttpUrl = Field(
        "https://dyvmsapi.aliyuncs.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    ask_after: float = Field(
        75.0, ge=0, le=600, description="打出后过多少秒去查询结果（回执丢失，或外网回调进不来时靠它）；0 表示不查询"
    )
    repeat_after: float = Field(90.0, ge=1, le=600, description="应答丢失后过多少秒才再打一次；期间收到回执就不再打")
    timeout: float = Field(10.0, gt=0, le=20, description="一次调用最多等待的秒数")
    codes: dict[str, OutcomeKind] = Field(default=dict(_ASSUMED), description="平台文档之外的 Code 及其含义")

    @model_validator(mode="after")
    def _keys_need_a_number(self) -> Settings:
        if self.signed_code and not self.show_number:
            raise ValueError("写了 signed_code（按键签收）就要写 show_number：IvrCall 只能用买下的号码呼出")
        if self.bye_code and not self.signed_code:
            raise ValueError("bye_code 只用于按键签收的电话：要写 signed_code")
        return self

    @property
    def keyed(self) -> bool:
        return bool(self.signed_code)

    @property
    def asked_after(self) -> tuple[int, ...]:
        """After how many seconds a call's end is asked for, again while it is not known; none where it never is."""
        first = int(self.ask_after)
        return tuple(first + later for later in _LATER) if first else ()

    @property
    def meanings(self) -> dict[str, OutcomeKind]:
        """What each known ``Code`` means; what the vendor documents cannot be set."""
        return {**_ASSUMED, **self.codes, **MEANINGS}
