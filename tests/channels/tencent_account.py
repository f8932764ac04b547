"""A Tencent Cloud account for tests: its approved templates and a driver's table."""

from __future__ import annotations

from typing import Any

from tests.channels.aliyun_account import PARTS, TOKEN

SECRET_ID, SECRET_KEY, APP_ID = "AKIDFAKE0001", "fake-tencent-canary", "1400006666"
NOTICE, SENTENCE = "1000001", "1000002"
TEMPLATES = {
    NOTICE: "{1}（{2}）：{3} {4}，{5}。{6}，编号{7}。",
    SENTENCE: "预警系统消息：{1}，{2}，{3}。",
}
ORDER = ("level", "news", "place", "reading", "due", "ask", "code")


def table(endpoint: str = "https://example.invalid", **other: Any) -> dict[str, Any]:
    """``[channels.<name>]`` as its TOML would be."""
    assert set(ORDER) == set(PARTS)
    notice = [{"name": str(number), "part": part} for number, part in enumerate(ORDER, 1)]
    sentence = [{"name": str(number), "part": "text"} for number in (1, 2, 3)]
    return {
        "kind": "sms_tencent",
        "secret_id": SECRET_ID,
        "secret_key": SECRET_KEY,
        "app_id": APP_ID,
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
