"""Pictures sent to the WeCom app: fetched, kept, tied to an incident or asked about, and acting on nothing."""

from __future__ import annotations

from hashlib import sha256
from socket import gethostname

import pytest

from bot.demo.simulators.vendor import Fault
from bot.story import story_of, text_of
from escalation.evidence import EvidenceState
from tests.demo.house import DUST, STEEL, House
from tests.duty.clerk import Clerk
from tests.web.test_cards import MINUTE, OFFICER, alarm, told, until, vendor

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 40


async def shown(house: House, code: str) -> str:
    rows = await house.engine.journal.rows(code)
    return text_of(story_of(await house.incident(code), rows, [], house.engine.rules.directory))


async def test_a_picture_is_kept_for_the_one_open_incident(house: House) -> None:
    code = await alarm(house)
    assert await vendor(house).send_picture(OFFICER, JPEG, house.session) == 200
    incident = await house.until(
        code, lambda found: any(each.state is not EvidenceState.WAITING for each in found.evidence)
    )
    (evidence,) = incident.evidence
    assert (evidence.state, evidence.person, evidence.channel) == (EvidenceState.KEPT, "park-officer", "app")
    assert evidence.file is not None
    path = house.demo.folder / "data" / evidence.file.path
    assert path.read_bytes() == JPEG
    assert path.stat().st_mode & 0o777 == 0o600
    assert (evidence.file.sha256, evidence.file.size) == (sha256(JPEG).hexdigest(), len(JPEG))
    assert evidence.file.kind == "image/jpeg"
    await until(house, lambda: any(f"{code} 已收到" in text and "不等于签收" in text for text in told(house)))
    assert incident.deeds == []
    assert not any(duty.signed for duty in incident.duties)
    story = await shown(house, code)
    assert "收到现场图片" in story
    assert evidence.file.path in story
    assert await house.engine.collecting._pictures.all() == []


async def test_a_vendor_that_fails_is_asked_again_and_the_picture_is_kept(house: House) -> None:
    code = await alarm(house)
    media = vendor(house).media_faults
    for fault in (Fault.STATUS_500, Fault.HALF_BODY, Fault.DROP_BEFORE, Fault.GARBAGE):
        media.put(fault)
    media.put(Fault.REFUSE, code=45009)
    assert await vendor(house).send_picture(OFFICER, JPEG, house.session) == 200
    await house.until(code, lambda found: bool(found.evidence))
    for _ in range(6):
        await house.engine.rest()
        house.demo.clock.push_to(house.demo.clock.now() + 10 * MINUTE)
    incident = await house.until(code, lambda found: found.evidence[0].state is not EvidenceState.WAITING)
    # Half a page of somebody else is no picture: that try was its last.
    assert incident.evidence[0].state in (EvidenceState.KEPT, EvidenceState.LOST)
    assert media.happened[Fault.STATUS_500] == media.happened[Fault.HALF_BODY] == 1


@pytest.mark.parametrize("how", ["gone", "no picture", "too large"])
async def test_a_picture_that_cannot_be_kept_is_told(house: House, how: str) -> None:
    code = await alarm(house)
    body = {"gone": JPEG, "no picture": b"<html>hello</html>", "too large": JPEG + bytes(10_000_000)}[how]
    if how == "gone":
        vendor(house).media_faults.put(Fault.REFUSE, code=40007)
    assert await vendor(house).send_picture(OFFICER, body, house.session) == 200
    incident = await house.until(code, lambda found: any(each.state is EvidenceState.LOST for each in found.evidence))
    assert incident.evidence[0].file is not None
    assert incident.evidence[0].file.path == ""
    await until(house, lambda: any("未能保存" in text and "请重新发送" in text for text in told(house)))
    assert "现场图片未能保存" in await shown(house, code)


async def test_with_several_open_the_sender_is_asked_and_a_bare_code_answers(house: House) -> None:
    code = await alarm(house)
    other = await second(house)
    assert await vendor(house).send_picture(OFFICER, JPEG, house.session) == 200
    await until(house, lambda: any("是哪一条的现场" in text for text in told(house)))
    assert (await house.incident(code)).evidence == []
    assert await vendor(house).write(OFFICER, code.lower(), house.session) == 200
    incident = await house.until(code, lambda found: any(each.state is EvidenceState.KEPT for each in found.evidence))
    assert len(incident.evidence) == 1
    assert (await house.incident(other)).evidence == []
    # From now on a bare code asks, as ever.
    assert await vendor(house).write(OFFICER, code, house.session) == 200
    await until(house, lambda: any("上游仍在报警" in text and code in text for text in told(house)))
    assert incident.deeds == []


async def second(house: House) -> str:
    """Another incident of the park that its officer hears of."""
    event = {
        "specversion": "1.0",
        "id": f"second-{house.demo.clock.now()}",
        "source": "/test",
        "type": "alarm.raised",
        "data": {
            "enterprise": {"uscc": STEEL},
            "point": {"code": "CAST-F02"},
            "alarm": {"severity": "low_low", "value": 27, "limit": 30},
        },
    }
    headers = {"Authorization": f"Bearer {house.demo.token}"}
    async with house.session.post(f"{house.demo.url}/events/demo", json=event, headers=headers) as response:
        code: str = (await response.json(content_type=None))["items"][0]["code"]
    await house.engine.advance(house.demo.clock.now() + 40 * MINUTE)
    return code


async def test_a_picture_for_anothers_incident_is_not_taken(house: House) -> None:
    foreign = await house.post("alarm.raised", DUST)
    assert await vendor(house).send_picture(OFFICER, JPEG, house.session) == 200
    await until(house, lambda: any("未归入任何警情" in text for text in told(house)))
    assert await vendor(house).write(OFFICER, foreign, house.session) == 200
    await until(house, lambda: any("不属于您的岗位，图片未归入" in text for text in told(house)))
    assert (await house.incident(foreign)).evidence == []


async def test_coming_in_shows_what_is_unsigned_once_an_hour_and_signs_nothing(house: House) -> None:
    code = await alarm(house)
    entered = {"MsgType": "event", "Event": "enter_agent"}
    for _ in range(3):
        assert await vendor(house).call(OFFICER, entered, house.session) == 200
    await until(house, lambda: any("项待办" in text and code in text for text in told(house)))
    await house.engine.rest()
    before = len(told(house))
    assert await vendor(house).call(OFFICER, entered, house.session) == 200
    await house.engine.rest()
    assert len(told(house)) == before
    assert (await house.incident(code)).deeds == []
    vendor(house).admit("Stranger")
    assert await vendor(house).call("Stranger", entered, house.session) == 200
    await house.engine.rest()
    assert told(house, "Stranger") == []


async def test_the_duty_page_lists_pictures_and_shows_them_to_whoever_may_see_the_incident(house: House) -> None:
    code = await alarm(house)
    assert await vendor(house).send_picture(OFFICER, JPEG, house.session) == 200
    incident = await house.until(code, lambda found: any(each.state is EvidenceState.KEPT for each in found.evidence))
    path = f"/duty/evidence/{code}/{incident.evidence[0].id}"
    async with Clerk.at(house, "park-duty") as clerk:
        _, page = await clerk.get(f"/duty/incident/{code}")
        assert "现场图片" in page
        assert f'href="{path}"' in page
        async with clerk.session.get(house.demo.url + path) as response:
            assert (response.status, response.content_type, await response.read()) == (200, "image/jpeg", JPEG)
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert (await clerk.get(f"/duty/evidence/{code}/other"))[0] == 404
        assert incident.evidence[0].file is not None
        place = house.demo.folder / "data" / incident.evidence[0].file.path
        place.rename(place.with_suffix(".away"))
        status, said = await clerk.get(path)
        assert status == 404
        assert f"由 {gethostname()} 取回" in said, "whoever lacks it is told which machine has it"
        place.with_suffix(".away").rename(place)
    async with Clerk.at(house, "mingmu") as other:
        assert (await other.get(path))[0] == 404
    async with Clerk.at(house, "qinghe-wall") as wall:
        assert (await wall.get(path))[0] == 404
        assert 'href="/duty/evidence' not in (await wall.get(f"/duty/incident/{code}"))[1]
    async with house.session.get(house.demo.url + path, headers={"Accept": "application/json"}) as response:
        assert response.status == 401
