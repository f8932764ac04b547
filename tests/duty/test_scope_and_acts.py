"""What an account sees and what its buttons do: for its own unit, once, on the way of every answer."""

from __future__ import annotations

import pytest

from escalation.deciding.phoning import open_tasks
from escalation.notice import NoticeKind
from escalation.vocabulary import Verb
from tests.demo.house import DUST, STEEL, House
from tests.duty.clerk import NONCE, Clerk

MINUTE = 60_000


async def push(house: House, minutes: int) -> None:
    await house.engine.advance(house.demo.clock.now() + minutes * MINUTE)


async def test_each_unit_sees_its_own_and_what_is_below_it(house: House) -> None:
    dust, steel = await house.post("alarm.raised"), await house.post("alarm.raised", STEEL)
    stranger = await house.post("alarm.raised", "", name="不明企业", point="不明点")
    expected = {
        "mingmu": {dust},
        "hedong-officer": {dust},
        "park-duty": {steel},
        "qinghe-duty": {dust, steel, stranger},
        "qinghe-wall": {dust, steel, stranger},
    }
    for account, codes in expected.items():
        async with Clerk.at(house, account) as clerk:
            assert set((await clerk.snapshot())["order"]) == codes, account
            for code in (dust, steel, stranger):
                status, text = await clerk.get(f"/duty/incident/{code}")
                assert status == (200 if code in codes else 404), (account, code)
                assert code in codes or "远山" not in text
    async with Clerk.at(house, "park-duty") as clerk:
        said = await clerk.act("sign", dust)
        assert said == await clerk.act("sign", "A9999"), "what may not be seen looks like what is not there"
        assert said[0] == 404
    assert (await house.incident(dust)).deeds == []


async def test_a_signature_counts_for_the_accounts_own_unit(house: House) -> None:
    code = await house.post("alarm.raised")
    await push(house, 31)
    async with Clerk.at(house, "hedong-officer") as town, Clerk.at(house, "mingmu") as worker:
        before = (await town.snapshot())["rows"][code]
        assert (before["ring"], before["sign"]) == (True, True)
        status, said = await worker.act("sign", code)
        assert (status, "已记录签收：林安全" in said) == (200, True)
        assert (await town.snapshot())["rows"][code]["ring"], "an enterprise's signature stops no sound of the town"
        assert "已记录签收：何专管" in (await town.act("sign", code))[1]
        after = (await town.snapshot())["rows"][code]
        assert (after["ring"], after["sign"]) == (False, False)
    duties = {duty.unit: duty.signed for duty in (await house.incident(code)).duties}
    signed = {unit: deed.person for unit, deed in duties.items() if deed is not None}
    assert signed == {DUST: "lin", "hedong": "hedong-officer"}


async def test_a_double_click_is_one_act(house: House) -> None:
    code = await house.post("alarm.raised")
    async with Clerk.at(house, "hedong-officer") as clerk:
        first = await clerk.act("urge", code)
        assert "已催办" in first[1]
        assert await clerk.act("urge", code) == first
        assert "后可再催办" in (await clerk.act("urge", code, "f" * 24))[1], "not again at once"
    incident = await house.incident(code)
    assert [deed.verb for deed in incident.deeds] == [Verb.URGE]
    urged = [each for each in incident.notices.values() if each.kind is NoticeKind.URGED]
    assert {each.to.person for each in urged} == {"bai", "lin"}
    rows = await house.engine.journal.rows(code)
    assert len([row for row in rows if row.entry.reason == "reply_urge"]) == 1


async def test_a_telephone_task_is_ticked_off_as_told_and_never_as_signed(house: House) -> None:
    code = await house.post("alarm.raised")
    await push(house, 6)
    async with Clerk.at(house, "hedong-officer") as town, Clerk.at(house, "qinghe-duty") as county:
        [task] = (await town.snapshot())["rows"][code]["tasks"]
        assert {whom["name"] for whom in task["whom"]} == {"白木匠", "林安全"}
        assert "13800130001" in {whom["number"] for whom in task["whom"]}
        assert (await county.snapshot())["rows"][code]["tasks"] == [], "it is the town's task"

        call = {"notice": task["id"], "name": "白木匠", "result": "无人接听"}
        assert "电话任务未完成" in (await town.act("phoned", code, **call))[1]
        [task] = (await town.snapshot())["rows"][code]["tasks"]
        assert [each["said"] for each in task["tries"]] == ["无人接听：白木匠"]

        call |= {"result": "已通知本人", "text": "马上去看"}
        status, said = await town.act("phoned", code, "e" * 24, **call)
        assert (status, "电话通知不等于签收" in said) == (200, True)
        assert (await town.snapshot())["rows"][code]["tasks"] == []
    incident = await house.incident(code)
    assert open_tasks(incident) == []
    assert [(deed.cause, deed.text) for deed in incident.deeds][-1] == ("已通知本人", "白木匠，马上去看")
    assert all(duty.signed is None for duty in incident.duties)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"name": " "}, 422), ({"result": "签收"}, 422), ({"verb": "clear"}, 400), ({"nonce": "short"}, 400)],
)
async def test_what_a_form_lacks_is_said_and_nothing_is_done(house: House, change: dict[str, str], status: int) -> None:
    code = await house.post("alarm.raised")
    async with Clerk.at(house, "hedong-officer") as clerk:
        given = {"verb": "phoned", "code": code, "nonce": NONCE, "name": "白木匠", "result": "已通知本人", **change}
        assert (await clerk.act(**given))[0] == status
    assert (await house.incident(code)).deeds == []


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_foreign_page_cannot_act(house: House, headers: dict[str, str]) -> None:
    code = await house.post("alarm.raised")
    async with Clerk.at(house, "mingmu") as clerk, Clerk.at(house, "hedong-officer") as other:
        form = {"verb": "sign", "code": code, "nonce": NONCE, "form": await clerk.form_token()}
        assert (await clerk.post("/duty/act", form, **headers))[0] == 403
        for token in ("", "0" * 64, "密", await other.form_token()):
            assert (await clerk.post("/duty/act", {**form, "form": token}))[0] == 403
        assert (await clerk.get(f"/duty/act?verb=sign&code={code}"))[0] == 405
    assert (await house.incident(code)).deeds == []


async def test_a_wall_only_looks(house: House) -> None:
    code = await house.post("alarm.raised")
    await push(house, 6)
    async with Clerk.at(house, "qinghe-wall") as clerk:
        row = (await clerk.snapshot())["rows"][code]
        assert [whom["number"] for task in row["tasks"] for whom in task["whom"]] == ["", ""]
        assert (row["sign"], row["urge"]) == (False, False)
        assert "1380013" not in str(row)
        assert (await clerk.act("urge", code))[0] == 403
    assert (await house.incident(code)).deeds == []


async def test_who_has_left_the_post_cannot_act(house: House) -> None:
    code = await house.post("alarm.raised")
    async with Clerk.at(house, "mingmu") as clerk:
        hub = house.demo.hub
        settings = hub.rules.settings
        posts = tuple(
            post.model_copy(update={"people": tuple(each for each in post.people if each != "lin") or ("bai",)})
            for post in settings.posts
        )
        hub.reload(settings.model_copy(update={"posts": posts}))
        status, said = await clerk.act("sign", code)
        assert (status, "不属于您的岗位" in said) == (403, True)
    assert (await house.incident(code)).deeds == []


async def test_an_accident_heard_on_the_telephone_reaches_the_county(house: House) -> None:
    code = await house.post("alarm.raised")
    await push(house, 6)
    async with Clerk.at(house, "hedong-officer") as clerk, Clerk.at(house, "qinghe-duty") as county:
        call = {"name": "白木匠", "result": "已通知本人", "text": "说除尘器着火了"}
        _, said = await clerk.act("phoned", code, **call)
        assert "本回复不代替事故报告" in said
        [report] = set((await county.snapshot())["order"]) - {code}
        assert "着火" in "".join((await house.incident(report)).reasons)


async def test_the_story_page_tells_all_and_acts_by_plain_forms(house: House) -> None:
    code = await house.post("alarm.raised")
    async with Clerk.at(house, "mingmu") as clerk:
        form = {"verb": "sign", "code": code, "nonce": NONCE, "form": await clerk.form_token()}
        status, text = await clerk.post("/duty/act", form)
        assert (status, "已记录签收：林安全" in text) == (200, True)
        status, text = await clerk.get(f"/duty/incident/{code.lower().replace('a00', 'a')}")
        assert status == 200
        for said in ("警情建立", "通知（首次通知，须处置）", "签收", "林安全", "已提交"):
            assert said in text, said
        assert "1380013" not in text.replace("13800130010", ""), "numbers are masked, but for the emergency one"
