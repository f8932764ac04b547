"""The wall's parts by themselves: bubbles, phones, buttons and the stream."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.demo.bubbles import mail_parts, markdown_lines
from bot.demo.controls import Asked, Refusal
from bot.demo.demo import CannotStart, running
from bot.demo.wall import Answer, Emptying
from bot.web.stream import Stream
from escalation.event import EventType
from escalation.vocabulary import Mode
from tests.demo.house import DUST, House
from tests.demo.listening import Listener


def test_markdown_becomes_parts_and_nothing_else() -> None:
    lines = markdown_lines(
        '【演练】<font color="warning">红色预警</font> **须处置**\n\n> 企业：<b>明木</b>\n[签收](http://x/a/1)'
    )
    assert lines == [
        {
            "quote": False,
            "parts": [
                {"text": "【演练】"},
                {"text": "红色预警", "colour": "warning"},
                {"text": " "},
                {"text": "须处置", "bold": True},
            ],
        },
        {"quote": False, "parts": []},
        {"quote": True, "parts": [{"text": "企业：<b>明木</b>"}]},
        {"quote": False, "parts": [{"text": "签收", "link": "http://x/a/1"}]},
    ]


def test_a_mail_shows_its_own_page_and_no_other_address() -> None:
    text = "标题\n\n请处置\n签收：http://hub/a/Ab_-1\n\n企业：明木\n\n经过\n02:00 发生"
    head, rest, link = mail_parts(text, "http://hub")
    assert link == "http://hub/a/Ab_-1"
    assert [part["text"] for line in head for part in line["parts"]] == ["请处置"]
    assert "02:00 发生" in [part["text"] for line in rest for part in line["parts"]]
    assert mail_parts(text, "http://elsewhere")[2] == ""


async def test_numbers_on_the_wall_are_masked(house: House) -> None:
    shown = house.demo.wall.snapshot()
    assert len(shown["phones"]) == 30
    for phone in shown["phones"]:
        assert "*" in phone["address"] or phone["group"]
        assert not re.search(r"\d{7}", phone["address"] + phone["post"])
    assert {phone["tier"] for phone in shown["phones"]} == {"enterprise", "town", "county", "city", "stranger"}
    duty = house.demo.wall.beat()["on_duty"]
    assert duty["group-county-group"] in ("秦值班", "卿值班")


async def test_a_button_that_makes_no_sense_says_why(house: House) -> None:
    wall = house.demo.wall

    def asked(do: str, point: str = "DC01-T01", grade: str = "high", enterprise: str = DUST) -> Asked:
        return Asked(do=do, enterprise=enterprise, point=point, grade=grade, mode=Mode.TEST)

    for wrong in (
        asked("repeat"),
        asked("higher"),
        asked("clear"),
        asked("explode"),
        asked("raise", grade="pink"),
        asked("raise", point="nowhere"),
        asked("raise", enterprise="nobody"),
        asked("raise", point="", grade="high"),
    ):
        with pytest.raises(Refusal):
            await wall.press(wrong)
    assert "新警情" in await wall.press(asked("raise"))
    assert "并入" in await wall.press(asked("repeat"))
    assert "新变化" in await wall.press(asked("higher"))
    with pytest.raises(Refusal, match="不能再升级"):
        await wall.press(asked("higher"))
    assert "恢复" in await wall.press(asked("clear"))
    assert "新警情" in await wall.press(asked("raise", point="", grade="orange"))
    assert "新变化" in await wall.press(asked("higher", point=""))
    assert "恢复" in await wall.press(asked("clear", point=""))


async def test_a_page_gets_everything_first_and_then_what_changed(house: House) -> None:
    async with Listener.at(house) as page:
        _, state, first = await page.next_of("snapshot")
        assert state["incidents"] == []
        code = await house.post("alarm.raised")
        _, change, following = await page.next_of("message")
        assert following > first
        assert change["phone"] in ("bai", "lin")
        assert code in str(change["message"]["lines"]) + change["message"].get("subject", "")
        _, incidents, last = await page.next_of("incidents")
        assert last > first
        assert incidents[0]["code"] == code
    async with Listener.at(house) as page:
        _, state, number = await page.next_of("snapshot")
        assert number >= last
        assert state["incidents"][0]["code"] == code
        assert next(phone for phone in state["phones"] if phone["id"] == "bai")["messages"]


async def test_the_heartbeat_is_an_event_that_a_page_can_see() -> None:
    stream = Stream(dict, lambda: {"now": 1}, every=0.01)
    app = web.Application()
    app.router.add_get("/demo/api/stream", stream.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session, Listener.on(session, url) as page:
            assert (await page.next())[0] == "snapshot"
            for _ in range(2):
                assert await page.next() == ("heartbeat", {"now": 1}, None)
            stream.close()
            assert await page.ended()
    finally:
        await runner.cleanup()


async def test_who_has_only_a_mailbox_answers_by_mail(house: House) -> None:
    wall = house.demo.wall
    with pytest.raises(Refusal):
        await wall.answer(Answer("qinghe-officer", "签收"))
    async with Listener.at(house) as page:
        await wall.answer(Answer("bai", "着火了，快来人"))
        told = {"phone": ""}
        while told["phone"] != "qinghe-officer":
            _, told, _ = await page.next_of("message")
    code = re.search(r"[AW]\d{4,}", str(told))
    assert code is not None
    await wall.answer(Answer("qinghe-officer", "签收"))
    found = await house.until(code[0], lambda incident: any(each.person == "qinghe-officer" for each in incident.deeds))
    assert [each.verb for each in found.deeds] == ["sign"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Host": "evil.example:80"}, b'{"minutes":1}'),
        ({"Origin": "https://evil.example"}, b'{"minutes":1}'),
        ({"Sec-Fetch-Site": "cross-site"}, b'{"minutes":1}'),
        ({"Content-Type": "text/plain"}, b'{"minutes":1}'),
        ({}, b"\xff"),
        ({}, b'{"minutes":"x"}'),
        ({}, b'{"minutes":99999}'),
        ({}, b'{"minutes":-5}'),
        ({}, b"{}"),
    ],
)
async def test_only_the_walls_own_page_moves_the_clock(house: House, headers: dict[str, str], body: bytes) -> None:
    before = house.demo.clock.now()
    given = {"Content-Type": "application/json", **headers}
    async with house.session.post(f"{house.demo.url}/demo/api/time", data=body, headers=given) as response:
        assert response.status in (400, 403, 409)
    assert house.demo.clock.now() - before < 50_000


async def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(CannotStart, match="没有改动"):
        async with running(tmp_path, 0):
            pass
    assert _names(tmp_path) == ["letter.txt"]


async def test_a_second_demo_in_the_folder_is_refused(house: House) -> None:
    with pytest.raises(CannotStart, match="已有一个演示在运行"):
        async with running(house.demo.folder, 0):
            pass
    assert (await house.post("alarm.raised")).startswith("A")


async def test_a_kept_demo_goes_on_where_it_was(tmp_path: Path) -> None:
    async with running(tmp_path / "d", 0) as demo, aiohttp.ClientSession() as session:
        code = await House(demo, session).post("alarm.raised")
        assert demo.hub.engine is not None
        await demo.hub.engine.advance(demo.clock.now() + 3_600_000)
        later = demo.clock.now()
    async with running(tmp_path / "d", 0, keep=True) as demo:
        assert demo.clock.now() >= later
        incidents: list[dict[str, Any]] = demo.wall.snapshot()["incidents"]
        assert [row["code"] for row in incidents] == [code]
    async with running(tmp_path / "d", 0) as demo:
        assert demo.wall.snapshot()["incidents"] == []


async def test_a_demo_that_ends_right_after_a_reload_leaves_nothing_open(tmp_path: Path) -> None:
    async with running(tmp_path / "d", 0) as demo, aiohttp.ClientSession() as session:
        house = House(demo, session)
        async with Listener.at(house) as page:
            await house.post("alarm.raised")
            await demo.wall.answer(Answer("bai", "签收"))
            ways: list[str] = []
            while "流" not in ways:
                _, row, _ = await page.next_of("upstream")
                ways = row["ways"]
        former: Any = demo.hub.rules.channels["upstream-stream"]
        assert former._client is not None
        await demo.wall.night(Emptying(True))
        assert demo.hub.rules.channels["upstream-stream"] is not former
    assert former._client is None


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_hub_in_real_use_has_nothing_of_the_demo(house: House) -> None:
    routes = {str(route.resource) for route in house.demo.hub.application().router.routes()}
    assert any("/events/" in route for route in routes)
    assert not [route for route in routes if "/demo" in route]
    code = "import sys, bot.hub, bot.web.routes; sys.exit(any(name.startswith('bot.demo') for name in sys.modules))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=Path(__file__).parents[2])
    assert await process.wait() == 0


async def test_the_wall_shows_no_secret(house: House, tmp_path: Path) -> None:
    """Neither what it sends to a page at first, nor what it sends when vendors were written to."""
    code = await house.post(EventType.ALARM_RAISED)
    await house.until(code, lambda found: all(each.state.reached_vendor for each in found.notices.values()))
    status, shown = await house.get("/demo")
    assert status == 200
    async with Listener.at(house) as listener:
        shown += str(await listener.next())
    secrets = [path.read_text().strip() for path in (tmp_path / "demo" / "secrets").iterdir()]
    assert len(secrets) > 10
    assert [each for each in secrets if each in shown] == []
