"""What goes wrong on the wall: the demo provokes it, and the hub itself deals with it."""

from __future__ import annotations

import pytest

from bot.demo.controls import Asked, Refusal
from bot.demo.phones import STRANGER
from bot.demo.simulators.aliyun import taken_as_received
from bot.demo.wall import Answer, Blow, Emptying, Passing, Trouble
from escalation.vocabulary import Mode
from tests.demo.house import DUST, STEEL, House
from tests.demo.listening import Phones

ALUMINIUM = "91000000DEM000003F"
ROOM, LEADER, KEEPER = "group-county-group", "qinghe-leader", "keeper"
MANY = 8


async def pass_time(house: House, minutes: int) -> None:
    await house.demo.wall.pass_time(Passing(minutes=minutes))


async def issue(house: House, level: str, enterprise: str) -> str:
    """A warning from the wall's own button; its code."""
    said = await house.demo.wall.press(Asked("raise", enterprise, "", level, Mode.ACTUAL))
    assert "新警情" in said
    return said.split()[0]


async def test_a_storm_is_a_handful_of_messages_for_each_phone_and_the_gravest_come_first(house: House) -> None:
    wall = house.demo.wall
    said = await wall.storm(Blow())
    assert said == "300 条事件已全部受理：新警情 36，并入 264"
    await pass_time(house, 2)
    storm = wall.snapshot()["storm"]
    assert (storm["events"], storm["batches"], storm["opened"], storm["merged"]) == (300, 5, 36, 264)
    assert storm["grave"] == len(storm["phones"]), "every phone rang for red or high-high first"
    assert {"白木匠", "段炉长", "耿铸工", "岳值班"} <= {each["name"] for each in storm["phones"]}
    assert max(each["count"] for each in storm["phones"]) <= MANY
    codes = [row["code"] for row in wall.snapshot()["incidents"]]
    assert len(codes) == 36
    phones = {phone["id"]: str(phone["messages"]) for phone in wall.snapshot()["phones"]}
    workers = phones["bai"] + phones["duan"] + phones["geng"]
    assert [code for code in codes if code not in workers and code.startswith("A")] == []
    cloud = wall.vendors.cloud
    assert cloud.sent, "the cloud's messages are told of too, digests among them"
    for place in range(len(cloud.sent)):
        _, body = await cloud.report(place, wall.vendors.session)
        assert taken_as_received(body)


@pytest.mark.parametrize(
    ("switch", "phone", "enterprise", "level", "code", "minutes"),
    [
        ("county-group", ROOM, DUST, "orange", "45009", 20),
        ("park-group", "group-park-group", STEEL, "yellow", "130101", 40),
        ("app", "park-officer", STEEL, "yellow", "45009", 40),
    ],
)
async def test_what_a_throttled_vendor_refuses_goes_by_text_message_and_later_by_itself_again(
    house: House, switch: str, phone: str, enterprise: str, level: str, code: str, minutes: int
) -> None:
    wall = house.demo.wall
    async with Phones.of(house) as phones:
        await wall.trouble(Trouble(switch, True))
        assert [each["id"] for each in wall.beat()["troubles"] if each["on"]] == [switch]
        incident = await issue(house, level, enterprise)
        await phones.on(phone, f"平台没有收下：{code}", "refused")
        assert phones.texts(phone, "sms") == []
        await pass_time(house, minutes)
        assert incident in await phones.on(phone, incident, "sms")
        assert any("改走短信" in each for row in wall.snapshot()["incidents"] for each in row["detours"])
        assert phones.texts(phone, "wecom") + phones.texts(phone, "app") == []
        assert len(phones.numbers(phone, "refused")) < MANY, "the same refusal again is counted, not listed"
        await wall.trouble(Trouble(switch, False))
        await pass_time(house, 15)
        other = await issue(house, level, ALUMINIUM if switch != "county-group" else STEEL)
        await phones.on(phone, other, "app" if switch == "app" else "wecom")


async def test_the_citys_group_refuses_as_feishu_does(house: House) -> None:
    async with Phones.of(house) as phones:
        await house.demo.wall.trouble(Trouble("city-group", True))
        code = await issue(house, "red", DUST)
        await phones.on("group-city-group", "平台没有收下：11232", "refused")
        await phones.on("city-duty", code, "sms")


async def test_a_dead_gateway_is_gone_around_and_told_once_and_once_when_it_is_back(house: House) -> None:
    wall = house.demo.wall
    async with Phones.of(house) as phones:
        await wall.trouble(Trouble("gateway", True))
        code = await house.post("alarm.raised")
        await phones.on("lin", code, "mail")
        await pass_time(house, 5)
        assert phones.texts("bai") == []
        await phones.on(KEEPER, "渠道 sms 无法使用")
        await phones.on("mu", "升级", "mail")
        await phones.on("group-hedong-group", "人工电话任务", "wecom")
        with pytest.raises(Refusal, match="没有送到"):
            await wall.answer(Answer("bai", "签收"))
        await wall.trouble(Trouble("gateway", False))
        await pass_time(house, 2)
        await phones.on("bai", code, "sms")
        await phones.on(KEEPER, "渠道 sms 已恢复")
        await pass_time(house, 1)
        told = [text.partition("\n")[0] for text in phones.texts(KEEPER)]
        assert told == ["渠道 sms 无法使用", "渠道 sms 已恢复"]
        await wall.answer(Answer("bai", "签收"))
        await phones.on("bai", "已记录签收")


async def test_a_quoted_message_says_which_of_two_is_signed(house: House) -> None:
    wall = house.demo.wall
    async with Phones.of(house) as phones:
        first = await issue(house, "yellow", STEEL)
        second = await issue(house, "yellow", ALUMINIUM)
        for code in (first, second):
            await phones.on("park-officer", code, "app")
        await wall.answer(Answer("park-officer", "签收"))
        await phones.on("park-officer", "您有2条未签收")
        quoted, _asking = phones.numbers("park-officer", "app", first)
        await wall.answer(Answer("park-officer", "签收", quote=quoted))
        await phones.on("park-officer", f"{first} 已记录签收：裴专管")
        assert "黄色预警" in phones.texts("park-officer", "me")[-1], "what was quoted stands above"
    signed = [(await house.incident(code)).duties[0].signed is not None for code in (first, second)]
    assert signed == [True, False]


async def test_a_strangers_accident_reaches_the_county_room_word_for_word(house: House) -> None:
    wall = house.demo.wall
    async with Phones.of(house) as phones:
        await wall.answer(Answer(STRANGER, "泄漏探头故障，没有泄漏"))
        assert "火警119" not in await phones.on(STRANGER, "", "sms")
        assert wall.snapshot()["incidents"] == []
        await wall.answer(Answer(STRANGER, "明木家具车间着火了，有人被困"))
        answer = await phones.on(STRANGER, "收到您的事故信息", "sms")
        assert "火警119" in answer
        assert "本回复不代替事故报告" in answer
        for by in ("wecom", "sms"):
            await phones.on(ROOM, "未登记号码 139-0013-0099称“明木家具车间着火了，有人被困”", by)
        assert phones.texts("bai") == [], "nothing is opened or closed at the enterprise"
    incident = await house.incident(answer.partition("编号")[2][:5])
    assert [duty.unit for duty in incident.duties] == ["qinghe"]


async def test_a_night_without_anybody_at_the_post_wakes_the_leaders_and_the_maintainers(house: House) -> None:
    wall = house.demo.wall
    async with Phones.of(house) as phones:
        said = await wall.night(Emptying(True))
        assert "新警情" in said
        assert "值班表有空档" in said, "whoever changes the roster was warned"
        assert wall.beat()["shown"].split()[1].startswith("02:00")
        assert wall.beat()["on_duty"][ROOM] == ""
        await phones.on("mu", "须处置", "sms")
        await phones.on(KEEPER, "岗位此刻无人，已转由穆厂长接收")
        assert phones.texts("bai") + phones.texts("lin") == []
        await pass_time(house, 65)
        await phones.on("hedong-officer", "升级")
        await phones.on(LEADER, "升级")
        await phones.on(KEEPER, "值班室岗位此刻无人，已转由覃局长接收")
        assert phones.texts(ROOM) == []
        with pytest.raises(Refusal):
            await wall.night(Emptying(True))
        await wall.night(Emptying(False))
        assert wall.beat()["on_duty"][ROOM] == "卿值班"
        code = await house.post("alarm.raised", STEEL)
        await phones.on("duan", code)
