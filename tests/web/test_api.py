"""The reading API as another system meets it: who may read what, page by page, and every refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from bot.settings.operation import Api, ApiToken
from bot.web.incidents import MOST
from escalation.event import EventType
from escalation.ledger.keys import partition_keys, partition_of_code
from tests.demo.house import DUST, STEEL, House

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
ALL, TOWN, AWAY = (
    "an-invented-token-that-sees-all-of-it",
    "an-invented-token-of-one-enterprise",
    "an-invented-token-from-elsewhere",
)


@pytest.fixture
async def api(house: House) -> House:
    """The county with three readers, behind a proxy."""
    tokens = {
        "all": ApiToken(token=SecretStr(ALL)),
        "steel": ApiToken(token=SecretStr(TOWN), units=(STEEL,)),
        "away": ApiToken(token=SecretStr(AWAY), allow=(ip_network("10.0.0.0/8"),)),
    }
    settings = house.demo.hub.rules.settings
    hub = settings.hub.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1/32"),)})
    api = Api(tokens=tokens, rate=1000, burst=1000)
    house.demo.hub.reload(settings.model_copy(update={"api": api, "hub": hub}))
    return house


async def raised(house: House, number: int = 0, *, enterprise: str = DUST, level: str = "") -> str:
    """A high-high alarm of the enterprise's point ``number``, or a warning of a ``level``; its code."""
    kind = EventType.WARNING_ISSUED if level else EventType.ALARM_RAISED
    alarm = {"point": {"code": f"P{number}"}, "alarm": {"severity": "high_high", "value": 97.2, "limit": 95}}
    event = {
        "specversion": "1.0",
        "id": f"{enterprise}-{number}-{level}",
        "source": "/test",
        "type": kind,
        "data": {"enterprise": {"uscc": enterprise}, **({"warning": {"level": level}} if level else alarm)},
    }
    headers = {"Authorization": f"Bearer {house.demo.token}"}
    async with house.session.post(f"{house.demo.url}/events/demo", json=event, headers=headers) as response:
        answer = await response.json(content_type=None)
        assert response.status == 202, answer
    code: str = answer["items"][0]["code"]
    return code


async def ask(house: House, path: str = "", token: str = ALL, **given: str) -> tuple[int, Any, Mapping[str, str]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{house.demo.url}/api/incidents{path}"
    async with house.session.get(url, params=given, headers=headers) as response:
        return response.status, await response.json(content_type=None), response.headers


async def codes(house: House, token: str = ALL, **given: str) -> list[str]:
    status, body, _ = await ask(house, token=token, **given)
    assert status == 200, body
    return [item["code"] for item in body["items"]]


async def test_open_incidents_newest_first_and_the_story_of_one(api: House) -> None:
    first = await raised(api)
    second = await raised(api, enterprise=STEEL)
    status, body, headers = await ask(api)
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    Draft202012Validator(json.loads((SCHEMAS / "incidents.schema.json").read_bytes())).validate(body)
    assert [item["code"] for item in body["items"]] == [second, first]
    assert body["items"][1]["enterprise"] == DUST
    assert body["items"][1]["units"]["county"] == "qinghe"
    assert body["next"] == ""

    status, story, _ = await ask(api, f"/{first.lower()}")
    assert status == 200
    Draft202012Validator(json.loads((SCHEMAS / "show.schema.json").read_bytes())).validate(story)
    assert story["lines"][0]["what"] == "警情建立"


async def test_each_filter_narrows(api: House) -> None:
    alarm = await raised(api)
    warning = await raised(api, enterprise=STEEL, level="orange")
    assert await codes(api, level="orange,red") == [warning]
    assert await codes(api, level="high_high,blue") == [alarm]
    assert await codes(api, enterprise=DUST) == [alarm]
    assert await codes(api, unit="qinghe") == [warning, alarm]
    assert await codes(api, unit="elsewhere") == []
    assert await codes(api, state="closed") == []
    assert await codes(api, state="all") == [warning, alarm]
    assert await codes(api, since="2026-01-01T00:00:00+08:00") == [warning, alarm]
    assert await codes(api, since="2099-01-01") == []


async def test_pages_by_cursor_while_things_change(api: House) -> None:
    made = [await raised(api, number) for number in range(5)]
    _, body, _ = await ask(api, limit="2")
    seen = [item["code"] for item in body["items"]]
    await raised(api, 9)
    while body["next"]:
        _, body, _ = await ask(api, limit="2", cursor=body["next"])
        seen += [item["code"] for item in body["items"]]
    assert seen == made[::-1]


async def test_a_reader_of_one_enterprise_sees_no_other(api: House) -> None:
    other = await raised(api)
    own = await raised(api, enterprise=STEEL)
    assert await codes(api, TOWN) == [own]
    assert await codes(api, TOWN, unit="qinghe") == [own]
    assert (await ask(api, f"/{own}", TOWN))[0] == 200
    status, body, _ = await ask(api, f"/{other}", TOWN)
    assert (status, body["type"]) == (404, "/docs/api#unknown_incident")
    assert (await ask(api, "/A9999", TOWN))[1]["title"] == body["title"], "hidden and missing look the same"


@pytest.mark.parametrize("token", ["", "wrong", ALL[:-1], f"{ALL}x", "密令", AWAY])
async def test_without_a_right_token_nothing_is_said(api: House, token: str, caplog: pytest.LogCaptureFixture) -> None:
    code = await raised(api)
    for path in ("", f"/{code}"):
        headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1"), "X-Forwarded-For": "203.0.113.9"}
        async with api.session.get(f"{api.demo.url}/api/incidents{path}", headers=headers) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            body = await response.json(content_type=None)
            assert code not in str(body)
            Draft202012Validator(json.loads((SCHEMAS / "problem.schema.json").read_bytes())).validate(body)
    assert "a reader from 203.0.113.9 was not let in" in caplog.text, "the log says who, not which proxy"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"state": "opened"}, "state"),
        ({"level": "purple"}, "purple"),
        ({"limit": "0"}, str(MOST)),
        ({"limit": "201"}, str(MOST)),
        ({"limit": "²"}, str(MOST)),
        ({"since": "yesterday"}, "since"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_question_is_told_what_would_be_right(api: House, given: dict[str, str], says: str) -> None:
    status, body, _ = await ask(api, "", ALL, **given)
    assert (status, body["type"]) == (400, "/docs/api#bad_request")
    assert says in body["detail"]


async def test_a_cursor_belongs_to_its_question_and_its_reader(api: House) -> None:
    for number in range(3):
        await raised(api, number, enterprise=STEEL)
    cursor = (await ask(api, limit="1"))[1]["next"]
    assert (await ask(api, limit="1", cursor=cursor))[0] == 200
    assert (await ask(api, limit="1", cursor=cursor, level="high"))[0] == 400
    assert (await ask(api, "", TOWN, limit="1", cursor=cursor))[0] == 400


async def test_who_reads_too_fast_waits_and_the_others_do_not(api: House) -> None:
    settings = api.demo.hub.rules.settings
    slow = settings.api.model_copy(update={"rate": 1, "burst": 3})
    api.demo.hub.reload(settings.model_copy(update={"api": slow}))
    answers = [await ask(api) for _ in range(5)]
    assert [status for status, _, _ in answers][-1] == 429
    assert int(answers[-1][2]["Retry-After"]) >= 1
    assert (await ask(api, "", TOWN))[0] == 200


async def test_an_incident_that_cannot_be_read_is_a_problem_that_says_what_to_do(api: House) -> None:
    code, other = await raised(api), await raised(api, enterprise=STEEL)
    await api.until(code, lambda found: all(each.submitted_at for each in found.notices.values()))
    path = await api.link(code, "lin")
    key = partition_keys(partition_of_code(code, api.engine.partitions)).incidents
    raw: bytes = await api.engine.store.execute("HGET", key, code)
    await api.engine.store.execute("HSET", key, code, raw[:-20])

    status, body, _ = await ask(api, f"/{code}")
    assert (status, body["type"].partition("#")[2]) == (500, "unreadable_incident")
    assert f"fenghuo show {code}" in body["detail"]
    status, body, _ = await ask(api)
    assert [item["code"] for item in body["items"]] == [other]
    assert [each["code"] for each in body["unreadable"]] == [code]
    Draft202012Validator(json.loads((SCHEMAS / "incidents.schema.json").read_bytes())).validate(body)
    status, page = await api.get(path)
    assert status == 503
    assert f"{code} 的记录暂时无法读取，可能仍须处置" in page
