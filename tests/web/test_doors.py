"""Call-back doors: a phone's answer and a delivery report come in; whoever does not know the secret stays out."""

from __future__ import annotations

import random
from urllib.parse import quote_from_bytes

import pytest
from yarl import URL

from bot.demo.simulators.kannel import KannelGateway
from channels.callback import Errand, callback_path
from escalation.notice import NoticeState
from escalation.vocabulary import Verb
from tests.demo.house import House

UPLINK = "sender=13800130001&text=%E7%AD%BE%E6%94%B6&id=m1&time=1700000000&charset=UTF-8"


def door(house: House, errand: Errand = Errand.UPLINK, *, channel: str = "sms", token: str = "") -> str:
    given = token or (house.demo.folder / "secrets" / "sms-callback").read_text()
    return house.demo.url + callback_path(channel, given, errand)


async def call(house: House, url: str, query: str = UPLINK) -> tuple[int, bytes]:
    async with house.session.get(URL(f"{url}?{query}", encoded=True)) as response:
        return response.status, await response.read()


async def test_a_phone_signs_once_however_often_the_gateway_calls(house: House) -> None:
    code = await house.post("alarm.raised")
    for _ in range(3):
        # An empty body: a gateway would send it to the phone as an answer.
        assert await call(house, door(house)) == (202, b"")
    incident = await house.until(code, lambda found: bool(found.deeds))
    await call(house, door(house))
    await house.engine.rest()
    incident = await house.incident(code)
    assert [(deed.verb, deed.person, deed.channel) for deed in incident.deeds] == [(Verb.SIGN, "bai", "sms")]


async def test_a_gateway_may_post_its_call_back(house: House) -> None:
    code = await house.post("alarm.raised")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with house.session.post(door(house), data=UPLINK, headers=headers) as response:
        assert response.status == 202
    await house.until(code, lambda found: bool(found.deeds))


async def test_a_delivery_report_reaches_its_notice(house: House) -> None:
    code = await house.post("alarm.raised")
    incident = await house.until(
        code,
        lambda found: any(
            each.state is NoticeState.DELIVERED and each.contact.channel == "sms" for each in found.notices.values()
        ),
    )
    assert any(each.delivered_at for each in incident.notices.values())


@pytest.mark.parametrize(
    ("channel", "token", "errand"),
    [
        ("sms", "0" * 32, "uplink"),
        ("sms", "密令密令密令密令密令密令", "uplink"),
        ("sms", "", "elsewhere"),
        ("mail", "", "uplink"),
        ("nothing", "", "uplink"),
        ("hedong-group", "", "report"),
    ],
)
async def test_without_the_secret_of_that_channel_there_is_no_door(
    house: House, channel: str, token: str, errand: str
) -> None:
    url = door(house, channel=channel, token=token).removesuffix("uplink") + errand
    assert (await call(house, url))[0] == 404


async def test_only_listed_addresses_may_knock(house: House) -> None:
    code = await house.post("alarm.raised")
    driver = house.demo.hub.rules.channels["sms"]
    assert hasattr(driver, "callback_addresses")
    driver.callback_addresses = ("10.0.0.0/8",)
    assert (await call(house, door(house)))[0] == 404
    await house.engine.rest()
    assert (await house.incident(code)).deeds == []


@pytest.mark.parametrize(
    "query", ["", "sender=13800130001", "text=1", "sender=x&text=1", "sender=13800130001&text=%ff", "a" * 30_000]
)
async def test_rubbish_is_refused_and_kept_nowhere(house: House, query: str) -> None:
    assert (await call(house, door(house), query))[0] in (400, 404, 414)
    assert await house.engine.answering.step(house.demo.clock.now()) == 0


async def test_any_bytes_get_a_clean_answer(house: House) -> None:
    chance = random.Random(20261122)
    names = ["sender", "text", "id", "time", "charset", "letter", "status", "", "x"]
    urls = [door(house), door(house, Errand.REPORT)]
    for _ in range(150):
        pairs = [
            f"{chance.choice(names)}={quote_from_bytes(chance.randbytes(chance.randrange(12)))}"
            for _ in range(chance.randrange(6))
        ]
        status, _ = await call(house, chance.choice(urls), "&".join(pairs))
        assert status in (202, 400)


async def test_the_simulated_gateway_and_the_door_fit(house: House) -> None:
    """The gateway fills in its own pattern; Chinese text arrives whole."""
    code = await house.post("alarm.raised")
    gateway = KannelGateway(
        "u", "p", house.demo.clock.now, uplink_url=door(house) + "?sender=%p&text=%b&id=%I&time=%T&charset=%C"
    )
    assert await gateway.answer("+86 138 0013 0003", f"处置 {code} 已停机 & 清灰100%", house.session) == 202
    incident = await house.until(code, lambda found: bool(found.deeds))
    assert (incident.deeds[0].verb, incident.deeds[0].person) == (Verb.DISPOSE, "lin")
    assert "清灰100%" in incident.deeds[0].text
