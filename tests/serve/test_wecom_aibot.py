"""A robot's line on real hubs: the courier process sends on the line that the hub holds; killed and gone on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.demo.simulators.vendor import listening
from bot.demo.simulators.wecom_aibot import BotCard, WecomAibot
from tests.serve.test_courier_process import with_courier
from tests.serve.town import PATIENCE, WORKER, Town
from tests.serve.vendors import now

pytestmark = pytest.mark.timeout(120)
MEMBER = "BaiMujiang"
BOT, SECRET = "demo-bot-0001", "fake-bot-secret-0001"


@asynccontextmanager
async def robot(town: Town) -> AsyncIterator[WecomAibot]:
    """The worker is told by a robot first."""
    vendor = WecomAibot(BOT, SECRET, now, [MEMBER])
    async with listening(vendor.app()) as url:
        vendor.url = url.replace("http", "ws")
        path = town.config.parent / "secrets" / "bot-secret"
        path.write_text(SECRET, "utf-8")
        path.chmod(0o600)
        table = f'kind = "wecom_aibot"\nbot_id = "{BOT}"\nsecret = "file:secrets/bot-secret"\nurl = "{vendor.url}"\n'
        sms = f'{{ channel = "sms", address = "{WORKER}" }}'
        town.edit(f"[{sms}]", f'[{{ channel = "bot", address = "{MEMBER}" }}, {sms}]')
        town.config.write_text(f"{town.config.read_text('utf-8')}\n[channels.bot]\n{table}", "utf-8")
        yield vendor


async def card_of(vendor: WecomAibot, code: str) -> BotCard:
    async with asyncio.timeout(PATIENCE):
        await vendor.until(lambda: any(code in task for _, task in vendor.cards))
    return next(card for (_, task), card in vendor.cards.items() if code in task)


async def stands(vendor: WecomAibot, times: int) -> None:
    async with asyncio.timeout(PATIENCE):
        await vendor.until(lambda: vendor.subscribed >= times)


async def test_told_by_the_courier_process_pressed_signed_and_changed_in_time(town: Town) -> None:
    async with robot(town) as vendor:
        await with_courier(town)
        await stands(vendor, 1)
        code = await town.raised("e1")
        card = await card_of(vendor, code)
        await vendor.press(MEMBER, card.task, "签收")
        async with asyncio.timeout(PATIENCE):
            await vendor.until(lambda: card.changes)
        assert [each["text"] for each in card.shown["button_list"]] == ["已签收"]
        story = await town.story(code)
        assert "reply_sign" in [line["reason"] for line in story["lines"]]
        await vendor.write(MEMBER, "查询")
        async with asyncio.timeout(PATIENCE):
            await vendor.until(lambda: vendor.answers)
        assert code in vendor.answers[0]["content"], "answered in its own frame, by whichever process"
        listed = await town.run("check", "--online")
        assert "登录会顶掉运行中的长连接" in listed.out
        assert (vendor.subscribed, vendor.displaced) == (1, 0)


async def test_a_hub_that_is_killed_is_followed_by_one_that_tells_what_is_left(town: Town) -> None:
    async with robot(town) as vendor:
        await town.start()
        await stands(vendor, 1)
        await town.kill()
        await town.start()
        code = await town.raised("e1")
        # The line is the dead hub's until its lease has ended; what is critical does not wait for that.
        await stands(vendor, 2)
        card = await card_of(vendor, code)
        await vendor.press(MEMBER, card.task, "签收")
        async with asyncio.timeout(PATIENCE):
            await vendor.until(lambda: card.changes)
        sent = await town.run("send-test", "--to", "bai", "--channel", "bot")
        assert sent.code == 0, sent.out
        assert "【测试】" in vendor.received[-1].text
