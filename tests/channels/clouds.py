"""The clouds that send text messages by approved templates, each with an account, whatever their tables call it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.demo.simulators.aliyun import AliyunSms
from bot.demo.simulators.tencent import TencentSms
from bot.demo.simulators.vendor import listening
from channels.registry import open_channel, parse
from tests.channels import aliyun_account, tencent_account

SIGN = "青河应急"


class Cloud:
    """A vendor and an account there. ``keys`` are the names of its id and its secret, ``waits`` how long a repeat waits
    after a lost answer (s)."""

    def __init__(self, vendor: AliyunSms | TencentSms, session: aiohttp.ClientSession, url: str) -> None:
        theirs = isinstance(vendor, AliyunSms)
        self.vendor = vendor
        self.url = url
        self.ours: Any = aliyun_account if theirs else tencent_account
        self.keys = ("access_key_id", "access_key_secret") if theirs else ("secret_id", "secret_key")
        self.waits = 10.0 if theirs else 30.0
        self.refused = 2 if theirs else -1
        self.pending = 0 if theirs else 1
        self._session = session

    def opened(self, **other: Any) -> Any:
        """A driver of this account, or of one that differs from it."""
        table = {**self.ours.table(self.url), **other}
        return open_channel("it", parse("it", table), self._session)


def vendor_of(kind: str) -> AliyunSms | TencentSms:
    """The vendor on the machine's clock, with the account of the tests."""
    if kind == "aliyun":
        ours = aliyun_account
        return AliyunSms(ours.KEY_ID, ours.KEY_SECRET, (SIGN,), dict(ours.TEMPLATES), now)
    other = tencent_account
    return TencentSms(other.SECRET_ID, other.SECRET_KEY, other.APP_ID, (SIGN,), dict(other.TEMPLATES), now)


def now() -> int:
    """The machine's time in milliseconds."""
    return time.time_ns() // 1_000_000


@pytest.fixture(params=["aliyun", "tencent"])
async def cloud(request: pytest.FixtureRequest, session: aiohttp.ClientSession) -> AsyncIterator[Cloud]:
    vendor = vendor_of(request.param)
    async with listening(vendor.app()) as url:
        yield Cloud(vendor, session, url)
