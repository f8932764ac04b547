"""The commands' side of channels: asked of the running hub."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from bot.channel_states import ChannelList, abilities_alone
from bot.control import NoAnswer, ask_hub
from bot.settings.models import Settings
from bot.trials import TrialReport

LOOK = 0.3
"""How often it is asked what became of a test, in seconds."""


async def channel_list(settings: Settings) -> ChannelList:
    """The channels, and how they fare where a hub runs. Raises NoAnswer."""
    content = await ask_hub(settings, "GET", "/channels")
    return abilities_alone(settings) if content is None else msgspec.json.decode(content, type=ChannelList)


async def send_test(settings: Settings, to: str, channels: Sequence[str], *, by: str, wait: float) -> TrialReport:
    """Send a test and wait until nothing more is to be expected of it, for at most ``wait`` seconds; what came of it.
    Raises NotDone with the reason where nothing was sent, NoAnswer."""
    query = urlencode([("to", to), ("by", by), *(("channel", each) for each in channels)])
    content = await ask_hub(settings, "POST", f"/tests?{query}")
    if content is None:
        raise NoAnswer(
            "没有运行中的烽火，测试消息只能由它发出：先启动 fenghuo serve / "
            "no hub is running, and only a hub sends: start fenghuo serve first"
        )
    report = msgspec.json.decode(content, type=TrialReport)
    loop = asyncio.get_running_loop()
    end = loop.time() + wait
    while not report.over and loop.time() < end:
        await asyncio.sleep(LOOK)
        content = await ask_hub(settings, "GET", f"/tests/{report.id}")
        if content is None:
            raise NoAnswer("烽火在等待期间停止了 / the hub stopped meanwhile")
        report = msgspec.json.decode(content, type=TrialReport | None) or report
    return report
