"""``fenghuo check --online``: every configured vendor greeted, all at once, and nothing sent."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from bot.sessions import open_channels, vendor_session
from bot.settings.models import Settings
from bot.settings.problem import Language
from channels.channel import Channel
from channels.greeting import Greeting, Greets, Standing

PATIENCE = 60.0
"""How long one vendor may take to answer a greeting, in seconds."""
_WORDS: dict[Standing, tuple[str, str]] = {
    Standing.WELL: ("登录成功", "logged in"),
    Standing.REACHED: (
        "连得上；没有只登录不发送的接口，密钥要用 fenghuo send-test 验证",
        "reached; there is no call that only logs in: try the key with `fenghuo send-test`",
    ),
    Standing.WRONG_KEY: ("密钥、用户名或密码不对", "wrong key, user or password"),
    Standing.CERTIFICATE: ("证书有问题", "the certificate is not good"),
    Standing.NO_ROUTE: ("连不上，检查网络、防火墙和地址", "no route: look at network, firewall and address"),
    Standing.CLOCK: ("本机时钟不对，签名会被拒，先校时", "this machine's clock is off: signatures would be refused"),
    Standing.REFUSED: ("对方拒绝", "refused"),
    Standing.UNCLEAR: ("结果不明", "unclear"),
}


class Greeted(msgspec.Struct, kw_only=True):
    """What came of greeting one channel's vendor: ``verdict`` is a word of :class:`Standing`, or ``none`` where this
    kind of channel cannot be greeted; ``good``: nothing is wrong as far as it can be seen."""

    channel: str
    kind: str
    verdict: str
    good: bool
    zh: str
    en: str
    detail: str

    def text(self, lang: Language) -> str:
        """A line for a terminal."""
        said = self.zh if lang == "zh" else self.en
        mark = "✓" if self.good else "✗"
        return f"  {mark} {self.channel}（{self.kind}） {said}" + (f"：{self.detail}" if self.detail else "")


async def greet_all(settings: Settings, now: int) -> list[Greeted]:
    """Greet every channel's vendor; in the order of the configuration. Raises nothing for what vendors do."""
    async with vendor_session() as session:
        channels = open_channels(settings, session)
        try:
            greetings = await asyncio.gather(*(_greet(channel, now) for channel in channels.values()))
        finally:
            for channel in channels.values():
                await channel.close()
    return [_greeted(channel, said) for channel, said in zip(channels.values(), greetings, strict=True)]


async def _greet(channel: Channel, now: int) -> Greeting | None:
    if not isinstance(channel, Greets):
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await channel.greet(now)
    except TimeoutError:
        return Greeting(Standing.NO_ROUTE, f"{PATIENCE:.0f} 秒内没有应答")


def _greeted(channel: Channel, said: Greeting | None) -> Greeted:
    kind = channel.abilities.kind
    if said is None:
        zh, en = "这种渠道不能只登录不发送，用 fenghuo send-test 验证", "cannot be greeted: try `fenghuo send-test`"
        return Greeted(channel=channel.name, kind=kind, verdict="none", good=True, zh=zh, en=en, detail="")
    zh, en = _WORDS[said.standing]
    return Greeted(
        channel=channel.name,
        kind=kind,
        verdict=said.standing.value,
        good=said.standing.good,
        zh=zh,
        en=en,
        detail=said.detail,
    )


def plain(greeted: list[Greeted]) -> list[dict[str, Any]]:
    """For JSON."""
    return [msgspec.to_builtins(each) for each in greeted]
