"""The robot's long connection on a hub: told, pressed, signed; told twice, cut, displaced, killed; others' letters."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot import longlines
from bot.demo.simulators.vendor import listening
from bot.demo.simulators.wecom_aibot import BotCard, WecomAibot
from bot.engine import Engine
from bot.longlines import LongLines
from bot.store.client import Store
from channels.outcome import OutcomeKind
from escalation.ledger.keys import partition_keys
from escalation.ledger.leadership import Leadership
from escalation.ledger.marks import Marks, line_mark
from escalation.notice import NoticeKind
from escalation.vocabulary import Severity, Verb
from tests.channels.conftest import a_letter
from tests.workers.house import KEEPER_MAIL, MINUTE, PARTITIONS, STEEL, Edit, House, house_on

OFFICER, LEADER, DIRECTOR = "PeiZhuanguan", "HeZhen", "PengZhuren"
OFFICER_PHONE = "13800130023"
BOT = "demo-bot-0001"
JPEG = b"\xff\xd8\xff" + b"what the spot looks like" * 4


def by_robot(url: str) -> Edit:
    """The county's app is a robot."""
    table = f"""[channels.app]
kind = "wecom_aibot"
bot_id = "{BOT}"
secret = "file:secrets/app-secret"
url = "{url}"
ack_timeout = 1.0

"""
    return lambda text: re.sub(r"\[channels\.app\]\n.*?\n\n", table, text, count=1, flags=re.DOTALL)


class Office:
    """A county whose officers read a robot's chat, and the hubs that may hold its line."""

    def __init__(self, house: House, vendor: WecomAibot) -> None:
        self.house = house
        self.vendor = vendor
        self.hubs: list[asyncio.Task[None]] = []

    def hub(self, engine: Engine | None = None) -> None:
        """Another hub's lines, on an engine of its own or on the one at work."""

        def at_work() -> Engine:
            return engine or self.house.engine

        self.hubs.append(asyncio.create_task(LongLines(lambda: at_work().rules, at_work).run()))

    async def stop(self) -> None:
        """Every hub ends."""
        for each in self.hubs:
            each.cancel()
        await asyncio.gather(*self.hubs, return_exceptions=True)
        self.hubs.clear()

    async def until(self, holds: Callable[[], object]) -> None:
        async def found() -> object:
            return holds()

        await self.until_found(found)

    async def until_found(self, holds: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.timeout(8):
            while not await holds():
                await self.house.engine.rest()
                await asyncio.sleep(0.02)

    async def stands(self) -> None:
        async with asyncio.timeout(8):
            await self.vendor.standing.wait()

    async def alarm(self) -> str:
        """One that nobody at the works signs, so that the park's people hear it by the robot."""
        code = await self.house.alarm(Severity.HIGH_HIGH, enterprise=STEEL, point="BF1-CO-03")
        await self.house.wait(40 * MINUTE)
        return code

    def cards(self, code: str) -> list[BotCard]:
        return [card for (whose, task), card in self.vendor.cards.items() if whose == OFFICER and code in task]

    def told(self) -> list[str]:
        return [each.text for each in self.vendor.received if each.address == OFFICER]

    def words(self, part: str) -> list[str]:
        """What the county's keeper heard of it."""
        return [each.text for each in self.house.at(KEEPER_MAIL) if part in each.text]

    async def kept(self) -> int:
        """How many messages are on disk."""
        keys = [partition_keys(number).inbox_seen for number in range(PARTITIONS)]
        return sum([await self.house.door.execute("ZCARD", key) for key in keys])

    async def signatures(self, code: str) -> list[str]:
        return [deed.person for deed in (await self.house.incident(code)).deeds if deed.verb is Verb.SIGN]


@pytest.fixture
async def office(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr(longlines, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(longlines, "LOOK", 0.02)
    houses: list[House] = []
    vendor = WecomAibot(BOT, "", lambda: houses[0].vendors.now, [OFFICER, LEADER, DIRECTOR])
    async with listening(vendor.app()) as url:
        vendor.url = url.replace("http", "ws")
        async with house_on(store, tmp_path, by_robot(vendor.url)) as house:
            houses.append(house)
            vendor.account = (BOT, (tmp_path / "county" / "secrets" / "app-secret").read_text())
            opened = Office(house, vendor)
            opened.hub()
            try:
                await opened.stands()
                yield opened
            finally:
                await opened.stop()


async def test_an_alarm_is_shown_as_a_card_pressed_and_signed(office: Office) -> None:
    code = await office.alarm()
    card = office.cards(code)[-1]
    assert [each["text"] for each in card.shown["button_list"]] == ["签收", "误报", "详情"]
    await office.vendor.press(OFFICER, card.task, "签收")
    await office.until(lambda: card.changes)
    assert await office.signatures(code) == ["park-officer"]
    assert [each["text"] for each in card.shown["button_list"]] == ["已签收"]
    assert card.shown["main_title"]["desc"].startswith("裴")
    assert code in card.shown["main_title"]["title"]
    assert "数值" in {each["keyname"] for each in card.shown["horizontal_content_list"]}
    await office.until(lambda: any("已记录签收" in text for text in office.told()))
    # What is left of the buttons means nothing, and says so.
    await office.vendor.press(OFFICER, card.task, "已签收")
    await office.until(lambda: any("这个按钮无效" in text for text in office.told()))
    incident = await office.house.incident(code)
    (change,) = [each for each in incident.notices.values() if each.kind is NoticeKind.CARD]
    assert change.card in incident.notices


async def test_the_same_words_told_twice_sign_once_and_are_answered_in_their_frame(office: Office) -> None:
    code = await office.alarm()
    for _ in range(2):
        await office.vendor.write(OFFICER, f"签收 {code}", message_id="m1")
    await office.until(lambda: office.vendor.answers)
    assert await office.signatures(code) == ["park-officer"]
    await office.vendor.write(OFFICER, "查询", message_id="m2")
    await office.until(lambda: len(office.vendor.answers) == 2)
    assert ["已记录签收" in each["content"] for each in office.vendor.answers] == [True, False]
    assert await office.signatures(code) == ["park-officer"]


async def test_a_picture_and_words_in_one_message_are_evidence_and_an_answer(office: Office) -> None:
    code = await office.alarm()
    await office.vendor.send_picture(OFFICER, JPEG, words=f"签收 {code}")

    async def there() -> object:
        return [each for each in (await office.house.incident(code)).evidence if each.file]

    await office.until_found(there)
    (evidence,) = (await office.house.incident(code)).evidence
    assert evidence.file is not None
    assert (office.house.folder / evidence.file.path).read_bytes() == JPEG
    assert await office.signatures(code) == ["park-officer"]


async def test_who_comes_in_is_welcomed_and_shown_what_waits(office: Office) -> None:
    code = await office.alarm()
    await office.vendor.enter(OFFICER)
    await office.until(lambda: office.vendor.welcomes)
    await office.until(lambda: any("待办" in text and code in text for text in office.told()[1:]))
    assert await office.signatures(code) == []


async def test_a_line_that_is_cut_loses_nothing(office: Office) -> None:
    code = await office.house.alarm(Severity.HIGH_HIGH, enterprise=STEEL, point="BF1-CO-03")
    await office.vendor.drop()
    await office.house.wait(40 * MINUTE)
    await office.stands()
    await office.house.wait(2 * MINUTE)
    await office.until(lambda: office.cards(code))
    await office.vendor.press(OFFICER, office.cards(code)[-1].task, "签收")
    await office.until(lambda: office.cards(code)[-1].changes)
    assert await office.signatures(code) == ["park-officer"]
    assert office.vendor.subscribed == 2


async def test_a_hub_killed_between_keeping_and_answering_answers_afterwards(office: Office) -> None:
    code = await office.alarm()
    before = await office.kept()
    await office.vendor.write(OFFICER, f"签收 {code}", message_id="m1")
    async with asyncio.timeout(5):
        while await office.kept() == before:  # noqa: ASYNC110 (no store tells of a row)
            await asyncio.sleep(0.01)
    await office.stop()
    assert await office.signatures(code) == []
    await office.house.crash()
    office.hub()
    await office.stands()
    await office.until(lambda: any("已记录签收" in text for text in office.told()))
    assert await office.signatures(code) == ["park-officer"]
    # Told once more, it is known.
    await office.vendor.write(OFFICER, f"签收 {code}", message_id="m1")
    await office.vendor.write(OFFICER, "帮助", message_id="m2")
    await office.until(lambda: office.vendor.answers)
    assert await office.signatures(code) == ["park-officer"]


@asynccontextmanager
async def another_program(vendor: WecomAibot) -> AsyncIterator[None]:
    """It uses the same robot."""
    bot_id, secret = vendor.account
    frame = {"cmd": "aibot_subscribe", "headers": {"req_id": "x"}, "body": {"bot_id": bot_id, "secret": secret}}
    async with aiohttp.ClientSession() as session, session.ws_connect(vendor.url) as socket:
        await socket.send_json(frame)
        await socket.receive_json()
        yield


async def test_displaced_it_gives_way_tells_once_and_the_next_channel_takes_over(office: Office) -> None:
    office.hub()
    async with another_program(office.vendor):
        await office.until(lambda: office.words("另一个程序"))
        code = await office.house.alarm(Severity.HIGH_HIGH, enterprise=STEEL, point="BF1-CO-03")
        await office.house.wait(25 * MINUTE)
        assert office.cards(code) == []
        assert any(code in text for text in office.house.texts(OFFICER_PHONE))
        outcome = await office.house.engine.rules.channels["app"].send(a_letter(address=OFFICER))
        assert outcome.kind is OutcomeKind.MISCONFIGURED, "nobody's message waits for what people know is closed"
        # Neither hub fought for it.
        assert (office.vendor.subscribed, office.vendor.displaced) == (2, 1)
        assert len(office.words("另一个程序")) == 1
    office.house.push(6 * MINUTE)
    await office.until(lambda: office.words("长连接已恢复"))
    assert office.vendor.subscribed == 3


async def test_the_next_hub_takes_the_line_when_the_first_has_ended(office: Office) -> None:
    office.hub()
    first = office.hubs.pop(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await office.until(lambda: office.vendor.subscribed == 2)
    assert office.vendor.displaced == 0


async def test_displaced_by_the_hub_that_leads_now_nobody_is_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    house = office.house
    # The first hub stood still for longer than its lease.
    house.push(longlines.LEASE + 1)
    other = Leadership(house.door, "another", duty=f"line:wecom_aibot {BOT}", lease=longlines.LEASE)
    assert await other.holds(house.clock.now())
    async with another_program(office.vendor):
        await office.until(lambda: "took the line of channel app over" in caplog.text)
    assert office.words("长连接") == []
    assert await Marks(house.door).load(line_mark("app")) is None


async def test_letters_of_another_process_leave_on_the_line_that_this_one_holds(office: Office) -> None:
    holder = office.house.engine
    await office.stop()
    office.hub(holder)
    await office.until(lambda: office.vendor.subscribed == 2 and office.vendor.standing.is_set())
    office.house.engine = await office.house.another()
    assert await office.alarm()
    assert office.vendor.cards


async def test_without_any_holder_a_letter_is_not_sent_and_says_so(office: Office) -> None:
    await office.stop()
    outcome = await office.house.engine.rules.channels["app"].send(a_letter(address=OFFICER))
    assert outcome.kind is OutcomeKind.TRANSIENT
    assert "没有枢纽" in outcome.detail
    # Nobody finds it later either.
    office.hub()
    await office.until(lambda: office.vendor.subscribed == 2 and office.vendor.standing.is_set())
    assert (await office.house.engine.rules.channels["app"].send(a_letter("后来", address=OFFICER))).left_the_hub
    assert office.told() == ["后来"]


async def test_who_never_spoke_is_told_another_way(office: Office) -> None:
    office.vendor.silence(OFFICER)
    code = await office.alarm()
    assert office.cards(code) == []
    assert any(code in text for text in office.house.texts(OFFICER_PHONE))
