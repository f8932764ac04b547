"""What a vendor's call-back brings and nobody can read: in quarantine before the vendor is thanked."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from bot.quarantine import Desk, Quarantined
from channels.callback import LONGEST_BODY, Errand, callback_path
from channels.wecom.callback_crypto import Seal
from tests.demo.house import STEEL, House
from tests.web.test_doors import call
from tests.web.test_doors import door as gateway
from tests.web.test_pushes import TAKEN, UP

REPORT = {"phone_number": "13800130006", "success": "maybe", "out_id": "A0231.n1", "err_code": "UNKNOWN"}


def desk(house: House) -> Desk:
    engine = house.engine
    return Desk(engine.store, engine.partitions, house.demo.hub.rules, engine.take, house.demo.clock.now)


async def rows(house: House) -> list[Quarantined]:
    return (await desk(house).everything()).rows


async def push(house: House, errand: Errand, body: Any) -> tuple[int, Any]:
    token = (house.demo.folder / "secrets" / "cloud-callback").read_text()
    async with house.session.post(house.demo.url + callback_path("cloud", token, errand), json=body) as response:
        return response.status, await response.json(content_type=None)


async def test_the_unreadable_part_of_a_batch_is_kept_and_the_rest_acts(house: House) -> None:
    code = await house.post("alarm.raised", STEEL)
    bad = {"phone_number": "张三", "content": "三号炉着火了"}
    assert await push(house, Errand.UPLINK, [bad, UP]) == TAKEN
    await house.until(code, lambda found: bool(found.deeds))
    (row,) = await rows(house)
    assert (row.source, row.callback, row.cut) == ("cloud", "uplink", False)
    assert "三号炉着火了" in row.gist
    assert row.problems[0].detail.startswith("第 1 条")
    assert await push(house, Errand.UPLINK, [bad, UP]) == TAKEN
    assert len(await rows(house)) == 1, "the vendor's repeat is the same"


async def test_an_unreadable_delivery_report_is_kept(house: House) -> None:
    good = {**REPORT, "success": True}
    assert await push(house, Errand.REPORT, [REPORT, good, 7]) == TAKEN
    assert {(row.callback, row.problems[0].detail.partition("：")[0]) for row in await rows(house)} == {
        ("report", "第 1 条"),
        ("report", "第 3 条"),
    }


async def test_a_call_that_is_rubbish_as_a_whole_is_refused_and_kept(house: House) -> None:
    assert (await call(house, gateway(house), "sender=13800130001&text=%ff%e7%88&charset=UTF-8"))[0] == 400
    assert (await call(house, gateway(house, Errand.REPORT), "letter=A1.n1&status=77"))[0] == 400
    assert (await push(house, Errand.UPLINK, ["x" * LONGEST_BODY]))[0] == 400
    kept = {(row.source, row.callback): row for row in await rows(house)}
    assert set(kept) == {("sms", "uplink"), ("sms", "report"), ("cloud", "uplink")}
    assert kept["cloud", "uplink"].cut
    assert "13800130001" in kept["sms", "uplink"].gist, "whoever wrote can be called"
    assert (await call(house, gateway(house), ""))[0] == 400
    assert len(await rows(house)) == 3, "where nothing came there is nothing to keep"


async def test_only_what_bears_the_secret_or_the_seal_is_kept(house: House) -> None:
    assert (await call(house, gateway(house, token="0" * 32), "sender=x&text=1"))[0] == 404
    account, now = house.demo.wall.vendors.app.account, house.demo.clock.now() // 1000
    right = Seal.of(account.callback_token, account.callback_key, account.corpid)
    wrong = Seal.of("other", account.callback_key, account.corpid)
    for seal, status in ((wrong, 403), (right, 200)):
        sealed, signature = seal.close("救命，没有标签", str(now), "n", b"0123456789abcdef")
        query = {"msg_signature": signature, "timestamp": str(now), "nonce": "n"}
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
        async with house.session.post(URL(f"{house.demo.url}/callback/app").with_query(query), data=body) as response:
            assert response.status == status
    (row,) = await rows(house)
    assert (row.source, row.callback, row.gist) == ("app", "uplink", "救命，没有标签")


async def test_what_cannot_be_kept_is_not_thanked_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(type(house.engine), "take", fail)
    assert (await push(house, Errand.UPLINK, [{"phone_number": "张三"}, UP]))[0] == 503
    assert (await call(house, gateway(house), "sender=x&text=1"))[0] == 503


async def test_it_is_worked_off_by_reading_and_dropping(house: House) -> None:
    await call(house, gateway(house), "sender=x&text=1")
    (row,) = await rows(house)
    shown = await desk(house).show(row.id[:6])
    assert shown is not None
    assert shown.raw == "sender=x&text=1"
    tried = await desk(house).retry(row.id, "吴六", "")
    assert tried is not None
    assert not tried.done
    assert "渠道 sms 的回复，不能重审" in tried.why_not
    gone = await desk(house).drop(row.id, "吴六", "网关自检")
    assert gone is not None
    assert gone.done
    assert await rows(house) == []
