"""中国移动云MAS: texts of one's own or approved templates out, delivery reports and answers back.

The answer's ``rspcod`` decides, whatever the HTTP status. There is nothing to ask what became of a submission, so one
whose answer was lost is repeated once and may arrive twice. The account's seal travels with every request and the
texts are readable on the way: the line to the platform should be a private one. Source of the rules: several public
implementations that agree.
"""

from __future__ import annotations

from typing import Any, ClassVar

import aiohttp
import orjson
from yarl import URL

from channels.callback import Call, Heard
from channels.channel import Abilities, Form, Letter, ReceiptKind
from channels.exchange import Answer, ask, json_object, limits_for, read_status
from channels.greeting import Greeting, reach
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.mas_inbound import read_call
from channels.sms.mas_settings import SUCCESS, Settings
from channels.sms.mas_signing import BY_TEMPLATE, PLAIN, sealed
from channels.sms.sending import why_refused
from channels.sms.text import SINGLE_UNITS, plain_number, segments, units

__all__ = ["Driver", "Settings"]


class Driver:
    """Submits one text message a letter; the platform splits long ones."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_limits",
        "_mask",
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
        self.abilities = abilities_of(settings)
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = settings.errands
        self._settings = settings
        self._session = session
        token = settings.callback_token.get_secret_value()
        self._mask = Masker([settings.secret_key.get_secret_value(), token])
        self._limits = limits_for(settings.timeout)
        self._url = URL(settings.endpoint.rstrip("/"))

    async def send(self, letter: Letter) -> Outcome:
        try:
            number = plain_number(letter.address)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        account = self._settings
        common = {
            "ecName": account.ec_name,
            "apId": account.ap_id,
            "secretKey": account.secret_key.get_secret_value(),
            "mobiles": number,
            "sign": account.sign,
            "addSerial": account.extension(letter.id),
        }
        order: tuple[str, ...]
        if account.templates:
            template, values = account.filled(letter)
            refusal = why_refused(letter.text, template.whole(values))
            params = orjson.dumps([values[each.name] for each in template.variables]).decode()
            fields, order = {**common, "templateId": template.code, "params": params}, BY_TEMPLATE
        else:
            whole = account.opening + letter.text
            refusal = why_refused(letter.text, letter.text) or self._too_long(whole)
            fields, order = {**common, "content": whole if account.write_signature else letter.text}, PLAIN
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        answer = await ask(
            self._session,
            "POST",
            self._url.with_path(account.template_path if account.templates else account.plain_path),
            body=sealed(fields, order),
            headers={"Content-Type": account.content_type},
            limits=self._limits,
            mask=self._mask,
        )
        return answer if isinstance(answer, Outcome) else self.read(answer, letter.at)

    async def greet(self, at: int) -> Greeting:
        """The platform has no call that only logs in."""
        return await reach(self._session, self._url, at, self._limits)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Delivery reports or answers pushed by the platform. Raises ValueError for rubbish."""
        account = self._settings
        return read_call(self.name, call, at, digits=account.extend_digits, delivered=account.delivered)

    def _too_long(self, whole: str) -> str:
        parts, most = segments(whole), self._settings.max_parts
        return f"短信 {units(whole)} 字，按 {parts} 条计费，上限 {most} 条" if parts > most else ""

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the platform's whole answer means: ``rspcod``, and the HTTP status only where there is none; ``at`` is
        the hub's time in ms."""
        said = json_object(answer.body)
        code = said.get("rspcod")
        if not isinstance(code, str) or not code:
            return read_status(answer, at, self._mask, "rspcod")
        group = said.get("msgGroup")
        if code == SUCCESS and said.get("success") is not False:
            return Outcome(
                OutcomeKind.ACCEPTED, self._mask(code), vendor_id=group if isinstance(group, str) and group else None
            )
        kind = self._settings.meaning(code)
        rest = 60.0 if kind is OutcomeKind.THROTTLED else None
        return Outcome(kind, self._mask(code), retry_after=rest)


def abilities_of(settings: Settings) -> Abilities:
    """With templates those of any cloud; without, as many characters as its parts hold beside the signature."""
    if settings.templates:
        return settings.abilities(settings.kind, settings.timeout, reports_by_id=True)
    token = settings.callback_token.get_secret_value()
    return Abilities(
        kind=settings.kind,
        word="短信",
        form=Form.SMS,
        max_chars=settings.most,
        first_chars=SINGLE_UNITS - units(settings.opening),
        personal=True,
        replies=bool(token) and settings.uplink,
        windows=settings.windows,
        reserve=settings.reserve,
        receipts=frozenset({ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}) if token else frozenset(),
        reports_by_id=True,
        at_once=settings.at_once,
        timeout=settings.timeout,
    )
