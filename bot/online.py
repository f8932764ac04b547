"""``fenghuo check --online``: every configured vendor greeted, all at once, and nothing sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from bot.sessions import open_channels, vendor_session
from bot.settings.models import Settings
from bot.settings.positions import Loc
from bot.settings.problem import Language, Place
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
    Standing.NO_ROUTE: ("连不上", "no route"),
    Standing.CLOCK: ("本机时钟不对，签名会被拒", "this machine's clock is off: signatures would be refused"),
    Standing.REFUSED: ("对方拒绝", "refused"),
    Standing.UNCLEAR: ("结果不明", "unclear"),
}
_TODO: dict[Standing, tuple[str, str]] = {
    Standing.WRONG_KEY: (
        "对照平台后台重新复制；写成 file: 的，看文件里有没有多余的字",
        "copy it anew from the vendor's console; where it is a file:, look for stray characters in it",
    ),
    Standing.CERTIFICATE: (
        "过期的请对方更换；内网自建的 CA 装进本机的信任库（邮件也可写 ca_file）；不要改用不加密的地址",
        "one that ended is the vendor's to renew; a CA of your own goes into this machine's trust store",
    ),
    Standing.NO_ROUTE: ("检查网络、防火墙和这里的地址", "look at the network, the firewall and the address here"),
    Standing.CLOCK: ("先校时（timedatectl 看现状）再试", "set the clock (see timedatectl) and try again"),
    Standing.REFUSED: (
        "照对方说的改；每个代码的意思见 docs/channels/{kind}.md",
        "do as it says; docs/channels/{kind}.md tells what each code means",
    ),
    Standing.UNCLEAR: (
        "过一会儿再试；仍然这样，用 fenghuo send-test 发一条试试",
        "try again later; if it stays so, send one with `fenghuo send-test`",
    ),
}


class Greeted(msgspec.Struct, kw_only=True):
    """What came of greeting one channel's vendor: ``verdict`` is a word of :class:`Standing`, or ``none`` where this
    kind of channel cannot be greeted; ``good``: nothing is wrong as far as it can be seen. ``place`` is the setting it
    is about; ``hint_*`` say what to do, '' where it is good."""

    channel: str
    kind: str
    verdict: str
    good: bool
    zh: str
    en: str
    detail: str
    place: Place
    hint_zh: str = ""
    hint_en: str = ""

    def text(self, lang: Language) -> str:
        """A line for a terminal; two, with place and what to do, where something is wrong."""
        said, hint = (self.zh, self.hint_zh) if lang == "zh" else (self.en, self.hint_en)
        mark = "✓" if self.good else "✗"
        told = f"  {mark} {self.channel}（{self.kind}） {said}" + (f"：{self.detail}" if self.detail else "")
        return told if self.good else f"{told}\n    → {self.place}{'：' if lang == 'zh' else ': '}{hint}"


async def greet_all(settings: Settings, place: Callable[[Loc], Place], now: int) -> list[Greeted]:
    """Greet every channel's vendor; in the order of the configuration. ``place`` says where a path of it is written.
    Raises nothing for what vendors do."""
    async with vendor_session() as session:
        channels = open_channels(settings, session)
        try:
            greetings = await asyncio.gather(*(_greet(channel, now) for channel in channels.values()))
        finally:
            for channel in channels.values():
                await channel.close()
    return [_greeted(channel, said, place) for channel, said in zip(channels.values(), greetings, strict=True)]


async def _greet(channel: Channel, now: int) -> Greeting | None:
    if not isinstance(channel, Greets):
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await channel.greet(now)
    except TimeoutError:
        return Greeting(Standing.NO_ROUTE, f"{PATIENCE:.0f} 秒内没有应答")


def _greeted(channel: Channel, said: Greeting | None, place: Callable[[Loc], Place]) -> Greeted:
    kind = channel.abilities.kind
    table: Loc = ("channels", channel.name)
    if said is None:
        zh, en = "这种渠道不能只登录不发送，用 fenghuo send-test 验证", "cannot be greeted: try `fenghuo send-test`"
        return Greeted(
            channel=channel.name, kind=kind, verdict="none", good=True, zh=zh, en=en, detail="", place=place(table)
        )
    zh, en = _WORDS[said.standing]
    hint_zh, hint_en = _TODO.get(said.standing, ("", ""))
    return Greeted(
        channel=channel.name,
        kind=kind,
        verdict=said.standing.value,
        good=said.standing.good,
        zh=zh,
        en=en,
        detail=said.detail,
        place=place((*table, *said.where)),
        hint_zh=hint_zh.format(kind=kind),
        hint_en=hint_en.format(kind=kind),
    )


def plain(greeted: list[Greeted]) -> list[dict[str, Any]]:
    """For JSON."""
    return [msgspec.to_builtins(each) for each in greeted]
