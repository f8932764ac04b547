"""What every account that calls by approved templates has: the templates, the key that signs, limits, call-back door.

Shared by the vendors' settings, so that an administrator who changes the vendor finds the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from pydantic import Field, model_validator

from channels.channel import Abilities, Form, Letter, ReceiptKind
from channels.cloud import Limits, SecretDoor
from channels.sms.registered import SENTENCE, Registered
from escalation.vocabulary import Mode

AnyTemplate = TypeVar("AnyTemplate", bound="CallTemplate")
SPOKEN_A_SECOND = 4
"""How many characters are said in a second, at the usual speed."""
_KEY_SAID = re.compile(r"按\s*([0-9])")


class CallTemplate(Registered):
    """A template that is read aloud. The code needs more room here: it is read digit by digit."""

    least: ClassVar[Mapping[str, int]] = {"code": 16, "level": 8}


class Account(SecretDoor, Limits, Generic[AnyTemplate]):
    """An account with approved templates: one for incidents, and perhaps one for sentences."""

    telephones: ClassVar[bool] = True

    per_minute: int = Field(1, ge=0, le=100, description="每个号码每分钟最多打几次；0 表示不限")
    per_hour: int = Field(5, ge=0, le=1000, description="每个号码每小时最多打几次；0 表示不限")
    per_day: int = Field(20, ge=0, le=1000, description="每个号码 24 小时最多打几次；0 表示不限")
    reserve: int = Field(1, ge=0, description="每个时段留给紧急警情的次数")
    at_once: int = Field(8, ge=1, le=128, description="同时提交的呼叫数")
    templates: tuple[AnyTemplate, ...] = Field(min_length=1, max_length=2, description="报备通过的模板")
    empty: str = Field("无", min_length=1, max_length=2, description="没有内容的变量填什么；平台不收空变量")
    play_times: int = Field(2, ge=1, le=3, description="内容播放几遍")
    max_seconds: int = Field(45, ge=10, le=300, description="念一遍最长几秒（按每秒 4 字算），check 据此提醒")
    key: str = Field("1", pattern=r"^[0-9]$", description="按哪个键算签收")

    @property
    def keyed(self) -> bool:
        """Whether a key can be pressed in its calls."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _one_for_incidents(self) -> Account[AnyTemplate]:
        for template in self.templates:
            if template.topics not in ((), (SENTENCE,)):
                raise ValueError(f'模板 {template.code}：语音模板的 topics 只能不写，或写 ["sentence"]')
        if sum(not each.flows for each in self.templates) != 1:
            raise ValueError("要有且只有一个用于警情的模板（变量填 level、code 等）；另一个可填 text，用于测试等文字")
        return self

    @model_validator(mode="after")
    def _says_the_key(self) -> Account[AnyTemplate]:
        template = self.incident
        said = set(_KEY_SAID.findall(template.text))
        by_variable = any(each.source == "ask" for each in template.variables)
        if self.keyed and self.key not in said and not by_variable:
            raise ValueError(
                f"模板 {template.code} 没有说“签收请按{self.key}”：接电话的人不会知道；也可用填 ask 的变量"
            )
        if said - ({self.key} if self.keyed else set()):
            other = "、".join(sorted(said))
            raise ValueError(f"模板 {template.code} 让人按 {other}，这个渠道不认：检查 key，以及是否设置了按键")
        return self

    @property
    def incident(self) -> AnyTemplate:
        """The template for incidents."""
        return next(each for each in self.templates if not each.flows)

    @property
    def sentence(self) -> AnyTemplate | None:
        """The template for sentences, where there is one."""
        return next((each for each in self.templates if each.flows), None)

    def filled(self, letter: Letter) -> tuple[AnyTemplate, dict[str, str]] | None:
        """The template of a letter with its values; None where it is a sentence and nothing speaks sentences.

        A test is spoken by the template for incidents, if there is no other: so that is tested which is needed.
        """
        if letter.parts:
            return self.incident, self.incident.values(letter.text, letter.parts, self.empty)
        if self.sentence is not None:
            return self.sentence, self.sentence.values(letter.text, {}, self.empty)
        if letter.text.startswith(Mode.TEST.mark):
            parts = {"level": Mode.TEST.mark.strip("【】"), "news": "渠道测试", "place": "无需处置", "note": "渠道测试"}
            return self.incident, self.incident.values(letter.text, parts, self.empty)
        return None

    def abilities(
        self, kind: str, timeout: float, *, reports: bool, landlines: bool, asked_after: tuple[int, ...]
    ) -> Abilities:
        """What such an account can do; ``timeout`` is for a whole send, in seconds. ``reports``: what becomes of a call
        is told, or can be asked."""
        ends = {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED} | ({ReceiptKind.ANSWERED} if self.keyed else set())
        return Abilities(
            kind=kind,
            word="语音电话",
            form=Form.VOICE,
            max_chars=self.sentence.room if self.sentence is not None else None,
            personal=True,
            replies=reports and self.keyed,
            voice=True,
            digest=False,
            windows=self.windows,
            reserve=self.reserve,
            receipts=frozenset(ends) if reports else frozenset(),
            reports_by_id=True,
            asked_after=asked_after,
            at_once=self.at_once,
            timeout=timeout,
            key=self.key if self.keyed else "",
            landlines=landlines,
        )


def lengths(account: Account[AnyTemplate]) -> list[tuple[str, int, int]]:
    """Each template with how many characters its longest message has, and how many seconds it takes to say it: for
    ``check``."""
    return [(each.code, each.longest, -(-each.longest // SPOKEN_A_SECOND)) for each in account.templates]
