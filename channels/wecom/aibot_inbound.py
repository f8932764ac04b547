"""What a WeCom intelligent robot is told on its line: words, pictures, presses, somebody who comes in. Pure.

Sources of the rules: the vendor's pages path/100719 and 101138 (messages), 101027 (events), 101463 (long connection).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import blake2s
from types import MappingProxyType
from typing import Any, NamedTuple

from channels.callback import Errand, Heard, Thanks, Unread
from channels.channel import Press, Uplink
from channels.cutting import flat
from channels.wecom.app_inbound import UnknownEventError

MESSAGE, EVENT = "aibot_msg_callback", "aibot_event_callback"
DISPLACED = "disconnected_event"
LONGEST_RAW = 4000
"""How much of a frame that means nothing is kept, in characters."""
_LONGEST_TEXT = 2000
_LONGEST_QUOTE = 400
_LONGEST_BUTTON = 1024
_LONGEST_MEDIA = 4096
_KINDS = MappingProxyType({"voice": "语音", "video": "视频", "file": "文件", "location": "位置", "link": "链接"})
_QUIET = frozenset({"feedback_event"})
_CALLED = re.compile(r"^(?:@\S{1,64}\s+)+")


class Turn(NamedTuple):
    """What a frame gives the robot a turn for: ``kind`` is ``message``, ``enter`` or ``press``; ``req_id`` names the
    frame, ``identity`` what was kept of it (:attr:`Uplink.message_id`), ``task`` the card that was pressed."""

    kind: str
    req_id: str
    identity: str
    sender: str
    task: str = ""


class Frame(NamedTuple):
    """A frame as it was read: what came, and whose turn it is. ``displaced``: another connection took this one's place.
    ``chat`` is the group it was said in, '' for none."""

    heard: Heard
    turn: Turn | None = None
    displaced: bool = False
    chat: str = ""


def read_frame(channel: str, frame: Mapping[str, Any], at: int) -> Frame:
    """Read a frame of the vendor's own; ``at`` is the hub's time in ms. What nobody knows is kept unread."""
    body = frame.get("body")
    try:
        if not isinstance(body, dict):
            raise ValueError("帧里没有 body")
        if frame.get("cmd") == EVENT or body.get("msgtype") == "event":
            return _event(channel, frame, body, at)
        if frame.get("cmd") != MESSAGE:
            raise UnknownEventError(f"没见过的 cmd：{flat(str(frame.get('cmd')))[:40]}")
        return _message(channel, frame, body, at)
    except UnknownEventError as error:
        return Frame(_unread(str(error), frame, Errand.EVENT))
    except ValueError as error:
        return Frame(_unread(str(error), frame))


def _message(channel: str, frame: Mapping[str, Any], body: Mapping[str, Any], at: int) -> Frame:
    sender, identity = _sender(body), _identity(body)
    kind, group = _said(body, "msgtype").lower(), body.get("chattype") == "group"
    quote = _quote(body.get("quote"))
    uplinks: list[Uplink] = []
    for number, (text, media, other) in enumerate(_parts(kind, body, at)):
        said = _CALLED.sub("", text) if group else text
        if said and quote:
            said, quote = f"「{quote}」\n{said}", ""
        own = identity if not number else f"{identity}/{number}"
        uplinks.append(Uplink(channel, own, sender, said[:_LONGEST_TEXT], at, "" if said else other, media=media))
    turn = Turn("message", _req_id(frame), identity, sender)
    return Frame(Heard(tuple(uplinks), Thanks()), turn, chat=flat(str(body.get("chatid", "")))[:64] if group else "")


def _parts(kind: str, body: Mapping[str, Any], at: int) -> list[tuple[str, str, str]]:
    """Text, picture and what else came, part by part."""
    if kind == "mixed":
        items = body.get("mixed", {}).get("msg_item") if isinstance(body.get("mixed"), dict) else None
        if not isinstance(items, list) or not items:
            raise ValueError("图文消息缺少 msg_item")
        found = [_part(str(each.get("msgtype", "")).lower(), each, at) for each in items if isinstance(each, dict)]
        words = " ".join(text for text, _, _ in found if text)
        rest = [part for part in found if not part[0]]
        # What was written around the pictures is one message, and is heard before them.
        if not found:
            raise ValueError("图文消息里什么也没有")
        return [(words, "", ""), *rest] if words else rest
    return [_part(kind, body, at)]


def _part(kind: str, holder: Mapping[str, Any], at: int) -> tuple[str, str, str]:
    given = holder.get(kind)
    part = given if isinstance(given, dict) else {}
    if kind in ("text", "voice"):
        # A spoken message comes as the vendor has written it down.
        text = flat(str(part.get("content", "")))
        return text, "", "" if text else ("空消息" if kind == "text" else "语音")
    if kind == "image":
        return "", media_of(str(part.get("url", "")), str(part.get("aeskey", "")), at), "图片"
    return "", "", _KINDS.get(kind, f"{flat(kind)[:20]}消息")


def media_of(url: str, key: str, at: int) -> str:
    """By what a picture can be fetched later: since when (ms), its key, its address. Raises ValueError where there is
    no such thing."""
    if not url.isprintable() or " " in url or not url.startswith(("https://", "http://")) or not key:
        raise ValueError("图片缺少 url 或 aeskey")
    made = f"{at} {key} {url}"
    if len(made) > _LONGEST_MEDIA or len(key.split()) != 1:
        raise ValueError("图片的 url 过长")
    return made


def _event(channel: str, frame: Mapping[str, Any], body: Mapping[str, Any], at: int) -> Frame:
    event = body.get("event")
    if not isinstance(event, dict):
        raise ValueError("事件缺少 event")
    kind = str(event.get("eventtype") or event.get("event_type") or "").lower()
    if kind == DISPLACED:
        return Frame(Heard((), Thanks()), displaced=True)
    if kind in _QUIET:
        return Frame(Heard((), Thanks()))
    if kind == "enter_chat":
        sender, identity = _sender(body), _identity(body)
        uplink = Uplink(channel, identity, sender, "", at, entered=True)
        return Frame(Heard((uplink,), Thanks()), Turn("enter", _req_id(frame), identity, sender))
    if kind == "template_card_event":
        return _press(channel, frame, body, event, at)
    raise UnknownEventError(f"没见过的事件：{flat(kind)[:40] or '没有 eventtype'}")


def _press(channel: str, frame: Mapping[str, Any], body: Mapping[str, Any], event: Mapping[str, Any], at: int) -> Frame:
    inner = event.get("template_card_event")
    given = inner if isinstance(inner, dict) else event
    sender, req_id = _sender(body), _req_id(frame)
    task, key = (flat(_said(given, name))[:_LONGEST_BUTTON] for name in ("task_id", "event_key"))
    # One press is told once; two buttons may be pressed within one second.
    pressed = blake2s(f"{task}\x1f{key}".encode(), digest_size=16).hexdigest()
    told = str(body.get("msgid") or body.get("create_time") or req_id)
    identity = _printable(f"{sender}/{told}/{pressed}")
    uplink = Uplink(channel, identity, sender, "", at, press=Press(task, key, handle=req_id))
    return Frame(Heard((uplink,), Thanks()), Turn("press", req_id, identity, sender, task))


def _quote(given: object) -> str:
    """The words of the original that is answered, on one line."""
    if not isinstance(given, dict):
        return ""
    kind = str(given.get("msgtype", ""))
    parts = given.get(kind)
    found = [parts.get("content", "")] if isinstance(parts, dict) else [given.get("content", "")]
    if isinstance(parts, dict) and isinstance(parts.get("msg_item"), list):
        items = [each for each in parts["msg_item"] if isinstance(each, dict)]
        found = [each["text"].get("content", "") for each in items if isinstance(each.get("text"), dict)]
    words = " ".join(flat(each) for each in found if isinstance(each, str))
    return words.replace("「", " ").replace("」", " ")[:_LONGEST_QUOTE].strip()


def _sender(body: Mapping[str, Any]) -> str:
    who = body.get("from")
    sender = str(who.get("userid", "")) if isinstance(who, dict) else ""
    if not sender or len(sender) > 64 or not sender.isprintable():
        raise ValueError("消息缺少 from.userid")
    return sender


def _identity(body: Mapping[str, Any]) -> str:
    identity = _printable(_said(body, "msgid"))
    if not identity:
        raise ValueError("消息缺少 msgid")
    return identity


def _said(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"缺少 {name}")
    return value


def _req_id(frame: Mapping[str, Any]) -> str:
    headers = frame.get("headers")
    return str(headers.get("req_id", ""))[:128] if isinstance(headers, dict) else ""


def _unread(words: str, frame: Mapping[str, Any], errand: Errand | None = None) -> Heard:
    raw = json.dumps(frame, ensure_ascii=False, separators=(",", ":"), default=str)[:LONGEST_RAW]
    return Heard((), Thanks(), (Unread(words, raw, errand),))


def _printable(text: str) -> str:
    return "".join(mark for mark in text if mark.isprintable())[:128]
