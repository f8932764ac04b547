"""The phone page as its reader, a mail scanner and a stranger meet it."""

from __future__ import annotations

import re

import pytest

from bot.web.links import LinkFacts
from escalation.incident import IncidentState
from escalation.vocabulary import Verb
from tests.demo.house import STEEL, House

HOUR = 3_600_000


async def test_looking_changes_nothing(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    status, text = await house.get(path)
    assert status == 200
    for said in ("高高报", "青河区明木家具有限公司", "1号除尘器灰斗温度", "97.2℃，限95℃", code, "明木家具还须", "签收"):
        assert said in text
    async with house.session.head(house.demo.url + path) as response:
        assert (response.status, await response.read()) == (200, b"")
    for _ in range(3):
        await house.get(path, Purpose="prefetch")
    assert (await house.incident(code)).deeds == []


async def test_the_form_signs_and_says_what_is_still_owed(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    status, text = await house.send(path, {**await house.form(path), "verb": "sign"})
    assert status == 200
    assert f"{code} 已记录签收：林安全" in text
    assert re.search(r"还须：(\d\d-\d\d )?\d\d:\d\d前核查", text)
    [deed] = (await house.incident(code)).deeds
    assert (deed.verb, deed.person, deed.channel) == (Verb.SIGN, "lin", "link")
    assert 'value="sign"' not in (await house.get(path))[1]


async def test_a_double_tap_is_one_answer(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    form = {**await house.form(path), "verb": "dispose", "text": "已停机清灰"}
    first, second = await house.send(path, form), await house.send(path, form)
    assert first[0] == second[0] == 200
    assert "已记录处置" in first[1]
    assert "已记录处置" in second[1]
    [deed] = (await house.incident(code)).deeds
    assert deed.text == "已停机清灰"
    await house.send(path, {**await house.form(path), "verb": "dispose", "text": "已恢复生产"})
    assert len((await house.incident(code)).deeds) == 2


async def test_a_verification_needs_a_cause_and_a_disposal_needs_words(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    form = await house.form(path)
    status, text = await house.send(path, {**form, "verb": "verify", "text": "看过了"})
    assert (status, "请选择核查结果" in text, "看过了" in text) == (422, True, True)
    status, text = await house.send(path, {**form, "verb": "dispose", "text": " \u200b "})
    assert (status, "请写明采取了什么措施" in text) == (422, True)
    assert (await house.incident(code)).deeds == []
    status, _ = await house.send(path, {**form, "verb": "verify", "cause": "工艺波动", "text": "看过了"})
    [deed] = (await house.incident(code)).deeds
    assert (status, deed.verb, deed.cause, deed.text) == (200, Verb.VERIFY, "工艺波动", "看过了")


@pytest.mark.parametrize("verb", ["clear", "false_alarm", "phoned", "query", "", "SIGN"])
async def test_a_link_can_neither_clear_nor_declare_a_false_alarm(house: House, verb: str) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    status, text = await house.send(path, {**await house.form(path), "verb": verb, "text": "消警", "cause": "误报"})
    assert (status, "本页只能签收、核查、处置" in text) == (400, True)
    assert (await house.incident(code)).deeds == []
    assert "<option>误报" not in (await house.get(path))[1]


async def test_a_word_that_would_act_is_only_text_in_a_form(house: House) -> None:
    code, other = await house.post("alarm.raised"), await house.post("alarm.raised", STEEL)
    path = await house.link(code, "lin")
    text = f"消警，误报 {other}，怎么还在报警？"
    await house.send(path, {**await house.form(path), "verb": "dispose", "text": text})
    incident = await house.incident(code)
    assert [deed.verb for deed in incident.deeds] == [Verb.DISPOSE]
    assert incident.requests == []
    assert (await house.incident(other)).deeds == []


@pytest.mark.parametrize("words", ["除尘器着火，正在灭火", "已处置，除尘器着火，收到", "着火已签收，消警"])
async def test_accident_words_in_a_form_reach_the_county(house: House, words: str) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    form = {**await house.form(path), "verb": "dispose", "text": words}
    status, text = await house.send(path, form)
    assert (status, "已记录处置" in text, "本回复不代替事故报告" in text) == (200, True, True)
    await house.send(path, form)
    known: set[str] = set()
    for partition in range(house.engine.ledger.partitions):
        known.update(await house.engine.ledger.open_codes(partition))
    [report] = known - {code}
    assert "着火" in "".join((await house.incident(report)).reasons)
    incident = await house.incident(code)
    assert ([deed.verb for deed in incident.deeds], incident.requests) == ([Verb.DISPOSE], [])


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_foreign_page_cannot_act(house: House, headers: dict[str, str]) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    status, _ = await house.send(path, {**await house.form(path), "verb": "sign"}, **headers)
    assert status == 403
    assert (await house.incident(code)).deeds == []


@pytest.mark.parametrize(
    "change", [{"form": "0" * 32}, {"form": ""}, {"nonce": ""}, {"nonce": "x" * 24}, {"form": "密"}]
)
async def test_a_form_we_did_not_give_out_cannot_act(house: House, change: dict[str, str]) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    status, _ = await house.send(path, {**await house.form(path), "verb": "sign", **change})
    assert status == 403
    assert (await house.incident(code)).deeds == []


async def test_another_persons_form_token_is_refused(house: House) -> None:
    code = await house.post("alarm.raised")
    mine, theirs = await house.link(code, "lin"), await house.link(code, "bai")
    status, _ = await house.send(theirs, {**await house.form(mine), "verb": "sign"})
    assert status == 403


async def test_altered_links_lead_nowhere_and_tell_nothing(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    form = await house.form(path)
    flipped = path[:-5] + ("A" if path[-5] != "A" else "B") + path[-4:]
    for bad in (flipped, path[:-1], path + "A", path + "=", "/a/x", "/a/" + "A" * 5000, "/a/%ff%00"):
        for status, text in (await house.get(bad), await house.send(bad, {**form, "verb": "sign"})):
            assert status == 404, bad
            assert "明木" not in text
            assert "13800130010" in text
    assert (await house.incident(code)).deeds == []


async def test_an_expired_link_says_whom_to_ask(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    form = await house.form(path)
    house.demo.clock.push_to(house.demo.clock.now() + 49 * HOUR)
    for status, text in (await house.get(path), await house.send(path, {**form, "verb": "sign"})):
        assert status == 410
        assert "明木" not in text
        assert "向值班室询问" in text
    assert (await house.incident(code)).deeds == []


async def test_a_closed_incident_shows_its_outcome_and_no_buttons(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    form = await house.form(path)
    await house.send(path, {**form, "verb": "sign"})
    await house.post("alarm.cleared")
    await house.until(code, lambda incident: incident.state is IncidentState.CLOSED)
    status, text = await house.get(path)
    assert status == 200
    assert "本警情已关闭" in text
    assert re.search(r"\d\d:\d\d 关闭：\S", text)
    assert "<button" not in text
    _, text = await house.send(path, {**form, "verb": "dispose", "text": "晚了"})
    assert f"{code} 已于" in text


async def test_who_has_left_the_post_may_look_and_not_act(house: House) -> None:
    code = await house.post("alarm.raised")
    until = house.demo.clock.now() + HOUR
    facts = LinkFacts(code=code, person="kong", unit=STEEL, role="safety_officer", until=until, notice="")
    path = "/a/" + house.demo.hub.links.seal(facts)
    status, text = await house.get(path)
    assert (status, "您已不在本警情的相关岗位" in text, "<button" in text) == (200, True, False)
    token = house.demo.hub.links.form_token(path.removeprefix("/a/"))
    _, text = await house.send(path, {"form": token, "nonce": "0" * 24, "verb": "sign"})
    assert "不属于您的岗位" in text
    assert (await house.incident(code)).deeds == []


async def test_what_upstream_writes_is_text_and_never_markup(house: House) -> None:
    code = await house.post("alarm.raised", "", name="<script>alert(1)</script>", point="<img src=x onerror=alert(1)>")
    incident = await house.incident(code)
    assert "<script>" in incident.enterprise_name
    notice = next(each for each in incident.notices.values() if each.to.unit == "qinghe" and each.to.person)
    path = house.demo.hub.links.link_for(incident, notice).removeprefix(house.demo.url)
    status, text = await house.get(path)
    assert (status, "alert(1)" in text) == (200, True)
    assert "<script" not in text
    assert "<img" not in text


async def test_every_page_is_guarded_and_never_kept(house: House) -> None:
    code = await house.post("alarm.raised")
    path = await house.link(code, "lin")
    for each in (path, "/a/x", "/", "/nowhere"):
        async with house.session.get(house.demo.url + each, headers={"Accept": "text/html"}) as response:
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "same-origin"
            text = await response.text()
            assert " style=" not in text
            assert "<script" not in text
            assert not re.search(r"\son\w+=", text)
