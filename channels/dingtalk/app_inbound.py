"""What a DingTalk app hears: messages to its robot and presses of its cards' buttons, by stream or by HTTP. Pure.

By HTTP the vendor signs the time alone and not the body: so the path holds a secret as well, messages are known by
their ``msgId``, and a button's value is one that only the hub can make. Sources of the rules: the vendor's pages on
robots that receive messages and on card call-backs.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from hashlib import blake2s
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from channels.callback import Call, Heard, NotOursError, Thanks, Unread
from channels.channel import Press, Uplink
from channels.dingtalk.outsiders import Outsiders
from channels.dingtalk.robot import sign

MESSAGES = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"

_KINDS = MappingProxyType(
    {
        "picture": "图片",
        "audio": "语音",
        "video": "视频",
        "file": "文件",
        "location": "位置",
        "interactiveCard": "卡片",
        "unknownMsgType": "暂不支持的消息",
    }
)
_THANKS = Thanks(b"{}", "application/json")
_LONGEST_TEXT = 2000
_LONGEST_ID = 256
_LONGEST_MEDIA = 2048
_LONGEST_CODE = 1024
_MOST_PICTURES = 9
_FIRST = ("text", "content", "senderNick", "senderStaffId", "userId")
_BRACKETS = str.maketrans("「」", "『』")
_USERID = re.compile(r"[^\s\x00-\x20\x7f]{1,64}")


class Hearing(NamedTuple):
    """Whose messages are read: the channel's name, and how people outside the corporation are named."""

    channel: str
    outsiders: Outsiders


def is_userid(address: str) -> bool:
    """Whether ``address`` can be a member's userid."""
    return _USERID.fullmatch(address) is not None


def read_call(hearing: Hearing, secret: str, call: Call, at: int, window: int) -> Heard:
    """Read one HTTP call-back at the hub's time ``at`` (ms). ``window``: how many seconds its own time may be off that.

    Raises :class:`channels.callback.NotOursError` for a message with a wrong signature or a stale time, ValueError for
    what the vendor cannot mean. A card's call-back bears no signature.
    """
    said = _object(call.body)
    if "outTrackId" in said:
        # No id comes with it: the same press within a second is one.
        identity = blake2s(call.body + b"%d" % (at // 1000), digest_size=16).hexdigest()
        return Heard(read_press(hearing, said, at, identity), _THANKS)
    stamp, given = call.headers.get("timestamp", ""), call.headers.get("sign", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
        raise NotOursError("回调缺少 timestamp")
    if not hmac.compare_digest(sign(secret, int(stamp)).encode(), given.encode("utf-8", "replace")):
        raise NotOursError("回调签名不对：请核对 client_secret")
    if abs(at - int(stamp)) > window * 1000:
        raise NotOursError(f"回调的时间戳与本机时钟相差超过 {window} 秒")
    return Heard(read_message(hearing, said, at), _THANKS)


def read_pushed(hearing: Hearing, topic: str, identity: str, data: str, at: int) -> Heard:
    """What one frame of the stream brings; ``identity`` is the frame's own. Never raises: the vendor would send the
    same again, so what cannot be read is kept as it is."""
    try:
        said = _object(data.encode("utf-8", "replace"))
        # Whoever is told of what cannot be read is told its beginning: who wrote what, unescaped.
        data = orjson.dumps({name: said[name] for name in _FIRST if name in said} | said).decode()
        if topic == MESSAGES:
            return Heard(read_message(hearing, said, at), _THANKS)
        if topic == CARDS:
            return Heard(read_press(hearing, said, at, identity), _THANKS)
        raise ValueError(f"推送的主题 {topic[:80]!r} 不认识")
    except ValueError as error:
        return Heard((), _THANKS, (Unread(str(error), data),))


def read_message(hearing: Hearing, said: Mapping[str, Any], at: int) -> tuple[Uplink, ...]:
    """A message to the robot: one item for its text and one for each picture. Raises ValueError."""
    identity, kind = _line(_text(said, "msgId")), _text(said, "msgtype")
    if not identity or len(identity) > _LONGEST_ID or not kind:
        raise ValueError("消息缺少 msgId 或 msgtype")
    sender = _sender(hearing, said)

    def uplink(number: int, **more: Any) -> Uplink:
        name = f"{identity}.{number}" if number else identity
        return Uplink(**{"text": "", **more}, channel=hearing.channel, message_id=name, sender=sender, at=at)

    if kind == "text":
        part = _part(said, "text")
        text = _limited(_text(part, "content"), _quoted(part))
        return (uplink(0, text=text, other="" if text else "空消息"),)
    content = _part(said, "content")
    if kind == "picture":
        media = _media(content)
        return (uplink(0, other="图片", media=media) if media else uplink(0, other="无法取回的图片"),)
    if kind == "richText":
        return _rich(content, uplink)
    return (uplink(0, other=_KINDS.get(kind, "暂不支持的消息")),)


def read_press(hearing: Hearing, said: Mapping[str, Any], at: int, identity: str) -> tuple[Uplink, ...]:
    """A button pressed on a card. Raises ValueError."""
    card, sender = _text(said, "outTrackId"), _text(said, "userId")
    if not card or len(card) > _LONGEST_ID or not is_userid(sender):
        raise ValueError("卡片回调缺少 outTrackId 或 userId")
    content = said.get("content")
    pressed = _part(_object(content.encode("utf-8", "replace")) if isinstance(content, str) else {}, "cardPrivateData")
    code = _text(_part(pressed, "params"), "code")
    if not code or len(code) > _LONGEST_CODE:
        raise ValueError("卡片回调的参数里没有 code：请核对卡片模板的按钮是否回传了 code")
    press = Press(card=card, code=code, handle=card)
    return (
        Uplink(channel=hearing.channel, message_id=f"press.{identity}", sender=sender, text="", at=at, press=press),
    )


def _sender(hearing: Hearing, said: Mapping[str, Any]) -> str:
    """The member's userid; for anybody outside the corporation an address that reaches their conversation alone."""
    member, corporation = _text(said, "senderStaffId"), _text(said, "senderCorpId")
    if is_userid(member) and corporation in ("", _text(said, "chatbotCorpId")):
        return member
    until = said.get("sessionWebhookExpiredTime")
    if not isinstance(until, int) or isinstance(until, bool) or not 0 <= until < 10**14:
        until = 0
    return hearing.outsiders.address(_text(said, "senderId"), _text(said, "sessionWebhook"), until)


def _rich(content: Mapping[str, Any], uplink: Any) -> tuple[Uplink, ...]:
    parts = content.get("richText")
    if not isinstance(parts, list):
        raise ValueError("富文本消息缺少 richText")
    here = [each for each in parts if isinstance(each, dict)]
    codes = [code for each in here if (code := _media(each))][:_MOST_PICTURES]
    words = "".join(_text(each, "text") for each in here)
    # Pictures first: words that name an incident say what those before them are of.
    found = [uplink(number, other="图片", media=code) for number, code in enumerate(codes, start=1)]
    if words.strip() or not found:
        found.append(uplink(0, text=_limited(words), other="" if words.strip() else "空消息"))
    return tuple(found)


def _media(part: Mapping[str, Any]) -> str:
    code = _text(part, "downloadCode") or _text(part, "pictureDownloadCode")
    return code if len(code) <= _LONGEST_MEDIA else ""


def _quoted(part: Mapping[str, Any]) -> str:
    """The words of the message that this one answers, '' where it answers none."""
    return _text(_part(_part(part, "repliedMsg"), "content"), "text")


def _limited(text: str, original: str = "") -> str:
    """What somebody wrote; an original stands before it in the form that chats put around one."""
    text = text.strip()[:_LONGEST_TEXT]
    if original and text:
        bare = " ".join(original[:_LONGEST_TEXT].translate(_BRACKETS).split())
        text = f"「{bare}」\n- - - - - - - - - - - - - - -\n{text}"
    return text


def _line(text: str) -> str:
    return "".join(mark for mark in text if mark.isprintable()).strip()


def _object(raw: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"不是 JSON：{error}") from error
    if not isinstance(said, dict):
        raise ValueError("不是 JSON 对象")
    return said


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""
