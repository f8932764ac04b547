"""A county of towns under measurement: each with an enterprise, and a duty room whose vendor answers when it is told
to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ours import APART, NAME, Ours, rules, secrets, serving, usccs
from bench.processes import free_port

_HEAD = """
profile = "基准规则"

[hub]
name = "基准测试"
public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1"
port = {port}
data = "data"
fallback_unit = "county"
maintainers = "county"
emergency = "火警119"
courier_process = {apart}

[pages]
secret = "file:secret"

[sources.bench]
token = "file:token"
allow = ["127.0.0.0/8"]
rate = 1000000
burst = 1000000

[channels.sms]
kind = "sms_kannel"
url = "http://127.0.0.1:{receiver}/after/{delay}/cgi-bin/sendsms"
username = "bench"
password = "file:token"

[[units]]
id = "county"
name = "示例县应急管理局"
short = "示例县"
tier = "county"

[[people]]
id = "keeper"
name = "赵一"
contacts = [{{ channel = "sms", address = "13900139999" }}]

[[posts]]
unit = "county"
role = "duty_room"
people = ["keeper"]
around_the_clock = true

[[posts]]
unit = "county"
role = "leader_on_duty"
people = ["keeper"]

[[posts]]
unit = "county"
role = "maintainer"
people = ["keeper"]

[[profiles]]
name = "基准规则"
basis = "基准测试"
"""
_TOWN = """
[[units]]
id = "town{number}"
name = "第{number}镇应急管理所"
short = "第{number}镇"
tier = "town"
parent = "county"

[[enterprises]]
uscc = "{uscc}"
name = "示例县第{number}轧钢有限公司"
short = "第{number}轧钢"
industry = "steel"
unit = "town{number}"
"""
_ROBOT = """
[[posts]]
unit = "town{number}"
role = "duty_room"
contacts = [{{ channel = "robot{number}" }}]
around_the_clock = true

[channels.robot{number}]
kind = "wecom_robot"
key = "file:key"
base_url = "http://127.0.0.1:{receiver}/after/{delay}"
readers = ["town{number}"]
"""
_PERSON = """
[[people]]
id = "p{number}"
name = "值班员{number}"
contacts = [{{ channel = "sms", address = "{phone}" }}]

[[posts]]
unit = "town{town}"
role = "duty_room"
people = ["p{number}"]
around_the_clock = true
"""
_LINE = """
[channels.{phone}]
kind = "voice_aliyun"
access_key_id = "FAKEKEYFORTHEBENCH"
access_key_secret = "file:token"
endpoint = "http://127.0.0.1:{receiver}"
show_number = "057100000000"
signed_code = "TTS_100000002"
callback_token = "file:token"
callback_addresses = ["127.0.0.1"]

[[channels.{phone}.templates]]
code = "TTS_100000001"
text = "值班电话：${{level}}，${{place}}，编号${{code}}。签收请按1。"
variables = [
    {{ name = "level", cap = 12 }},
    {{ name = "place", cap = 40 }},
    {{ name = "code", cap = 18 }},
]
"""
FIRST_PHONE = 13800130000
PHONE = "phone"
"""The channel that telephones, where there is one."""


@dataclass(frozen=True, slots=True)
class StartCounty:
    """Starts a hub for so many ``towns``, the event's number modulo which says of which town it is.

    ``persons``: how many are told at each duty room by SMS; 0: a group robot is. ``delays``: after how many
    milliseconds the vendor of each town answers, the last one for the rest. ``apart``: with a courier process.
    ``merging``: see :mod:`bench.hub`. ``telephones``: there is a line, whose vendor reports ends of calls.
    """

    towns: int
    persons: int = 0
    delays: Sequence[int] = (0,)
    apart: bool = False
    merging: str = ""
    telephones: bool = False

    @property
    def name(self) -> str:
        return APART if self.apart else NAME

    @asynccontextmanager
    async def __call__(self, folder: Path, receiver: int) -> AsyncIterator[Ours]:
        port = free_port()
        secrets(folder)
        config = folder / "config.toml"
        config.write_text(self._text(port, receiver), "utf-8")
        async with serving(config, port, apart=self.apart, merging=self.merging) as process:
            yield Ours(folder, port, process, apart=self.apart, enterprises=self.towns)

    def _text(self, port: int, receiver: int) -> str:
        delays = self.delays
        text = _HEAD.format(port=port, receiver=receiver, delay=delays[-1], apart=str(self.apart).lower())
        text += rules("town")
        if self.telephones:
            text += _LINE.format(phone=PHONE, receiver=receiver)
        for town, uscc in enumerate(usccs(self.towns)):
            text += _TOWN.format(number=town, uscc=uscc)
            if not self.persons:
                delay = delays[min(town, len(delays) - 1)]
                text += _ROBOT.format(number=town, receiver=receiver, delay=delay)
                continue
            for number in range(town * self.persons, (town + 1) * self.persons):
                # An opening tells the first person of each post.
                text += _PERSON.format(town=town, number=number, phone=FIRST_PHONE + number)
        return text
