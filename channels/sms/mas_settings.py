"""The TOML table of a 云MAS channel (China Mobile), and what its codes mean unless the table says otherwise.

Little of this platform is documented in public, so whatever differs between contracts is a setting.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from channels.fields import HttpUrl
from channels.outcome import OutcomeKind
from channels.sms.account import Account
from channels.sms.registered import Template
from channels.sms.text import PART_UNITS, SINGLE_UNITS, units

SUCCESS = "success"
MEANINGS = MappingProxyType(
    {
        "IllegalMac": OutcomeKind.MISCONFIGURED,
        "IllegalSignId": OutcomeKind.MISCONFIGURED,
        "InvalidUsrOrPwd": OutcomeKind.MISCONFIGURED,
        "NoSignId": OutcomeKind.MISCONFIGURED,
        "TooManyMobiles": OutcomeKind.MISCONFIGURED,
        "InvalidMessage": OutcomeKind.REFUSED_CONTENT,
    }
)


class MasTemplate(Template):
    """A template of the platform; its variables are ``{1}``, ``{2}`` or ``${name}``, filled in their order."""

    marks: ClassVar[re.Pattern[str]] = re.compile(r"\$?\{([A-Za-z0-9_]{1,30})\}")

    code: str = Field(pattern=r"^[0-9A-Za-z]{1,64}$", description="模板 ID（templateId）")


class Settings(Account[MasTemplate]):
    """``[channels.<name>]`` with ``kind = "sms_mas"``."""

    kind: Literal["sms_mas"]
    endpoint: HttpUrl = Field(min_length=1, description="平台给的接口地址，例如 http://10.0.0.6:1992；不含路径")
    plain_path: str = Field("/sms/norsubmit", pattern=r"^/", description="普通短信的路径")
    template_path: str = Field("/sms/tmpsubmit", pattern=r"^/", description="模板短信的路径")
    ec_name: str = Field(min_length=1, description="集团客户名称（ecName），与平台上一字不差")
    ap_id: str = Field(min_length=1, description="接口账号的用户名（apId）")
    secret_key: SecretStr = Field(min_length=1, description="接口账号的密码（secretKey）")
    sign: str = Field(min_length=1, description="签名编码（sign），不是签名文字")
    write_signature: bool = Field(False, description="平台不自动加签名时写 true，由本系统写在正文开头")
    templates: tuple[MasTemplate, ...] = Field((), description="报备通过的模板；不写则按普通短信发送全文")
    content_type: str = Field("text/plain; charset=utf-8", min_length=1, description="请求的 Content-Type")
    per_minute: int = Field(0, ge=0, le=100, description="每个号码每分钟最多几条；0 表示不限")
    per_hour: int = Field(0, ge=0, le=1000, description="每个号码每小时最多几条；0 表示不限")
    per_day: int = Field(0, ge=0, le=1000, description="每个号码 24 小时最多几条；0 表示不限")
    delivered: tuple[str, ...] = Field(
        ("DELIVRD", "CM:0000"), min_length=1, description="回执中表示送达的状态码，其余都算未送达"
    )
    timeout: float = Field(10.0, gt=0, le=60, description="一次提交最多等待的秒数")
    codes: dict[str, OutcomeKind] = Field(default={}, description="rspcod 及其含义，默认之外或与默认不同的")

    @model_validator(mode="after")
    def _templates_need_no_signature(self) -> Settings:
        if self.templates and self.write_signature:
            raise ValueError("用模板时签名由平台加，write_signature 只用于普通短信")
        return self

    @property
    def opening(self) -> str:
        """What a phone shows before the text, whoever writes it."""
        return f"【{self.signature}】"

    @property
    def most(self) -> int:
        """How many characters a text of one's own may have beside the signature."""
        whole = SINGLE_UNITS if self.max_parts == 1 else PART_UNITS * self.max_parts
        return whole - units(self.opening)

    def meaning(self, code: str) -> OutcomeKind:
        """What a ``rspcod`` other than success means; one that is not known stands in no document either."""
        return self.codes.get(code) or MEANINGS.get(code, OutcomeKind.MISCONFIGURED)
