"""An Alibaba Cloud account for tests: its approved templates, a driver's table, a letter with parts."""

from __future__ import annotations

from typing import Any

from channels.channel import Letter
from tests.channels.conftest import a_letter

KEY_ID, KEY_SECRET = "FAKEKEYID0001", "fake-key-secret-canary"
TOKEN = "fake-callback-token-0001"
NOTICE = "SMS_100000001"
SENTENCE = "SMS_100000002"
TEMPLATES = {
    NOTICE: "${level}（${news}）：${place} ${reading}，${due}。${ask}，编号${code}。",
    SENTENCE: "预警系统消息：${a}，${b}，${c}。",
}
PARTS = {
    "level": "红色高高报",
    "news": "新警情",
    "place": "明木家具 1号除尘器灰斗温度",
    "reading": "97.2限95℃",
    "due": "",
    "ask": "回1签收",
    "code": "A0231",
}


def table(endpoint: str = "https://example.invalid", **other: Any) -> dict[str, Any]:
    """``[channels.<name>]`` as its TOML would be."""
    notice = [{"name": each} for each in PARTS]
    notice.sort(key=lambda each: TEMPLATES[NOTICE].index("${" + each["name"]))
    sentence = [{"name": each, "part": "text"} for each in "abc"]
    return {
        "kind": "sms_aliyun",
        "access_key_id": KEY_ID,
        "access_key_secret": KEY_SECRET,
        "endpoint": endpoint,
        "signature": "青河应急",
        "callback_token": TOKEN,
        "callback_addresses": ["127.0.0.1"],
        "timeout": 20.0,
        "templates": [
            {"code": NOTICE, "text": TEMPLATES[NOTICE], "variables": notice},
            {"code": SENTENCE, "text": TEMPLATES[SENTENCE], "variables": sentence, "topics": ["sentence"]},
        ],
        **other,
    }


def a_notice(**other: Any) -> Letter:
    """A letter of one notice, by its parts."""
    parts = {**PARTS, **other.pop("parts", {})}
    return a_letter("高高报 明木家具 编号A0231", topic="raised", parts=parts, **other)
