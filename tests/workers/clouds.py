"""The county with an account at a second cloud, for people who are reached by it."""

from __future__ import annotations

import re

from bot.demo.simulators.tencent import TencentSms
from tests.channels.tencent_account import APP_ID, NOTICE, SECRET_ID, SECRET_KEY, TEMPLATES, table
from tests.workers.house import Edit

TOKEN = "fake-callback-token-0002"
_PLAIN = ("secret_id", "secret_key", "app_id", "endpoint", "signature")


def tencent(clock: list[int]) -> TencentSms:
    """The vendor; its time is the first of ``clock``, in milliseconds."""
    return TencentSms(SECRET_ID, SECRET_KEY, APP_ID, ("青河应急",), TEMPLATES, lambda: clock[0], limits=(0, 0, 0))


def with_tencent(url: str, *, instead_for: str = "", **other: int) -> Edit:
    """The county with a channel ``tencent``, which reaches the number ``instead_for`` in place of the gateway."""

    def edit(text: str) -> str:
        made = table(url)
        lines = [f'{name} = "{made[name]}"' for name in _PLAIN if name != "secret_key"]
        lines += [
            f"{name} = {value}" for name, value in {"per_minute": 0, "per_hour": 0, "per_day": 0, **other}.items()
        ]
        templates = "".join(
            f'\n[[channels.tencent.templates]]\ncode = "{each["code"]}"\ntext = "{each["text"]}"\nvariables = ['
            + ", ".join(f'{{ name = "{one["name"]}", part = "{one["part"]}" }}' for one in each["variables"])
            + "]\n"
            + ("" if each["code"] == NOTICE else 'topics = ["sentence"]\n')
            for each in made["templates"]
        )
        head = "\n".join(
            (
                '[channels.tencent]\nkind = "sms_tencent"',
                'secret_key = "env:TENCENT_KEY"',
                'callback_token = "env:TENCENT_CALLBACK"',
                'callback_addresses = ["127.0.0.1"]',
                *lines,
            )
        )
        if instead_for:
            text, count = re.subn(
                rf'channel = "sms", address = "{instead_for}"', f'channel = "tencent", address = "{instead_for}"', text
            )
            assert count
        return f"{text}\n{head}\n{templates}"

    return edit


SECRETS = {"TENCENT_KEY": SECRET_KEY, "TENCENT_CALLBACK": TOKEN}
"""What its table names by ``env:``."""
