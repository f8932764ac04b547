"""What a configured channel can do, and what an address on it must look like, before anything is opened."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import cast

import aiohttp
from pydantic import BaseModel
from yarl import URL

from channels import registry
from channels.channel import Abilities, Form
from channels.mail.settings import is_address

_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
# A duty room has a landline: area code and number. Voice reaches it, a text message does not.
_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[2-9][0-9]{6,7}", re.ASCII)


# One member of a chat platform: neither several ("a|b") nor everybody ("@all").
_USERID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.-]{0,63}", re.ASCII)


class Need(StrEnum):
    """What stands in ``address`` of a contact."""

    NONE = "none"
    MOBILE = "mobile"
    PHONE = "phone"
    MAIL = "mail"
    URL = "url"
    USERID = "userid"
    TEXT = "text"

    @property
    def words(self) -> tuple[str, str]:
        """In Chinese and in English."""
        return {
            "none": ("", ""),
            "mobile": ("手机号码（11 位）", "a mobile number (11 digits)"),
            "phone": ("电话号码", "a telephone number"),
            "mail": ("邮箱地址", "a mail address"),
            "url": ("http(s) 地址", "an http(s) address"),
            "userid": ("平台成员的 userid", "a member's userid"),
            "text": ("地址", "an address"),
        }[self.value]

    @property
    def example(self) -> str:
        return {
            "none": "",
            "mobile": "13800130001",
            "phone": "13800130001",
            "mail": "zhang@example.cn",
            "url": "https://alarm.example.cn/in",
            "userid": "zhangsan",
            "text": "…",
        }[self.value]

    def holds(self, address: str) -> bool:
        """True when the address is one of this sort."""
        match self:
            case Need.NONE:
                return not address
            case Need.MOBILE:
                return _MOBILE.fullmatch(address) is not None
            case Need.PHONE:
                return _PHONE.fullmatch(address) is not None
            case Need.MAIL:
                return is_address(address)
            case Need.URL:
                return _is_http(address)
            case Need.USERID:
                return _USERID.fullmatch(address.strip()) is not None
            case Need.TEXT:
                return bool(address.strip())


_SLIPS = str.maketrans("OoQIlBS", "0001185") | {ord(mark): None for mark in " -－　()（）"}
"""Signs that people take for digits, and those they set numbers apart with."""


def meant_number(address: str) -> str:
    """The mobile number that was probably meant: a letter for a digit, full-width digits, spaces, +86; else empty."""
    bare = unicodedata.normalize("NFKC", address).translate(_SLIPS).removeprefix("+86")
    return bare if _MOBILE.fullmatch(bare) else ""


def _is_http(address: str) -> bool:
    try:
        url = URL(address)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def abilities_of(name: str, settings: BaseModel) -> Abilities:
    """The abilities of the channel with these settings. A driver connects at its first send, so none is needed here."""
    return registry.open_channel(name, settings, cast("aiohttp.ClientSession", None)).abilities


def need_of(abilities: Abilities) -> Need:
    """What a contact's address on such a channel must be."""
    if abilities.voice:
        return Need.PHONE if abilities.landlines else Need.MOBILE
    match abilities.form:
        case Form.SMS | Form.VOICE:
            return Need.MOBILE
        case Form.MAIL:
            return Need.MAIL
        case Form.JSON:
            return Need.URL
        case Form.TEXT:
            return Need.USERID
        case Form.MARKDOWN:
            return Need.USERID if abilities.personal else Need.NONE


def may_lack_address(settings: BaseModel, need: Need) -> bool:
    """True where the channel's own table holds the URL that a contact may leave out."""
    return need is Need.URL and bool(getattr(settings, "url", ""))
