"""What a WeCom app's call-backs say: the check of the address, and what members write, send or press. Pure.

Sources of the rules: the vendor's pages path/90930 (call-back), 90239 (messages), 90240 (events).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2s
from types import MappingProxyType
from urllib.parse import unquote_plus

from channels.callback import Call, Errand, Heard, NotOursError, Thanks, Unread
from channels.channel import Press, Uplink
from channels.cutting import flat
from channels.wecom.callback_crypto import Seal, SealError
from channels.wecom.callback_xml import read_xml

_LONGEST_TEXT = 2000
_KINDS = MappingProxyType(
    {"image": "图片", "voice": "语音", "video": "视频", "location": "位置", "link": "链接", "file": "文件"}
)
# A member joins, leaves, moves, looks at something: nothing that wants an answer, and it may come often.
_QUIET = frozenset({"subscribe", "unsubscribe", "location", "view"})
_ENTERED_EVERY = 3600
"""Who comes in often is heard once in so many seconds."""
_LONGEST_BUTTON = 1024
_LONGEST_MEDIA = 512


class UnknownEventError(ValueError):
    """An event of the vendor's that means nothing to the hub; the words are fit for a log."""


def read_call(seal: Seal, channel: str, call: Call, at: int, window: int) -> Heard:
    """Read one call-back at the hub's time ``at`` (ms). ``window``: how many seconds its own time may be off that.

    Raises :class:`channels.callback.NotOursError` for a wrong seal or a stale time, ValueError for what bears none.
    """
    given = _query(call.query)
    timestamp, nonce = given.get("timestamp", ""), given.get("nonce", "")
    checking = call.method == "GET"
    sealed = given.get("echostr", "") if checking else read_xml(call.body).get("Encrypt", "")
    try:
        plain = seal.open(given.get("msg_signature", ""), timestamp, nonce, sealed)
    except SealError as error:
        raise NotOursError(str(error)) from error
    # The signature covers the time, so only now can it be believed.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotOursError("时间戳不是数字")
    if abs(at - int(timestamp) * 1000) > window * 1000:
        raise NotOursError(f"时间戳与本机时钟相差超过 {window} 秒")
    if checking:
        return Heard((), Thanks(plain.encode(), "text/plain"))
    try:
        return Heard(_uplinks(channel, read_xml(plain), at), Thanks())
    except UnknownEventError as error:
        return Heard((), Thanks(), (Unread(str(error), plain, Errand.EVENT),))
    except ValueError as error:
        # It bears the vendor's seal, so it is worth keeping; the vendor would send the same again.
        return Heard((), Thanks(), (Unread(str(error), plain),))


def _uplinks(channel: str, said: Mapping[str, str], at: int) -> tuple[Uplink, ...]:
    sender, kind = said.get("FromUserName", ""), said.get("MsgType", "").lower()
    if not kind:
        raise ValueError("消息缺少 MsgType")
    if kind == "event":
        return _event(channel, said, sender, at)
    if not sender or len(sender) > 64 or not sender.isprintable():
        raise ValueError("消息缺少 FromUserName")
    identity = said.get("MsgId", "") or f"{sender}/{said.get('CreateTime', '')}/{kind}"
    if kind == "text":
        text = flat(said.get("Content", ""))
        other = "" if text else "空消息"
    else:
        # What stands in a caption, a title or a place's name is not the member's word.
        text, other = "", _KINDS.get(kind, f"{flat(kind)[:20]}消息")
    media = said.get("MediaId", "")[:_LONGEST_MEDIA] if kind == "image" else ""
    return (Uplink(channel, _identity(identity), sender, text[:_LONGEST_TEXT], at, other, media=flat(media)),)


def _event(channel: str, said: Mapping[str, str], sender: str, at: int) -> tuple[Uplink, ...]:
    event, key = said.get("Event", "").lower(), said.get("EventKey", "")
    if event == "click" and sender and key:
        # A button of the app's menu stands for the words that the administrator wrote as its key.
        identity = f"{sender}/{said.get('CreateTime', '')}/{event}/{key}"
        return (Uplink(channel, _identity(identity), sender, flat(key)[:_LONGEST_TEXT], at),)
    if event == "template_card_event" and sender:
        press = Press(
            flat(said.get("TaskId", ""))[:_LONGEST_BUTTON],
            flat(key)[:_LONGEST_BUTTON],
            flat(said.get("ResponseCode", ""))[:_LONGEST_BUTTON],
        )
        # Two buttons may be pressed within one second; one pressed twice in it is pressed once.
        pressed = blake2s(f"{press.card}\x1f{press.code}".encode(), digest_size=16).hexdigest()
        identity = f"{sender}/{said.get('CreateTime', '')}/{event}/{pressed}"
        return (Uplink(channel, _identity(identity), sender, "", at, press=press),)
    if event == "enter_agent" and sender:
        identity = f"{sender}/{event}/{_seconds(said) // _ENTERED_EVERY}"
        return (Uplink(channel, _identity(identity), sender, "", at, entered=True),)
    if event not in _QUIET:
        # It may be something that people have to do: a licence that ends, an app that was changed.
        raise UnknownEventError(f"没见过的事件 {flat(event)[:40] or '（没有 Event）'}")
    return ()


def _seconds(said: Mapping[str, str]) -> int:
    given = said.get("CreateTime", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 12 else 0


def _identity(text: str) -> str:
    return "".join(mark for mark in text if mark.isprintable())[:128]


def _query(raw: str) -> dict[str, str]:
    """The first value of each name; the vendor's ``+`` in base64 may come bare or escaped."""
    found: dict[str, str] = {}
    for pair in raw.split("&"):
        name, _, value = pair.partition("=")
        # A sealed text holds no blank: what decodes to one was a plus that nobody escaped.
        found.setdefault(name, unquote_plus(value).replace(" ", "+") if name == "echostr" else unquote_plus(value))
    return found
