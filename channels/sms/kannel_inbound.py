"""What Kannel's call-backs say: delivery reports of what was sent, and what people answered. Pure.

The queries below are what the gateway is told to fill in; the answers' one stands in its ``get-url``::

    group = sms-service
    keyword = default
    get-url = "http://hub:8080/callback/<channel>/<token>/uplink?sender=%p&to=%P&text=%b&id=%I&time=%T&charset=%C"
    max-messages = 0
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from channels.callback import Call, Errand, Heard, Thanks
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.extension import incident_of
from channels.sms.rows import LONGEST_ID, checked_id, hashed, written
from channels.sms.text import plain_number

# %d what happened, %F the carrier's id, %A the carrier's words, %T when (seconds).
REPORT_QUERY = "status=%d&smsc=%F&answer=%A&time=%T"
# %p sender, %P the number it was sent to, %b the text as it is, %I the gateway's id of the message, %T when
# (seconds), %C the text's charset.
UPLINK_QUERY = "sender=%p&to=%P&text=%b&id=%I&time=%T&charset=%C"

_MEANINGS = MappingProxyType(
    {
        "1": (ReceiptKind.DELIVERED, "已送达"),
        "2": (ReceiptKind.UNDELIVERED, "未送达"),
        "4": (ReceiptKind.ACCEPTED, "运营商暂存"),
        "8": (ReceiptKind.ACCEPTED, "运营商已接收"),
        "16": (ReceiptKind.UNDELIVERED, "运营商拒收"),
    }
)
# How gateways write the charset of what needs no decoding beyond UTF-8.
_AS_UTF8 = frozenset({"", "utf-8", "utf8", "ascii", "us-ascii", "gsm", "gsm-7", "iso-8859-1", "latin1", "windows-1252"})

# Eight bits a unit, in whatever alphabet.
_UNTOLD = frozenset({"8-bit", "8bit", "binary"})


def read_call(channel: str, call: Call, at: int, digits: int = 0) -> Heard:
    """What the gateway calls with, by GET or by a form; ``at`` in ms. Of the number an answer was sent to the last
    ``digits`` name its incident. Raises ValueError for rubbish."""
    params = read_query(call.form)
    uplink = call.errand is Errand.UPLINK
    item = read_uplink(channel, params, at, digits) if uplink else read_report(channel, params, at)
    # The gateway sends the body of the answer to the phone as a reply; an empty one sends none.
    return Heard((item,), Thanks(status=202))


def read_query(raw: str) -> dict[str, str]:
    """A call-back's raw query as parameters, decoded by the charset it names itself (UTF-8 unless it does).

    Kannel hands on Chinese answers as UTF-16BE bytes unless ``mo-recode`` is set, and says ``8-BIT`` of a text whose
    phone did not tell the alphabet. Raises ValueError for bytes that are not what the query says they are.
    """
    found: dict[str, bytes] = {}
    for pair in raw.split("&"):
        name, _, value = pair.partition("=")
        if name:
            found[name] = unquote_to_bytes(value.replace("+", " "))
    charset = found.get("charset", b"").decode("ascii", "replace").strip().lower()
    try:
        if charset in _UNTOLD:
            codec = _likely(found.get("text", b""))
        else:
            codec = "utf-8" if charset in _AS_UTF8 else codecs.lookup(charset).name
        return {name: value.decode(codec if name == "text" else "utf-8") for name, value in found.items()}
    except (LookupError, UnicodeError):
        raise ValueError(f"回调内容不是它所说的编码 {charset[:20]!r}；请在网关中设置 mo-recode = true") from None


def read_uplink(channel: str, params: Mapping[str, str], at: int, digits: int = 0) -> Uplink:
    """A person's answer from ``get-url`` parameters (:data:`UPLINK_QUERY`); ``at`` is the hub's time in ms.

    Without the gateway's id the message id is a hash of sender, time and text, so that a repeated call is one answer.
    Raises ValueError, saying what is missing or wrong.
    """
    sender = plain_number(_needed(params, "sender"))
    text = written(params.get("text", ""), "text")
    message_id = params.get("id", "").strip() or hashed(sender, params.get("time", "").strip() or str(at), text)
    about = incident_of(params.get("to", "").strip(), digits)
    return Uplink(channel=channel, message_id=checked_id(message_id), sender=sender, text=text, at=at, about=about)


def read_report(channel: str, params: Mapping[str, str], at: int) -> Report:
    """A delivery report from ``dlr-url`` parameters (``letter`` and :data:`REPORT_QUERY`); ``at`` in ms.

    Raises ValueError, saying what is missing or wrong.
    """
    letter = checked_id(_needed(params, "letter"))
    status = _needed(params, "status")
    meaning = _MEANINGS.get(status)
    if meaning is None:
        raise ValueError(f"status={status[:20]!r} 不是回执状态（应为 {'、'.join(_MEANINGS)}）")
    kind, word = meaning
    said = "".join(max(mark, " ") for mark in params.get("answer", ""))[:120].strip()
    return Report(
        channel=channel,
        letter_id=letter,
        vendor_id=params.get("smsc", "").strip()[:LONGEST_ID],
        kind=kind,
        at=at,
        detail=f"{word} {said}".strip(),
    )


def _likely(text: bytes) -> str:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _needed(params: Mapping[str, str], name: str) -> str:
    value = params.get(name, "").strip()
    if not value:
        raise ValueError(f"回调缺少参数 {name}")
    return value
