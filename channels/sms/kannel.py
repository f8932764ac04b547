"""短信网关 in the manner of Kannel's smsbox: ``sendsms`` out, ``dlr-url`` and ``get-url`` back.

Out by POST (``X-Kannel-*`` headers, the text as the body) or by GET (everything in the query). POST is the default: it
keeps the password out of URLs and therefore out of other people's logs. Sources of the rules: the documentation of
Debian's kannel 1.4.5 and the behaviour of its smsbox.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

import aiohttp
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from yarl import URL

from channels.callback import Call, Errand, Heard, callback_path
from channels.channel import Abilities, Form, Letter, ReceiptKind, Window
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.fields import HttpUrl, Networks, bare_signature
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.extension import LEAST_DIGITS, extension
from channels.sms.kannel_inbound import REPORT_QUERY, read_call
from channels.sms.text import PART_UNITS, SINGLE_UNITS, find_link, plain_number, prefixed, segments, units

# Delivered, failed, buffered, taken by the carrier, refused by the carrier.
DLR_MASK = 31
_THROTTLED_REST = 30.0
_MINUTE = 60

# The gateway's own words for what is wrong with one number or one text; other 400s are wrong settings.
_WRONG_NUMBER = ("receiver number", "white- and/or black-lists", "not routable")
_NO_NUMBER = "missing receiver"
_WRONG_TEXT = ("charset or body",)


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "sms_kannel"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["sms_kannel"]
    url: HttpUrl = Field(min_length=1, description="网关的 sendsms 地址，例如 http://10.0.0.5:13013/cgi-bin/sendsms")
    username: str = Field(min_length=1, description="网关的用户名")
    password: SecretStr = Field(min_length=1, description="网关的密码")
    method: Literal["post", "get"] = Field("post", description="网关只支持 GET 时改为 get（密码会进对方的访问日志）")
    sender: str = Field("", description="主叫号码或接入码（from）；网关已设默认值时可不写")
    extend_digits: int = Field(
        0, ge=0, le=12, description="主叫号码之后可自加几位：每条短信带上自己的编号，回复“1”就知道是哪一条；0 表示不用"
    )
    smsc: str = Field("", description="指定网关内的线路（smsc），可不写")
    number_prefix: str = Field("", pattern=r"^\+?[0-9]{0,4}$", description="网关要求的号码前缀，例如 86 或 +86")
    signature: Annotated[str, AfterValidator(bare_signature)] = Field(
        "", description="运营商报备的签名，不含【】；会自动加在每条短信开头"
    )
    max_parts: int = Field(5, ge=1, le=10, description="一条长短信最多拆成几段")
    hub_url: HttpUrl = Field("", description="网关访问本系统的地址，例如 http://10.0.0.8:8080；不写则收不到送达回执")
    callback_token: SecretStr = Field(SecretStr(""), description="回调地址中的密令，至少 16 个字符")
    callback_addresses: Networks = Field(("127.0.0.1", "::1"), description="允许回调的网关地址或网段")
    per_minute: int = Field(0, ge=0, le=100, description="每个号码每分钟最多几条，多出的合并成汇总；0 表示不限")
    reserve: int = Field(0, ge=0, description="每分钟留给紧急消息的条数；写了 per_minute 才有意义")
    at_once: int = Field(8, ge=1, le=256, description="同时提交的条数")
    timeout: float = Field(10.0, gt=0, le=60, description="一次提交最多等待的秒数")

    @model_validator(mode="after")
    def _leaves_room(self) -> Settings:
        if self.reserve and self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        return self

    @model_validator(mode="after")
    def _door_is_guarded(self) -> Settings:
        token = self.callback_token.get_secret_value()
        if (self.hub_url or token) and len(token) < 16:
            raise ValueError("callback_token 至少 16 个字符：回调地址只靠它与地址名单保护")
        return self

    @model_validator(mode="after")
    def _extends_a_number(self) -> Settings:
        if self.extend_digits and (self.extend_digits < LEAST_DIGITS or not self.sender):
            raise ValueError(f"extend_digits 至少 {LEAST_DIGITS} 位，并且要写 sender；不用则写 0")
        return self


class Driver:
    """Submits one text message a letter; the gateway splits and joins long ones."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_headers",
        "_limits",
        "_mask",
        "_params",
        "_report_url",
        "_session",
        "_settings",
        "_url",
        "abilities",
        "callback_addresses",
        "callback_errands",
        "callback_token",
        "name",
    )

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        signed = units(_opening(settings.signature))
        most = SINGLE_UNITS if settings.max_parts == 1 else PART_UNITS * settings.max_parts
        token = settings.callback_token.get_secret_value()
        guarded_url = (
            settings.hub_url.rstrip("/") + callback_path(name, token, Errand.REPORT) if settings.hub_url else ""
        )
        self.abilities = Abilities(
            kind=settings.kind,
            word="短信",
            form=Form.SMS,
            max_chars=most - signed,
            first_chars=SINGLE_UNITS - signed,
            personal=True,
            links=False,
            replies=bool(token),
            windows=(Window(settings.per_minute, _MINUTE),) if settings.per_minute else (),
            reserve=settings.reserve,
            receipts=frozenset({ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}) if guarded_url else frozenset(),
            at_once=settings.at_once,
            timeout=settings.timeout,
        )
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = frozenset(Errand)
        self._settings = settings
        self._session = session
        self._report_url = guarded_url.replace("%", "%%")
        self._mask = Masker([settings.password.get_secret_value(), token])
        self._limits = limits_for(settings.timeout)
        self._url = URL(settings.url)
        common = {
            "username": settings.username,
            "password": settings.password.get_secret_value(),
            "coding": "2",
            **({"from": settings.sender} if settings.sender else {}),
            **({"smsc": settings.smsc} if settings.smsc else {}),
            **({"dlr-mask": str(DLR_MASK)} if guarded_url else {}),
        }
        self._params = {**common, "charset": "UTF-8"}
        self._headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            **{_HEADERS[parameter]: value for parameter, value in common.items()},
        }

    async def send(self, letter: Letter) -> Outcome:
        text = _opening(self._settings.signature) + letter.text
        refusal = self._refuses(letter.text, text)
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        try:
            number = prefixed(plain_number(letter.address), self._settings.number_prefix)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        answer = await self._submit(number, text, letter.id)
        return answer if isinstance(answer, Outcome) else self.read(answer, letter.at)

    async def greet(self, at: int) -> Greeting:
        """Submit without a receiver: the gateway looks at user and password first, and then misses the number."""
        if self._settings.method == "get":
            url = self._url.update_query(self._params)
            hailed = await hail(self._session, "GET", url, limits=self._limits, mask=self._mask)
        else:
            hailed = await hail(
                self._session,
                "POST",
                self._url,
                headers=self._headers,
                body=b"",
                limits=self._limits,
                mask=self._mask,
            )
        if isinstance(hailed, Greeting):
            return hailed
        outcome = self.read(hailed.answer, at)
        if _NO_NUMBER in outcome.detail.lower():
            return Greeting(Standing.WELL, "网关认可了用户名和密码")
        wrong = hailed.answer.status in (401, 403)
        return Greeting(Standing.WRONG_KEY if wrong else Standing.REFUSED, outcome.detail)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """A person's answer or a delivery report from a call-back; see :mod:`channels.sms.kannel_inbound`.

        Raises ValueError for rubbish.
        """
        return read_call(self.name, call, at, self._settings.extend_digits)

    def _refuses(self, bare: str, text: str) -> str:
        link = find_link(bare)
        if link:
            return f"短信中不能带链接：{link[:60]}"
        if not bare.strip():
            return "文本为空"
        if segments(text) > self._settings.max_parts:
            return f"短信 {units(text)} 字，需 {segments(text)} 段，上限 {self._settings.max_parts} 段"
        if any("\ud800" <= mark <= "\udfff" or (mark < " " and mark not in "\r\n\t") for mark in text):
            return "文本含有控制字符或无法编码的字符"
        return ""

    async def _submit(self, number: str, text: str, letter_id: str) -> Answer | Outcome:
        own = {"to": number}
        if self._settings.extend_digits:
            own["from"] = self._settings.sender + extension(letter_id, self._settings.extend_digits)
        if self._report_url:
            # A percent sign is the gateway's own mark in this URL and is written twice to stand for itself.
            own["dlr-url"] = f"{self._report_url}?letter={quote(letter_id, safe='').replace('%', '%%')}&{REPORT_QUERY}"
        if self._settings.method == "get":
            url = self._url.update_query({**self._params, **own, "text": text})
            return await ask(self._session, "GET", url, headers={}, limits=self._limits, mask=self._mask)
        headers = self._headers | {_HEADERS[parameter]: value for parameter, value in own.items()}
        return await ask(
            self._session,
            "POST",
            self._url,
            body=text.encode("utf-8"),
            headers=headers,
            limits=self._limits,
            mask=self._mask,
        )

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the gateway's whole answer means; ``at`` is the hub's time in ms, for a ``Retry-After`` date."""
        status = answer.status
        words = answer.body[:200].decode("utf-8", "replace").strip()
        detail = self._mask(f"HTTP {status} {words}")
        lower = words.lower()
        if status < 300:
            # "0: Accepted for delivery", "3: Queued for later delivery", or "Sent." where it answers at once.
            taken = lower.startswith(("0:", "3:", "sent."))
            return Outcome(OutcomeKind.ACCEPTED if taken else OutcomeKind.UNCERTAIN, detail)
        if status == 429:
            # The gateway counts what one account sends, to whomever.
            rest = retry_seconds(answer.retry_after, at, _THROTTLED_REST)
            return Outcome(OutcomeKind.THROTTLED, detail, retry_after=rest, whole_channel=True)
        if status == 504:
            return Outcome(OutcomeKind.UNCERTAIN, detail)
        if status >= 500 or status in (408, 425):
            return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
        if any(part in lower for part in _WRONG_NUMBER):
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, detail)
        if status == 413 or any(part in lower for part in _WRONG_TEXT):
            return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
        return Outcome(OutcomeKind.MISCONFIGURED, detail)


_HEADERS = {
    "username": "X-Kannel-Username",
    "password": "X-Kannel-Password",
    "to": "X-Kannel-To",
    "from": "X-Kannel-From",
    "coding": "X-Kannel-Coding",
    "smsc": "X-Kannel-SMSC",
    "dlr-mask": "X-Kannel-DLR-Mask",
    "dlr-url": "X-Kannel-DLR-Url",
}


def _opening(signature: str) -> str:
    return f"【{signature}】" if signature else ""
