"""企业微信自建应用: a text to one member, with the link to their own page, and answers that come back.

Only members of the app's own corporation can be reached. Success and refusal both come as HTTP 200: ``errcode`` in the
body decides, and even with 0 the lists ``invaliduser`` and ``unlicenseduser`` name those who were left out. What is
over a member's 30 a minute or 1000 an hour the vendor drops without a word, so the hub counts itself (``windows``).
Sources of the rules: the vendor's pages path/90236 (send), 90454 (limits), 91039 (token), 90930 (call-back).
"""

from __future__ import annotations

import asyncio
import re
from hashlib import blake2s
from typing import Annotated, Any, ClassVar, Literal

import aiohttp
import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from yarl import URL

from channels.callback import Call, Heard, NotOursError
from channels.channel import Abilities, Form, Letter, Window
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.fields import HttpUrl
from channels.greeting import Greeting
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.app_errors import ASSUMED, DOCUMENTED, TOKEN_REFUSED
from channels.wecom.app_inbound import read_call
from channels.wecom.app_token import Login, TokenKeeper
from channels.wecom.callback_crypto import Seal, read_key

TEXT_BYTES = 2048
MINUTE, HOUR = 60, 3600
PATIENCE = 4.0
"""The vendor waits 5 seconds for the answer to a call-back."""
_MOST_REPEAT_SECONDS = 14_400
_LEAST = 0.5
"""Less time than this, in seconds, is not enough for another exchange."""
# One member and nobody else: neither several ("a|b") nor everybody ("@all").
_USERID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.-]{0,63}", re.ASCII)


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


class Driver:
    """Sends texts of an app, one member a letter, and reads what members write to it."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_keeper",
        "_login",
        "_mask",
        "_meanings",
        "_seal",
        "_secrets",
        "_session",
        "_settings",
        "_url",
        "abilities",
        "listens",
        "name",
        "patience",
    )

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        token = settings.callback_token.get_secret_value()
        self.abilities = Abilities(
            kind=settings.kind,
            word="企业微信应用",
            form=Form.TEXT,
            max_bytes=TEXT_BYTES,
            personal=True,
            links=True,
            replies=bool(token),
            windows=(Window(settings.per_minute, MINUTE), Window(settings.per_hour, HOUR)),
            reserve=settings.reserve,
            at_once=settings.at_once,
            timeout=settings.timeout,
        )
        secret, key = settings.secret.get_secret_value(), settings.callback_key.get_secret_value()
        self._settings = settings
        self._session = session
        self._secrets = [secret, token, key]
        self._mask = Masker(self._secrets)
        self._meanings = {**settings.codes, **DOCUMENTED}
        base = URL(settings.base_url.rstrip("/"))
        self._url = base / "cgi-bin/message/send"
        asking = (base / "cgi-bin/gettoken").with_query({"corpid": settings.corpid, "corpsecret": secret})
        self._login = Login(session, asking, self._mask, settings.timeout / 2, self._meanings)
        self._keeper = TokenKeeper(self._login)
        self._seal = Seal.of(token, key, settings.corpid) if token else None
        self.listens = self._seal is not None
        self.patience = PATIENCE

    async def send(self, letter: Letter) -> Outcome:
        try:
            length = len(letter.text.encode("utf-8"))
        except UnicodeEncodeError:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "文本含有无法编码的字符")
        if length > TEXT_BYTES or not letter.text.strip():
            # The vendor would cut a longer text without a word.
            said = f"文本长 {length} 字节，上限 {TEXT_BYTES}" if length else "文本为空"
            return Outcome(OutcomeKind.REFUSED_CONTENT, said)
        member = letter.address.strip()
        if not is_userid(member):
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(f"{member[:30]!r} 不是企业微信成员的 userid"))
        body = orjson.dumps(self._message(letter, member))
        end = asyncio.get_running_loop().time() + self._settings.timeout
        refused = ""
        for last in (False, True):
            token = await self._token(letter.at, end, refused)
            if isinstance(token, Outcome):
                return token
            outcome = await self._post(body, token, letter.at, member, end)
            if outcome is not None:
                return outcome
            if last:
                break
            refused = token
        return Outcome(
            OutcomeKind.MISCONFIGURED, "平台两次拒绝 access_token：请核对 corpid、secret 与 agentid 是否同一应用"
        )

    async def greet(self, at: int) -> Greeting:
        """Ask for an access token, and keep it for nothing."""
        return await self._login.greet(at)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Read one call-back; see :mod:`channels.wecom.app_inbound` for what it raises."""
        if self._seal is None:
            raise NotOursError(f"渠道 {self.name} 没有写 callback_token")
        return read_call(self._seal, self.name, call, at, self._settings.callback_window)

    def _message(self, letter: Letter, member: str) -> dict[str, Any]:
        message = {
            "touser": member,
            "msgtype": "text",
            "agentid": self._settings.agentid,
            "text": {"content": letter.text},
            "safe": 0,
        }
        if self._settings.repeat_seconds:
            # The vendor drops a request that equals an earlier one, byte for byte. A repeat of one letter shall be
            # dropped, two letters of the same words shall not: so the letter's id goes into the length of the interval.
            least, digest = self._settings.repeat_seconds, blake2s(letter.id.encode(), digest_size=4).digest()
            interval = least + int.from_bytes(digest, "big") % (_MOST_REPEAT_SECONDS - least + 1)
            message |= {"enable_duplicate_check": 1, "duplicate_check_interval": interval}
        return message

    async def _token(self, now: int, end: float, refused: str) -> str | Outcome:
        try:
            async with asyncio.timeout_at(end - _LEAST):
                return await self._keeper.get(now, refused=refused)
        except TimeoutError:
            return Outcome(OutcomeKind.TRANSIENT, "等待 access_token 超时，消息未发出")

    async def _post(self, body: bytes, token: str, at: int, member: str, end: float) -> Outcome | None:
        """What became of one request; None where the vendor refuses the token."""
        answer = await ask(
            self._session,
            "POST",
            self._url.with_query({"access_token": token}),
            body=body,
            headers={"Content-Type": "application/json; charset=utf-8"},
            limits=limits_for(max(end - asyncio.get_running_loop().time(), _LEAST)),
            mask=Masker([token, *self._secrets]),
        )
        return answer if isinstance(answer, Outcome) else self.read(answer, at, member)

    def read(self, answer: Answer, at: int, member: str) -> Outcome | None:
        """What the vendor's whole answer means for ``member``: the body's ``errcode``, and the HTTP status only where
        there is none; None where it refuses the token. ``at`` is the hub's time in ms."""
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            said = None
        code = said.get("errcode") if isinstance(said, dict) else None
        if not isinstance(said, dict) or isinstance(code, bool) or not isinstance(code, int):
            return self._read_status(answer, at)
        if code in TOKEN_REFUSED:
            return None
        detail = self._mask(f"{code} {said.get('errmsg', '')}")
        kind = self._meanings.get(code, OutcomeKind.TRANSIENT)
        if kind is OutcomeKind.THROTTLED:
            # The vendor says so of the app's or the corporation's calls; of one member's limit it says nothing.
            return Outcome(kind, detail, retry_after=float(MINUTE), whole_channel=True)
        if kind is OutcomeKind.ACCEPTED:
            for name, words in (
                ("invaliduser", "不是本企业成员或不在应用可见范围"),
                ("unlicenseduser", "没有接口许可"),
            ):
                if member.lower() in _members(said.get(name)):
                    return Outcome(OutcomeKind.REFUSED_RECIPIENT, f"{code} {name}：{words}")
            vendor_id = said.get("msgid")
            return Outcome(kind, detail, vendor_id=vendor_id[:128] if isinstance(vendor_id, str) else None)
        return Outcome(kind, detail)

    def _read_status(self, answer: Answer, at: int) -> Outcome:
        status = answer.status
        detail = self._mask(f"HTTP {status}，应答中没有 errcode：{answer.body[:200].decode('utf-8', 'replace')}")
        if status == 429:
            rest = retry_seconds(answer.retry_after, at, float(MINUTE))
            return Outcome(OutcomeKind.THROTTLED, detail, retry_after=rest, whole_channel=True)
        if status == 413:
            return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
        if status < 300 or status == 504:
            # A gateway that gave up waiting does not know whether the vendor took the message.
            return Outcome(OutcomeKind.UNCERTAIN, detail)
        if status >= 500 or status in (408, 425):
            return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
        return Outcome(OutcomeKind.MISCONFIGURED, detail)


def is_userid(address: str) -> bool:
    """Whether ``address`` names one member: not several (``a|b``), nobody but a member (``@all``)."""
    return _USERID.fullmatch(address) is not None


def _members(said: Any) -> set[str]:
    """Names come back in lower case, whatever they are."""
    return {each.strip().lower() for each in said.split("|")} if isinstance(said, str) else set()
