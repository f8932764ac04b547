"""The county with accounts that telephone, for people who can be called."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.demo.simulators.aliyun_voice import AliyunVoice
from bot.demo.simulators.tencent_voice import TencentVoice
from tests.channels import voice_accounts as accounts
from tests.workers.house import Edit

Clock = list[Callable[[], int]]

SECRETS = {"VOICE_KEY": accounts.KEY_SECRET, "VOICE_CALLBACK": accounts.TOKEN, "VMS_KEY": accounts.SECRET_KEY}
"""What the tables name by ``env:``."""


def aliyun(clock: Clock) -> AliyunVoice:
    """The vendor; its time is what the first of ``clock`` says, in milliseconds."""
    return AliyunVoice(accounts.KEY_ID, accounts.KEY_SECRET, accounts.ALIYUN_TEMPLATES, (accounts.SHOWN,), _now(clock))


def _now(clock: Clock) -> Callable[[], int]:
    def now() -> int:
        return clock[0]()

    return now


def tencent(clock: Clock) -> TencentVoice:
    return TencentVoice(
        accounts.SECRET_ID, accounts.SECRET_KEY, accounts.APP_ID, accounts.TENCENT_TEMPLATES, _now(clock)
    )


def _templates(channel: str, code: str, text: str, part: dict[str, str], caps: dict[str, int]) -> str:
    names = re.findall(r"\$?\{(\w+)\}", text)
    rows = ", ".join(
        f'{{ name = "{name}", part = "{part.get(name, name)}", cap = {caps[part.get(name, name)]} }}' for name in names
    )
    return f'\n[[channels.{channel}.templates]]\ncode = "{code}"\ntext = "{text}"\nvariables = [{rows}]\n'


def with_aliyun(url: str, *people: str, keyed: bool = True, name: str = "voice", **other: float) -> Edit:
    """The county with a channel that telephones these people, at the number they have for text messages."""

    def edit(text: str) -> str:
        more = "".join(f"{key} = {value}\n" for key, value in other.items())
        keys = f'signed_code = "{accounts.SIGNED}"\n' if keyed else ""
        incident = accounts.INCIDENT if keyed else accounts.SPOKEN
        table = (
            f'[channels.{name}]\nkind = "voice_aliyun"\naccess_key_id = "{accounts.KEY_ID}"\n'
            f'access_key_secret = "env:VOICE_KEY"\nendpoint = "{url}"\nshow_number = "{accounts.SHOWN}"\n{keys}'
            f'callback_token = "env:VOICE_CALLBACK"\ncallback_addresses = ["127.0.0.1"]\ntimeout = 0.6\n{more}'
        )
        templates = _templates(name, incident, accounts.ALIYUN_TEMPLATES[incident], {}, accounts.CAPS)
        return _called(f"{text}\n{table}{templates}", name, people)

    return edit


def with_tencent(url: str, *people: str) -> Edit:
    """The same by the other cloud, whose keys come by call-back."""

    def edit(text: str) -> str:
        table = (
            f'[channels.vms]\nkind = "voice_tencent"\nsecret_id = "{accounts.SECRET_ID}"\n'
            f'secret_key = "env:VMS_KEY"\nendpoint = "{url}"\napp_id = "{accounts.APP_ID}"\ntakes_keys = true\n'
            'callback_token = "env:VOICE_CALLBACK"\ncallback_addresses = ["127.0.0.1"]\ntimeout = 0.6\n'
        )
        whole = accounts.TENCENT_TEMPLATES[accounts.TENCENT_INCIDENT]
        templates = _templates("vms", accounts.TENCENT_INCIDENT, whole, accounts.TENCENT_PARTS, accounts.CAPS)
        return _called(f"{text}\n{table}{templates}", "vms", people)

    return edit


def _called(text: str, channel: str, people: tuple[str, ...]) -> str:
    for number in people:
        text, count = re.subn(
            rf'({{ channel = "sms", address = "{number}" }})',
            rf'\1, {{ channel = "{channel}", address = "{number}" }}',
            text,
        )
        assert count, number
    return text
