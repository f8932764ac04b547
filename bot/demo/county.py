"""Writes the demonstration's county as a configuration of its own: invented people, secrets made on the spot."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from bot.demo.simulators.wecom_app import AppAccount
from bot.passwords import LEAST_MEMORY_KIB, hashed

ROBOTS = ("city-group", "county-group", "hedong-group", "park-group")
"""The group robots' channels; each one's key is its secret's content."""
DINGTALK = "park-group"
"""The robot that is DingTalk's where that is simulated; its signing secret is that of ``-sign``. Else it is WeCom's."""

FEISHU = "city-group"
"""The robot that is Feishu's where that is simulated, likewise."""

CLOUD_KEY = "FAKEKEYFORTHEDEMO"
CLOUD_SIGNATURE = "青河预警"
CLOUD_LIMITS = (5, 60, 300)
"""What the demonstration's cloud account sends to one number a minute, an hour and a day."""
TEMPLATES = {
    "SMS_100000001": "${level}（${news}），${duty}：${place} ${reading}，${due}。${note}。${ask}，编号${code}。",
    "SMS_100000002": "预警系统消息：${a}，${b}，${c}，${d}。",
}
"""The templates that account has approved."""

TENCENT_TEMPLATES = {
    "1000001": "{1}（{2}），{3}：{4} {5}，{6}。{7}。{8}，编号{9}。",
    "1000002": "预警系统消息：{1}，{2}，{3}，{4}。",
}
"""The templates its account at the second cloud has approved."""

CALL_TEMPLATES = {
    "TTS_100000001": "值班电话：${level}，${news}，${place}，编号${code}。签收请按1。",
    "TTS_100000002": "已签收，谢谢。",
}
"""What its account that telephones has approved: an incident, and what is said once the key was pressed."""
CALLING = "057100000000"
"""The number it calls from."""
TENCENT_CALL_TEMPLATES = {"100001": "值班电话：{1}，{2}，{3}，编号{4}。请查看短信并签收。"}
"""What its account that telephones at the second cloud has approved; that account takes no keys."""
VOICE_APP = "1400006666"
"""The application of that account."""
TENCENT_ID = "FAKEIDFORTHEDEMO"
"""Whose keys the second cloud knows."""

MEMBERS = ("HeZhen", "PeiZhuanguan", "PengZhuren")
"""Who reads the county's WeCom app: members' userids, as the county's TOML writes them."""
ROBOTS_MEMBERS = ("PengZhuren", "OuXunjian")
"""Who reads the intelligent robot's chat, where it is simulated; both are also in its group."""
ROBOT_ID = "demo-bot-0001"
ROBOT_GROUP, ROBOT_CHAT = "park-bot-group", "wrDemoGroup0000001"
"""The channel of its group, and the group as the vendor knows it."""
DING_ID, DING_TEMPLATE = "dingdemo00000001", "fake0001.schema"
"""The county's DingTalk app, and the template of its cards."""
DING_MEMBERS = ("HeZhen", "HeWangge")
"""Who reads that app where it is simulated, else WeCom's or text messages; both are also in its group."""
DING_GROUP, DING_CHAT = "hedong-ding-group", "cidDEMOHEDONG0000000001=="
"""The channel of its group, and the group's conversation."""
MEMBERS_OF = {ROBOT_GROUP: ROBOTS_MEMBERS[::-1], DING_GROUP: DING_MEMBERS[::-1]}
"""Who is in the groups in which a member speaks to the robot; whose group it is comes first."""
STREAM, STREAM_USER = "fenghuo:answers", "fenghuo"
"""The stream that the upstream system reads what was answered from, and who may append to it."""
MAIL_USER = "fenghuo@example.cn"
"""Whose mailbox answers by mail come into."""
CORPID, AGENTID = "wwdemo0000000001", 1000002


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the simulated vendors listen, and where the hub is to. Without DingTalk and Feishu all groups and apps are
    WeCom's, without the cloud and the carriers all text messages leave by the gateway, without a mailbox nobody answers
    by mail, without the intelligent robot everybody is told another way, without telephones nobody is called, and
    without a stream upstream hears by its webhook alone."""

    public_url: str
    port: int
    sms_url: str
    smtp_port: int
    wecom_url: str
    upstream_url: str
    dingtalk_url: str = ""
    feishu_url: str = ""
    cloud_url: str = ""
    imap_port: int = 0
    tencent_url: str = ""
    mas_url: str = ""
    spool: str = ""
    voice_url: str = ""
    tencent_voice_url: str = ""
    stream_url: str = ""
    robot_url: str = ""
    ding_url: str = ""


@dataclass(frozen=True, slots=True)
class County:
    """A written configuration: its main file and its secrets by name."""

    config: Path
    secrets: dict[str, str]


_TOKENS = (
    "sms-password",
    "sms-callback",
    "cloud-key",
    "cloud-callback",
    "tencent-key",
    "tencent-callback",
    "mas-key",
    "mas-callback",
    "phone-key",
    "phone-callback",
    "phone-tencent-key",
    "phone-tencent-callback",
    "app-secret",
    "app-callback-token",
    "robot-secret",
    "ding-secret",
    "mail-password",
    "mail-reply",
    "source-demo",
    "upstream-stream",
    *ROBOTS,
)


def secrets_of() -> dict[str, str]:
    """Fresh secrets for every place that needs one."""
    made = {name: secrets.token_hex(16) for name in _TOKENS}
    made["app-callback-key"] = base64.b64encode(secrets.token_bytes(32)).decode("ascii").rstrip("=")
    made[f"{DINGTALK}-sign"] = "SEC" + secrets.token_hex(30)
    made[f"{FEISHU}-sign"] = secrets.token_hex(11)
    made["pages"] = secrets.token_hex(32)
    # One password for every account of the duty page, made anew for each demonstration.
    made["duty-password"] = secrets.token_hex(6)
    made["upstream"] = "whsec_" + secrets.token_urlsafe(24).replace("-", "A").replace("_", "B")
    return made


def app_account(given: Mapping[str, str]) -> AppAccount:
    """The county's WeCom app, as its vendor knows it."""
    return AppAccount(CORPID, AGENTID, given["app-secret"], given["app-callback-token"], given["app-callback-key"])


def write_county(folder: Path, addresses: Addresses, given: dict[str, str], *, wall: bool = False) -> County:
    """Write ``config.toml`` and its secret files into ``folder``; an earlier configuration there is replaced.

    With ``wall`` also what only the wall of phones shows: points for a storm, a few text messages a minute for each
    number, and a phone for each duty room of county, town and park.
    """
    text = files("bot.demo").joinpath("county.toml").read_text("utf-8")
    (folder / "secrets").mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, value in given.items():
        path = folder / "secrets" / name
        path.write_text(value, "utf-8")
        path.chmod(0o600)
    config = folder / "config.toml"
    password_hash = hashed(given["duty-password"], memory_kib=LEAST_MEMORY_KIB, time=2, lanes=1)
    config.write_text(_filled(text, addresses, password_hash, wall=wall), "utf-8")
    return County(config, given)


def _filled(text: str, addresses: Addresses, password_hash: str, *, wall: bool) -> str:
    notice, sentence = TEMPLATES.items()
    minute, hour, day = CLOUD_LIMITS
    known = {**asdict(addresses), "cloud_key": CLOUD_KEY, "cloud_signature": CLOUD_SIGNATURE}
    known |= {"minute": minute, "hour": hour, "day": day, "notice": notice, "sentence": sentence}
    known |= {"tencent_notice": TENCENT_TEMPLATES["1000001"], "tencent_sentence": TENCENT_TEMPLATES["1000002"]}
    known |= {"tencent_id": TENCENT_ID, "voice_app": VOICE_APP, "client": DING_ID, "template": DING_TEMPLATE}
    known |= {"call": next(iter(CALL_TEMPLATES.items())), "shown": CALLING, "mail_user": MAIL_USER}
    known |= {"tencent_call": next(iter(TENCENT_CALL_TEMPLATES.items())), "robot_id": ROBOT_ID}
    known |= {"robot_group": ROBOT_GROUP, "robot_chat": ROBOT_CHAT, "ding_group": DING_GROUP, "ding_chat": DING_CHAT}
    known |= {"stream": STREAM, "stream_user": STREAM_USER, "sms_limits": _SMS_LIMITS if wall else ""}

    def part(name: str, there: str) -> str:
        """A vendor's tables, if it is there."""
        return files("bot.demo").joinpath(name).read_text("utf-8").format(**known) + "\n" if there else ""

    tables = {
        "vendors": "".join(
            (
                part("county_cloud.toml", addresses.cloud_url),
                part("county_carriers.toml", addresses.spool),
                part("county_voice.toml", addresses.voice_url),
                part("county_voice_tencent.toml", addresses.tencent_voice_url),
                part("county_ding.toml", addresses.ding_url),
                part("county_robot.toml", addresses.robot_url),
                part("county_stream.toml", addresses.stream_url),
            )
        ),
        "park_group": (_DINGTALK_GROUP if addresses.dingtalk_url else _WECOM_GROUP).format(**known),
        "city_group": (_FEISHU_GROUP if addresses.feishu_url else _WECOM_CITY_GROUP).format(**known),
        "mailbox": _MAILBOX.format(**known) if addresses.imap_port else "",
    }
    ways = {"by_ding": "ding" if addresses.ding_url else "app", "by_cloud": "cloud" if addresses.cloud_url else "sms"}
    ways |= {f"by_{each}": each if addresses.spool else "sms" for each in ("tencent", "mas", "modem")}
    ways["by_robot"] = _BY_ROBOT if addresses.robot_url else ""
    ways["duan_phone"] = _CALLED.format(line="phone", number="13800130005") if addresses.voice_url else ""
    ways["mu_phone"] = _CALLED.format(line="phone-tencent", number="13800130004") if addresses.tencent_voice_url else ""
    ways["park_officers"] = _with_group("park-officer", "park-patrol", ROBOT_GROUP if addresses.robot_url else "")
    ways["hedong_officers"] = _with_group("hedong-officer", "hedong-grid", DING_GROUP if addresses.ding_url else "")
    ways["feedback"] = '["upstream", "upstream-stream"]' if addresses.stream_url else '"upstream"'
    points = {kind: _storm_points(name) if wall else "" for kind, name in _STORM_NAMES.items()}
    phones = {unit: _DUTY_PHONE.format(number=number) if wall else "" for unit, number in _DUTY_PHONES.items()}
    return text.format(**known, **tables, **ways, storm_points=points, duty_phone=phones, password_hash=password_hash)


def _with_group(person: str, second: str, group: str) -> str:
    """Who stands at a post of officers: one, or two with a group of theirs."""
    if not group:
        return f'people = ["{person}"]'
    return f'people = ["{person}", "{second}"]\ncontacts = [{{ channel = "{group}" }}]'


_CALLED = ', {{ channel = "{line}", address = "{number}" }}'
_BY_ROBOT = f'{{ channel = "robot", address = "{ROBOTS_MEMBERS[0]}" }}, '
_MAILBOX = """
[channels.mail.imap]
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = "{mail_user}"
password = "file:secrets/mail-password"
reply_secret = "file:secrets/mail-reply"
poll = 5.0
"""


def _storm_points(name: str) -> str:
    rows = (
        f'[[enterprises.points]]\ncode = "{STORM}{n:02}"\nname = "{n}号{name}"\n' for n in range(1, STORM_POINTS + 1)
    )
    return "\n" + "\n".join(rows)


STORM, STORM_POINTS = "STORM-", 11
"""How the codes of a storm's points begin, and how many of them each enterprise has."""
_STORM_NAMES = {"dust": "除尘支管温度", "steel": "煤气管段一氧化碳", "aluminium": "铸造机冷却水温"}
_SMS_LIMITS = "per_minute = 6\nreserve = 2\n"
_DUTY_PHONES = {"hedong": "13800130025", "park": "13800130026", "qinghe": "13800130035"}
_DUTY_PHONE = ', {{ channel = "sms", address = "{number}" }}'
_WECOM_GROUP = """[channels.park-group]
kind = "wecom_robot"
key = "file:secrets/park-group"
readers = ["park"]
base_url = "{wecom_url}\""""
_DINGTALK_GROUP = """[channels.park-group]
kind = "dingtalk_robot"
token = "file:secrets/park-group"
secret = "file:secrets/park-group-sign"
readers = ["park"]
base_url = "{dingtalk_url}\""""
_WECOM_CITY_GROUP = """[channels.city-group]
kind = "wecom_robot"
key = "file:secrets/city-group"
readers = ["lanzhou"]
base_url = "{wecom_url}\""""
_FEISHU_GROUP = """[channels.city-group]
kind = "feishu_robot"
hook = "file:secrets/city-group"
secret = "file:secrets/city-group-sign"
readers = ["lanzhou"]
style = "card"
base_url = "{feishu_url}\""""
