"""What every account at a cloud that sends registered templates has: signature, templates, limits, call-back door.

Shared by the vendors' settings, so that an administrator who changes the vendor finds the same words.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from channels.callback import Errand
from channels.channel import Abilities, Form, Letter, ReceiptKind
from channels.cloud import Limits, SecretDoor
from channels.fields import bare_signature
from channels.sms.extension import LEAST_DIGITS, extension
from channels.sms.registered import LONGEST_MESSAGE, SENTENCE, TOPICS, Template
from channels.sms.text import units

# Neutral text grows where one sign becomes two.
_SPARE = 6

AnyTemplate = TypeVar("AnyTemplate", bound=Template)


class Door(SecretDoor):
    """Where such a vendor brings reports, and answers where those were bought."""

    uplink: bool = Field(True, description="是否开通了上行短信；没有开通写 false，短信里就不写“回1签收”")

    @property
    def errands(self) -> frozenset[Errand]:
        """What the vendor may bring."""
        return frozenset({Errand.REPORT, Errand.UPLINK} if self.uplink else {Errand.REPORT})


class Account(Door, Limits, Generic[AnyTemplate]):
    """An account with approved templates. ``templates`` may be empty only where the vendor takes free text too."""

    signature: Annotated[str, AfterValidator(bare_signature)] = Field(
        min_length=1, description="报备通过的签名，不带【】"
    )
    templates: tuple[AnyTemplate, ...] = Field(min_length=1, description="报备通过的模板")
    empty: str = Field("无", min_length=1, max_length=2, description="没有内容的变量填什么；平台不收空变量")
    extend_code: str = Field("", pattern=r"^[0-9]{0,10}$", description="上行扩展码，没有购买则不写")
    extend_digits: int = Field(
        0,
        ge=0,
        le=12,
        description="扩展码之后可自加几位：每条短信带上自己的编号，回复“1”就知道是哪一条；0 表示不用",
    )
    max_parts: int = Field(3, ge=1, le=8, description="一条消息最长允许按几条计费，check 据此检查模板")

    @field_validator("extend_digits")
    @classmethod
    def _holds_a_code(cls, value: int) -> int:
        if value and value < LEAST_DIGITS:
            raise ValueError(f"至少 {LEAST_DIGITS} 位才放得下编号，不用则写 0")
        return value

    @model_validator(mode="after")
    def _every_message_has_one_template(self) -> Account[AnyTemplate]:
        if not self.templates:
            return self
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
    def _is_short_enough(self) -> Account[AnyTemplate]:
        for template in self.templates:
            length = template.longest + units(template.signature or self.signature) + 2
            if length > LONGEST_MESSAGE:
                raise ValueError(f"模板 {template.code} 最长 {length} 字（含签名），平台上限 {LONGEST_MESSAGE} 字")
        if self.templates and self.by_topic[SENTENCE].room < 35:
            raise ValueError("用于 sentence 的模板，变量合计至少 35 字，否则编号和级别放不下")
        return self

    @cached_property
    def by_topic(self) -> dict[str, AnyTemplate]:
        """The template of every topic; none where there are no templates."""
        if not self.templates:
            return {}
        rest = next((each for each in self.templates if not each.topics), self.templates[0])
        named = {topic: each for each in self.templates for topic in each.topics}
        return {topic: named.get(topic, rest) for topic in TOPICS}

    def filled(self, letter: Letter) -> tuple[AnyTemplate, dict[str, str]]:
        """The template of a letter, and a value for each of its variables."""
        template = self.by_topic.get(letter.topic if letter.parts else SENTENCE, self.by_topic[SENTENCE])
        return template, template.values(letter.text, letter.parts, self.empty)

    def extension(self, letter_id: str) -> str:
        """The digits after the number a letter comes from, '' where none were bought."""
        return self.extend_code + extension(letter_id, self.extend_digits)

    def abilities(self, kind: str, timeout: float, *, reports_by_id: bool = False) -> Abilities:
        """What such an account can do with its templates; ``timeout`` is for a whole send, in seconds."""
        token = self.callback_token.get_secret_value()
        return Abilities(
            kind=kind,
            word="短信",
            form=Form.SMS,
            max_chars=self.by_topic[SENTENCE].room - _SPARE,
            personal=True,
            links=False,
            replies=bool(token) and self.uplink,
            windows=self.windows,
            reserve=self.reserve,
            receipts=frozenset({ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}) if token else frozenset(),
            reports_by_id=reports_by_id,
            at_once=self.at_once,
            timeout=timeout,
            registered=frozenset(topic for topic in TOPICS if not self.by_topic[topic].flows),
        )


def preview(account: Account[AnyTemplate]) -> list[tuple[str, str, int]]:
    """Each template with its longest message and how many characters that has, signature included: for ``check``."""
    found: list[tuple[str, str, int]] = []
    for template in account.templates:
        sign = f"【{template.signature or account.signature}】"
        full = template.whole({each.name: "字" * each.cap for each in template.variables})
        found.append((template.code, sign + full, units(sign) + template.longest))
    return found
