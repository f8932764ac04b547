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

MEMBERS = ("HeZhen", "PeiZhuanguan", "PengZhuren")
"""Who reads the county's WeCom app: members' userids, as the county's TOML writes them."""
CORPID, AGENTID = "wwdemo0000000001", 1000002


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the simulated vendors listen, and where the hub is to."""

    public_url: str
    port: int
    sms_url: str
    smtp_port: int
    wecom_url: str
    upstream_url: str


@dataclass(frozen=True, slots=True)
class County:
    """A written configuration: its main file and its secrets by name."""

    config: Path
    secrets: dict[str, str]


def secrets_of() -> dict[str, str]:
    """Fresh secrets for every place that needs one."""
    made = {name: secrets.token_hex(16) for name in ("sms-password", "sms-callback", "source-demo", *ROBOTS)}
    made |= {name: secrets.token_hex(16) for name in ("app-secret", "app-callback-token")}
    made["app-callback-key"] = base64.b64encode(secrets.token_bytes(32)).decode("ascii").rstrip("=")
    made["pages"] = secrets.token_hex(32)
    # One password for every account of the duty page, made anew for each demonstration.
    made["duty-password"] = secrets.token_hex(6)
    made["upstream"] = "whsec_" + secrets.token_urlsafe(24).replace("-", "A").replace("_", "B")
    return made


def app_account(given: Mapping[str, str]) -> AppAccount:
    """The county's WeCom app, as its vendor knows it."""
    return AppAccount(CORPID, AGENTID, given["app-secret"], given["app-callback-token"], given["app-callback-key"])


def write_county(folder: Path, addresses: Addresses, given: dict[str, str]) -> County:
    """Write ``config.toml`` and its secret files into ``folder``; an earlier configuration there is replaced."""
    text = files("bot.demo").joinpath("county.toml").read_text("utf-8")
    (folder / "secrets").mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, value in given.items():
        path = folder / "secrets" / name
        path.write_text(value, "utf-8")
        path.chmod(0o600)
    config = folder / "config.toml"
    password_hash = hashed(given["duty-password"], memory_kib=LEAST_MEMORY_KIB, time=2, lanes=1)
    config.write_text(text.format(**asdict(addresses), password_hash=password_hash), "utf-8")
    return County(config, given)
