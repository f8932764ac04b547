"""Accounts that telephone, for tests: their approved templates, a driver's table, a letter with parts."""

from __future__ import annotations

from typing import Any

from channels.channel import Letter
from tests.channels.conftest import a_letter

KEY_ID, KEY_SECRET = "FAKEKEYID0002", "fake-voice-secret-canary"
SECRET_ID, SECRET_KEY, APP_ID = "FAKEIDFORVOICE", "fake-vms-secret-canary", "1400006666"
TOKEN = "fake-callback-token-0003"
SHOWN = "057100000000"
INCIDENT, SPOKEN, SENTENCE, SIGNED = "TTS_100000001", "TTS_100000004", "TTS_100000002", "TTS_100000003"
ALIYUN_TEMPLATES = {
    INCIDENT: "值班电话：${level}，${news}，${place}，编号${code}。签收请按1。",
    SPOKEN: "值班电话：${level}，${news}，${place}，编号${code}。请查看短信。",
    SENTENCE: "值班电话，系统通知：${text}，请查看短信。",
    SIGNED: "已签收，谢谢。",
}
TENCENT_INCIDENT, TENCENT_SENTENCE = "100001", "100002"
TENCENT_TEMPLATES = {
    TENCENT_INCIDENT: "值班电话：{1}，{2}，{3}，编号{4}。签收请按1。",
    TENCENT_SENTENCE: "值班电话，系统通知：{1}，请查看短信。",
}
TENCENT_PARTS = {"1": "level", "2": "news", "3": "place", "4": "code"}
CAPS = {"level": 12, "news": 10, "place": 40, "code": 18, "text": 60}
PARTS = {"level": "红色高高报", "news": "催办", "place": "明木家具 1号除尘器灰斗温度", "code": "A，0，2，3，1"}


def _variables(names: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"name": name, "part": part, "cap": CAPS[part]} for name, part in names]


def aliyun_table(endpoint: str = "https://example.invalid", **other: Any) -> dict[str, Any]:
    """``[channels.<name>]`` as its TOML would be: a call that takes a key."""
    return {
        "kind": "voice_aliyun",
        "access_key_id": KEY_ID,
        "access_key_secret": KEY_SECRET,
        "endpoint": endpoint,
        "show_number": SHOWN,
        "signed_code": SIGNED,
        "callback_token": TOKEN,
        "callback_addresses": ["127.0.0.1"],
        "timeout": 2.0,
        "templates": [
            {"code": INCIDENT, "text": ALIYUN_TEMPLATES[INCIDENT], "variables": _variables([(k, k) for k in PARTS])},
            {
                "code": SENTENCE,
                "text": ALIYUN_TEMPLATES[SENTENCE],
                "variables": _variables([("text", "text")]),
                "topics": ["sentence"],
            },
        ],
        **other,
    }


def spoken_table(endpoint: str = "https://example.invalid", **other: Any) -> dict[str, Any]:
    """The same account with a call that only speaks."""
    made = aliyun_table(endpoint, **other)
    made["templates"][0] |= {"code": SPOKEN, "text": ALIYUN_TEMPLATES[SPOKEN]}
    return {**made, "signed_code": "", "show_number": ""}


def tencent_table(endpoint: str = "https://example.invalid", **other: Any) -> dict[str, Any]:
    return {
        "kind": "voice_tencent",
        "secret_id": SECRET_ID,
        "secret_key": SECRET_KEY,
        "app_id": APP_ID,
        "endpoint": endpoint,
        "takes_keys": True,
        "callback_token": TOKEN,
        "callback_addresses": ["127.0.0.1"],
        "timeout": 2.0,
        "templates": [
            {
                "code": TENCENT_INCIDENT,
                "text": TENCENT_TEMPLATES[TENCENT_INCIDENT],
                "variables": _variables(list(TENCENT_PARTS.items())),
            },
            {
                "code": TENCENT_SENTENCE,
                "text": TENCENT_TEMPLATES[TENCENT_SENTENCE],
                "variables": _variables([("1", "text")]),
                "topics": ["sentence"],
            },
        ],
        **other,
    }


def a_call(**other: Any) -> Letter:
    """A letter of one notice, by its parts."""
    parts = {**PARTS, **other.pop("parts", {})}
    given = {"id": "A0231.1.s4-remind.0123456789ab", "topic": "remind", "parts": parts, **other}
    return a_letter("催办：明木家具，红色高高报。编号A，0，2，3，1。签收请按1。", **given)
