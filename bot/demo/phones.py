"""The phones on the wall: one for each person and each duty room, one of a stranger, and what came to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.demo.bubbles import app_parts, card_parts, ding_card_parts, mail_parts, markdown_lines, plain_lines
from bot.demo.county import MEMBERS_OF
from bot.demo.simulators.vendor import Received, Refused
from bot.demo.telephone import BUTTONS
from bot.rendering import people, words
from bot.settings.models import Settings
from channels.masking import mask_phones
from escalation.directory import Directory, Post
from escalation.roster import standing
from escalation.vocabulary import Role, Tier

SMS, MAIL, GROUP, APP, DING, CALL = "sms", "mail", "wecom", "app", "ding", "call"
ROBOT = "wecom_aibot"
_FORMS = {
    "sms_kannel": SMS,
    "sms_aliyun": SMS,
    "sms_tencent": SMS,
    "sms_mas": SMS,
    "sms_spool": SMS,
    "smtp_mail": MAIL,
    "wecom_robot": GROUP,
    "dingtalk_robot": GROUP,
    "feishu_robot": GROUP,
    f"{ROBOT}_group": GROUP,
    "dingtalk_app_group": GROUP,
    "wecom_app": APP,
    ROBOT: APP,
    "dingtalk_app": DING,
    "voice_aliyun": CALL,
    "voice_tencent": CALL,
}
_GROUPS = {
    "wecom_robot": "企业微信群",
    "dingtalk_robot": "钉钉群",
    "feishu_robot": "飞书群",
    f"{ROBOT}_group": "企业微信群",
    "dingtalk_app_group": "钉钉群",
}
_KEPT = 60
_WORDS = {SMS: "短信", MAIL: "邮件", GROUP: "群消息", APP: "企业微信", DING: "钉钉", CALL: "来电"}
REFUSED = "refused"
STRANGER = "stranger"
STRANGERS_NUMBER = "13900130099"
"""The phone of somebody whom no directory knows."""
_CRIES = (
    ("着火", "明木家具车间着火了，有人被困"),
    ("爆炸", "听到爆炸声，无人员伤亡"),
    ("误会", "泄漏探头故障，没有泄漏"),
    ("签收", "签收"),
    ("帮助", "帮助"),
)
"""What a stranger may write, by its button."""


@dataclass
class Phone:
    """One phone. ``number`` and ``mail`` are whole here and leave the server only masked; ``line`` is the channel that
    writes to the number; ``member`` is a userid in the WeCom app, ``ding`` one in DingTalk's; ``unit`` and
    ``group`` (where it is read) are those of a post with a group. ``chat`` is that group to a vendor whose robot hears
    what is said in it, ``speakers`` the userids of its members by their phones' ids. ``tier`` is None for a
    stranger's."""

    id: str
    name: str
    post: str
    tier: Tier | None
    place: str
    number: str = ""
    line: str = ""
    mail: str = ""
    unit: str = ""
    member: str = ""
    ding: str = ""
    group: str = ""
    chat: str = ""
    speakers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """What is shown of where the phone is reached."""
        if self.unit:
            return "" if self.chat else self.group
        return mask_phones(self.number) or _masked_mail(self.mail)

    @property
    def answers(self) -> bool:
        """Whether somebody can write on it."""
        return bool(self.number or self.member or self.ding or self.mail or self.speakers)

    @property
    def way(self) -> str:
        """By which channel its owner writes: by mail who is reached by mail alone, else by the one that the newest
        message came by, of those that take answers."""
        ways = {SMS: self.number, APP: self.member, DING: self.ding}
        if self.mail and not any(ways.values()):
            return MAIL
        came = (each["by"] for each in reversed(self.messages) if ways.get(each["by"]))
        return next(came, next((way for way, address in ways.items() if address), SMS))

    def shown(self) -> dict[str, Any]:
        """The phone as the page gets it."""
        return {
            "id": self.id,
            "name": self.name,
            "post": self.post,
            "tier": self.tier.value if self.tier else STRANGER,
            "place": self.place,
            "address": self.address,
            "group": bool(self.unit),
            "speakers": list(self.speakers),
            "answers": self.answers,
            "app": bool(self.member or self.ding),
            "quick": [] if self.tier else [list(each) for each in _CRIES],
            "messages": self.messages,
        }


class Phones:
    """All phones of a county, by id and by address."""

    def __init__(self, settings: Settings, directory: Callable[[], Directory]) -> None:
        """``directory`` is the one in force; who has a phone is settled at the beginning."""
        self._in_force = directory
        self._directory = directory()
        self._base = settings.hub.public_url
        self._count = 0
        kinds = {name: str(getattr(table, "kind", "")) for name, table in settings.channels.items()}
        found = [*self._groups(kinds, settings), *self._people(kinds)]
        order = {post.unit: place for place, post in reversed(list(enumerate(self._directory.posts)))}
        found.sort(key=lambda each: (each.tier.rank if each.tier else 0, order.get(each.place, 0)))
        line = next((name for name, kind in kinds.items() if _FORMS.get(kind) == SMS), "")
        found.append(Phone(STRANGER, "陌生号码", "通讯录里没有的人", None, "", STRANGERS_NUMBER, line))
        self.by_id = {phone.id: phone for phone in found}
        self._by_address = {(GROUP, phone.id.removeprefix("group-")): phone for phone in found if phone.unit}
        self._by_address |= {(SMS, phone.number): phone for phone in found if phone.number}
        self._by_address |= {(CALL, phone.number): phone for phone in found if phone.number}
        self._by_address |= {(MAIL, phone.mail): phone for phone in found if phone.mail}
        self._by_address |= {(APP, phone.member): phone for phone in found if phone.member}
        self._by_address |= {(DING, phone.ding): phone for phone in found if phone.ding}
        self._by_address |= {(form, phone.chat): phone for phone in found if phone.chat for form in (APP, DING)}
        for phone in found:
            for userid in MEMBERS_OF.get(phone.id.removeprefix("group-"), ()) if phone.chat else ():
                owner = self._by_address.get((APP, userid)) or self._by_address[DING, userid]
                phone.speakers[owner.id] = userid
        for phone in found:
            phone.place = people.unit(self._directory, phone.place) if phone.place else ""

    def _groups(self, kinds: dict[str, str], settings: Settings) -> list[Phone]:
        directory = self._directory
        found: list[Phone] = []
        for post in directory.posts:
            by_form = {_FORMS.get(kinds.get(entry.channel, "")): entry for entry in reversed(post.contacts)}
            group, phone = by_form.get(GROUP), by_form.get(SMS)
            if group is None:
                continue
            table = settings.channels[group.channel]
            chat = str(getattr(table, "chatid", "") or getattr(table, "conversation", ""))
            where = _GROUPS[kinds[group.channel]]
            room = Phone(
                id=f"group-{group.channel}",
                name=people.post(directory, post.unit, post.role),
                post=f"值班手机 {mask_phones(phone.address)}"
                if phone
                else f"{where}，机器人听得到"
                if chat
                else f"{post.role.word}群",
                tier=directory.tier_of(post.unit),
                place=post.unit,
                unit=post.unit,
                group=where,
                chat=chat,
            )
            if phone is not None:
                room.number, room.line = phone.address, phone.channel
            found.append(room)
        return found

    def _people(self, kinds: dict[str, str]) -> list[Phone]:
        directory = self._directory
        found: list[Phone] = []
        for person in directory.people.values():
            posts = [post for post in directory.posts if person.id in _people_of(post)]
            if not posts:
                continue
            unit = posts[0].unit
            roles = dict.fromkeys(post.role.word for post in posts if post.unit == unit)
            phone = Phone(
                id=person.id,
                name=person.name,
                post="、".join(list(roles)[:2]),
                tier=directory.tier_of(unit),
                place=unit,
            )
            for entry in person.contacts:
                form = _FORMS.get(kinds.get(entry.channel, ""))
                if form == SMS and not phone.number:
                    phone.number, phone.line = entry.address, entry.channel
                elif form == MAIL:
                    phone.mail = phone.mail or entry.address
                elif form == APP:
                    phone.member = phone.member or entry.address
                elif form == DING:
                    phone.ding = phone.ding or entry.address
            found.append(phone)
        return found

    def rooms(self) -> dict[str, str]:
        """What the groups are called, by channel."""
        return {
            phone.id.removeprefix("group-"): f"{phone.place}{phone.group}"
            for phone in self.by_id.values()
            if phone.unit
        }

    def on_duty(self, at: int) -> dict[str, str]:
        """For each duty room's group who stands there at ``at`` (ms): names, for the line below the group."""
        return {
            phone.id: "、".join(
                who.name for who in standing(self._in_force(), phone.unit, Role.DUTY_ROOM, at) if who.person
            )
            for phone in self.by_id.values()
            if phone.unit and not phone.speakers
        }

    def received(self, message: Received) -> tuple[Phone, dict[str, Any]] | None:
        """Show what a vendor took on the phone it goes to; None where no phone has that address."""
        form = _FORMS.get(message.channel, "")
        phone = self._by_address.get((form, message.address))
        if phone is None:
            return None
        if phone.unit and form in (APP, DING):
            form = GROUP
        shown: dict[str, Any] = {"by": form, "word": _WORDS[form]}
        if form == MAIL:
            head, rest, link = mail_parts(message.text, self._base)
            shown |= {"subject": message.subject, "lines": head, "more": rest, "link": link}
        elif form in (APP, DING):
            text = message.text
            if message.subject:
                parts = card_parts if form == APP else ding_card_parts
                text, shown["card"] = parts(text, message.raw, message.subject)
            shown["lines"], shown["link"] = app_parts(text, self._base)
            if message.channel == ROBOT and not message.subject:
                shown["lines"] = markdown_lines(text)
        elif form == CALL:
            shown["lines"] = plain_lines(message.text)
            shown["card"] = {"task": message.subject, "buttons": list(BUTTONS[message.channel]), "replaced": ""}
        else:
            shown["lines"] = markdown_lines(message.text) if form == GROUP else plain_lines(message.text)
        return phone, self._add(phone, shown, message.at)

    def refused(self, message: Refused) -> tuple[Phone, dict[str, Any]] | None:
        """Show what a vendor did not take where it should have come; the same refusal again is counted."""
        form = _FORMS.get(message.channel, "")
        phone = self._by_address.get((form, message.address))
        if phone is None:
            return None
        last = phone.messages[-1] if phone.messages else {}
        if last.get("by") == REFUSED and last["code"] == message.code:
            last["times"] += 1
            last["time"] = f"{words.local(message.at):%H:%M}"
            return phone, last
        lines = plain_lines(f"平台没有收下：{message.code} {message.words}")
        shown = {"by": REFUSED, "word": f"{_WORDS[form]}未送出", "lines": lines, "code": message.code, "times": 1}
        return phone, self._add(phone, shown, message.at)

    def original(self, phone: Phone, message: int) -> str:
        """The text of a message that can be quoted: one of the app's on this phone; '' for any other."""
        for each in phone.messages:
            if each["id"] == message and each["by"] == APP:
                return "\n".join("".join(part["text"] for part in line["parts"]) for line in each["lines"])
        return ""

    def spoken(self, phone: Phone, speaker: str, text: str, at: int) -> dict[str, Any]:
        """Show what a member said to the robot in a group."""
        word = f"{self.by_id[speaker].name} 在群里"
        return self._add(phone, {"by": "me", "word": word, "lines": plain_lines(f"@烽火 {text}")}, at)

    def sent(self, phone: Phone, text: str, at: int, way: str, original: str = "") -> dict[str, Any]:
        """Show what the person wrote by ``way``, on their own phone, below the original they quoted."""
        quoted = (
            [{**line, "quote": True} for line in plain_lines(original.split("\n", maxsplit=1)[0])] if original else []
        )
        lines = [*quoted, *plain_lines(text)]
        return self._add(phone, {"by": "me", "word": f"发出（{_WORDS[way]}）", "lines": lines}, at)

    def _add(self, phone: Phone, shown: dict[str, Any], at: int) -> dict[str, Any]:
        self._count += 1
        row = {"id": self._count, "at": at, "time": f"{words.local(at):%H:%M}", **shown}
        phone.messages.append(row)
        del phone.messages[:-_KEPT]
        return row


def _people_of(post: Post) -> set[str]:
    return {*post.people, *(each for shift in post.roster for each in shift.people)}


def _masked_mail(address: str) -> str:
    name, at, host = address.partition("@")
    return f"{name[:2]}***{at}{host}" if at else ""
