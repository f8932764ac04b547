"""A DingTalk app for tests: its keys, its settings, its driver."""

from __future__ import annotations

from typing import Any

import aiohttp

from channels.dingtalk.app import Driver, Settings

KEYS = ("dingdemo00000001", "fake-client-secret-31337")
TEMPLATE = "fake0001.schema"


def settings_of(url: str, **other: Any) -> Settings:
    table = {
        "kind": "dingtalk_app",
        "client_id": KEYS[0],
        "client_secret": KEYS[1],
        "base_url": url,
        "session_url": url,
        "timeout": 4.0,
        **other,
    }
    return Settings.model_validate(table)


def a_driver(session: aiohttp.ClientSession, url: str, **other: Any) -> Driver:
    return Driver("ding", settings_of(url, **other), session)
