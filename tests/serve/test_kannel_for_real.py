"""The first story by text message alone, through Debian's Kannel: out, reported, answered, and found again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.callback import Errand, callback_path
from channels.sms.kannel_inbound import UPLINK_QUERY
from tests.kannel import PASSWORD, Kannel, kannel
from tests.serve.town import WORKER, Town, alarm

pytestmark = [pytest.mark.part("kannel"), pytest.mark.timeout(120)]


@pytest.fixture
async def gateway(town: Town, tmp_path: Path) -> AsyncIterator[Kannel]:
    """A gateway that the town's hub is set up for."""
    secrets = town.config.parent / "secrets"
    path = callback_path("sms", (secrets / "sms-callback").read_text(), Errand.UPLINK)
    async with kannel(tmp_path / "kannel", f"{town.url}{path}?{UPLINK_QUERY}") as running:
        (secrets / "sms-password").write_text(PASSWORD)
        line = next(each for each in town.config.read_text("utf-8").splitlines() if "/cgi-bin/sendsms" in each)
        town.edit(line, f'url = "{running.url}"')
        yield running


def _deeds(story: dict[str, Any], reason: str) -> int:
    return sum(line["reason"] == reason for line in story["lines"])


async def _until(town: Town, code: str, reason: str) -> None:
    async def written() -> bool:
        return _deeds(await town.story(code), reason) > 0

    await town.until(written, f"{reason} never stands in the story")


async def test_an_alarm_is_told_reported_signed_and_disposed_of(town: Town, gateway: Kannel) -> None:
    await town.start()
    code = (await town.post(alarm("e1"))).item["code"]
    first = await gateway.carrier.shown(WORKER, code, "72.5")
    assert first.startswith("【青河应急】")
    await _until(town, code, "receipt_delivered")

    await gateway.carrier.write(WORKER, f"签收 {code}")
    await gateway.carrier.shown(WORKER, "已记录签收", code)
    # Longer than one text message: it comes whole, and is kept whole.
    long = f"处置 {code} " + "已停机清灰，风机复位，现场人员撤离完毕；" * 6 + "完"
    assert len(long) > 70
    await gateway.carrier.write(WORKER, long)
    await _until(town, code, "reply_dispose")
    story = await town.story(code)
    assert _deeds(story, "reply_sign") == 1
    assert any("撤离完毕；完" in str(line) for line in story["lines"])


async def test_an_answer_while_the_hub_is_away_is_not_lost(town: Town, gateway: Kannel) -> None:
    await town.start()
    code = (await town.post(alarm("e1"))).item["code"]
    await gateway.carrier.shown(WORKER, code)
    await town.stop()
    await gateway.carrier.write(WORKER, f"签收 {code}")
    await town.start()
    await gateway.carrier.shown(WORKER, "已记录签收", code)
    assert _deeds(await town.story(code), "reply_sign") == 1


async def test_a_gateway_that_is_away_gets_the_alarm_when_it_is_back(town: Town, gateway: Kannel) -> None:
    town.constants["bot.workers.outcomes.BACK_OFF"] = (500,)
    await gateway.stop()
    await town.start()
    code = (await town.post(alarm("e1"))).item["code"]
    # Others hear it meanwhile by their own channels.
    await town.told(code)
    await gateway.start()
    await gateway.carrier.shown(WORKER, code)


async def test_a_wrong_password_sends_the_alarm_another_way_and_is_told(town: Town, gateway: Kannel) -> None:
    (town.config.parent / "secrets" / "sms-password").write_text("wrong")
    await town.start()
    code = (await town.post(alarm("e1"))).item["code"]

    async def failed() -> bool:
        return any("Authorization failed" in str(line) for line in (await town.story(code))["lines"])

    await town.until(failed, "the gateway's words never stand in the story")
    assert gateway.carrier.texts(WORKER) == []
