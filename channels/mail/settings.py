"""The TOML table of a mail channel."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

_ADDRESS = re.compile(r"[^@\s<>\"(),:;\\\[\]\x00-\x1f\x7f]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[?[0-9A-Fa-f:]+\]?")


def is_address(text: str) -> bool:
    """Whether ``text`` is one bare mail address of ASCII that can stand in a header and in an SMTP command."""
    return text.isascii() and len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def _host(value: str) -> str:
    if value and not _HOST.fullmatch(value):
        raise ValueError("应为主机名或地址，不带 smtp:// 和端口")
    return value


def _mailbox(value: str) -> str:
    if not value:
        return value
    name, address = parseaddr(value)
    try:
        if not value.isprintable() or not is_address(address):
            raise ValueError
        Address(display_name=name, addr_spec=address)
    except (ValueError, HeaderParseError):
        raise ValueError("应为 名称 <用户@域名> 或 用户@域名") from None
    return value


Host = Annotated[str, AfterValidator(_host)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Security = Literal["starttls", "tls", "none"]


def _folder(value: str) -> str:
    if not value.isprintable() or len(value) > 200 or value != value.strip():
        raise ValueError("邮件夹名称含有控制字符、首尾空格或过长")
    return value


Folder = Annotated[str, AfterValidator(_folder)]


class Imap(BaseModel):
    """``[channels.<name>.imap]``: the mailbox in which answers and returned mails arrive."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Host = Field(min_length=1, description="收信服务器（IMAP）")
    port: int = Field(0, ge=0, le=65535, description="端口；0 表示按 security 取 993 或 143")
    security: Security = Field("tls", description="加密方式；none 只应用于本机或内网")
    verify_certificate: bool = Field(True, description="是否校验服务器证书")
    ca_file: str = Field("", description="内网自建 CA 的证书文件")
    username: str = Field(min_length=1, description="登录名，一般是完整的邮箱地址")
    password: SecretStr = Field(min_length=1, description="密码或授权码")
    reply_secret: SecretStr = Field(min_length=32, description="答复凭据的密令，自行生成，至少 32 个字符")
    folder: Folder = Field("INBOX", min_length=1, description="读哪个邮件夹")
    done_folder: Folder = Field("", description="读过的邮件移到哪个邮件夹；不写则只标为已读")
    plus: bool = Field(False, description="邮箱支持 用户+标记@域名 时，把凭据也写进回复地址")
    idle: bool = Field(True, description="服务器支持时用 IDLE，新邮件一到就读")
    poll: float = Field(60.0, ge=1, le=1500, description="至少每隔多少秒查一次新邮件")
    timeout: float = Field(30.0, gt=0, le=120, description="一条命令最多等待的秒数")

    @model_validator(mode="after")
    def _folders_differ(self) -> Imap:
        if self.done_folder and self.done_folder.lower() == self.folder.lower():
            raise ValueError("done_folder 不能就是所读的邮件夹")
        return self

    @property
    def real_port(self) -> int:
        return self.port or (993 if self.security == "tls" else 143)


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "smtp_mail"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["smtp_mail"]
    host: Host = Field(min_length=1, description="发信服务器")
    port: int = Field(0, ge=0, le=65535, description="端口；0 表示按 security 取 587、465 或 25")
    security: Security = Field("starttls", description="加密方式；none 只应用于本机或内网")
    verify_certificate: bool = Field(True, description="是否校验服务器证书")
    ca_file: str = Field("", description="内网自建 CA 的证书文件")
    username: str = Field("", description="登录名；不需要登录则不写")
    password: SecretStr = Field(SecretStr(""), description="密码或授权码")
    sender: Mailbox = Field(description="发件人，例如 烽火 <fenghuo@example.gov.cn>")
    reply_to: Mailbox = Field("", description="回复地址，可不写")
    domain: Host = Field("", description="Message-ID 与 EHLO 用的域名；不写则取发件人的域名")
    connections: int = Field(2, ge=1, le=16, description="保持的连接数，也就是同时发送的封数")
    receipts: Literal["off", "failure", "all"] = Field("failure", description="服务器支持 DSN 时要求哪些退信或回执")
    timeout: float = Field(30.0, gt=0, le=120, description="一封邮件最多等待的秒数")
    imap: Imap | None = Field(None, description="收答复和退信的邮箱；不写则只发不收")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Settings:
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("username 与 password 要么都写，要么都不写")
        if not self.sender:
            raise ValueError("缺少发件人 sender")
        if self.imap is not None and self.imap.plus and len(self.answer_address.partition("@")[0]) > 30:
            raise ValueError("plus = true 时，回复地址 @ 之前最多 30 个字符")
        return self

    @property
    def sender_address(self) -> str:
        return parseaddr(self.sender)[1]

    @property
    def answer_address(self) -> str:
        """Where answers go."""
        return parseaddr(self.reply_to)[1] or self.sender_address

    @property
    def own_domain(self) -> str:
        return self.domain or self.sender_address.rpartition("@")[2]

    @property
    def real_port(self) -> int:
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]
