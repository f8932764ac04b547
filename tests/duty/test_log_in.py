"""Who gets in, for how long, and what stands in the way of everybody else."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from bot.passwords import LEAST_MEMORY_KIB, hashed
from escalation.ledger.keys import LOGINS, SESSIONS
from tests.demo.house import House
from tests.duty.clerk import Clerk, hidden

MINUTE = 60_000
HOUR = 60 * MINUTE


def push(house: House, ms: int) -> None:
    house.demo.clock.push_to(house.demo.clock.now() + ms)


async def test_without_a_log_in_there_is_nothing_to_see(house: House) -> None:
    code = await house.post("alarm.raised")
    async with Clerk(house) as clerk:
        for path in ("/duty", f"/duty/incident/{code}"):
            status, text = await clerk.get(path)
            assert (status, "明木" in text) == (303, False)
        for path in ("/duty/stream", "/duty/alive", f"/duty/incident/{code}"):
            status, text = await clerk.get(path, Accept="*/*")
            assert (status, "明木" in text) == (401, False)
        status, _ = await clerk.post("/duty/act", {"verb": "sign", "code": code})
        assert status == 401
    assert (await house.incident(code)).deeds == []


async def test_a_wrong_password_and_an_unknown_account_look_the_same(house: House) -> None:
    async with Clerk(house) as clerk:
        wrong = await clerk.log_in("qinghe-duty", "not-the-password")
        unknown = await clerk.log_in("nobody-here", "not-the-password")
        assert wrong[0] == unknown[0] == 401
        assert wrong[1].replace("qinghe-duty", "") == unknown[1].replace("nobody-here", "")
        assert (await clerk.get())[0] == 303


async def test_the_cookie_is_for_the_browser_alone_and_the_store_knows_only_its_hash(house: House) -> None:
    async with Clerk(house) as clerk:
        _, text = await clerk.get("/duty/login")
        form = {"form": hidden(text), "name": "qinghe-duty", "password": clerk.password}
        async with clerk.session.post(
            f"{clerk.url}/duty/login", data=form, headers={"Origin": clerk.url}, allow_redirects=False
        ) as response:
            assert response.status == 303
            cookie = response.cookies["fenghuo"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        assert not cookie["max-age"]
        assert len(cookie.value) >= 43, "256 random bits"
        stored = await house.engine.store.execute("HGETALL", SESSIONS)
        assert sha256(cookie.value.encode()).hexdigest().encode() in stored
        assert cookie.value.encode() not in b"".join(stored)
        assert clerk.password.encode() not in b"".join(stored)


async def test_with_https_the_cookie_is_bound_to_host_and_tls(house: House) -> None:
    hub = house.demo.hub
    settings = hub.rules.settings
    table = settings.hub.model_copy(update={"public_url": "https://alarm.example.cn"})
    hub.reload(settings.model_copy(update={"hub": table}))
    async with Clerk(house) as clerk:
        mark = "m" * 32
        async with clerk.session.get(f"{clerk.url}/duty/login", headers={"Cookie": f"fenghuo-login={mark}"}) as page:
            form = {"form": hidden(await page.text()), "name": "qinghe-duty", "password": clerk.password}
        headers = {"Cookie": f"fenghuo-login={mark}", "Origin": clerk.url}
        async with clerk.session.post(
            f"{clerk.url}/duty/login", data=form, headers=headers, allow_redirects=False
        ) as response:
            assert response.status == 303
            assert response.cookies["__Host-fenghuo"]["secure"]
            assert not response.cookies["__Host-fenghuo"]["domain"]


async def test_failures_make_one_wait_and_the_wait_grows_and_ends(house: House) -> None:
    async with Clerk(house) as clerk:
        for _ in range(5):
            assert (await clerk.log_in(password="wrong-password"))[0] == 401
        status, text = await clerk.log_in()
        assert (status, "失败次数过多，请 30 秒后再试" in text) == (429, True), "the right one has to wait as well"
        push(house, 31_000)
        assert (await clerk.log_in(password="wrong-password"))[0] == 401
        push(house, 31_000)
        status, text = await clerk.log_in()
        assert (status, "请 29 秒后再试" in text or "请 30 秒后再试" in text) == (429, True), "a minute this time"
        push(house, MINUTE)
        assert (await clerk.log_in())[0] == 303
        assert not [each for each in await house.engine.store.execute("HKEYS", LOGINS) if each.startswith(b"p")]
    rows = await house.engine.store.execute("XRANGE", "fh:{p0}:journal", "-", "+")
    journal = b"".join(row[1][1] for row in rows)
    assert journal.count(b'"login_failed"') == 6
    assert journal.count(b'"login"') == 1


async def test_who_is_logged_in_already_goes_on_while_somebody_guesses(house: House) -> None:
    code = await house.post("alarm.raised")
    async with Clerk.at(house, "mingmu") as worker, Clerk(house) as guesser:
        for _ in range(8):
            await guesser.log_in("mingmu", "guess-guess")
        assert (await guesser.log_in("mingmu", "guess-guess"))[0] == 429
        assert "已记录签收" in (await worker.act("sign", code))[1]


async def test_a_log_in_ends_after_idling_and_after_a_day(house: House) -> None:
    async with Clerk.at(house) as clerk:
        push(house, 29 * MINUTE)
        assert (await clerk.get())[0] == 200
        push(house, 31 * MINUTE)
        assert (await clerk.get())[0] == 303
        assert await house.engine.store.execute("HLEN", SESSIONS) == 0
        assert (await clerk.log_in())[0] == 303
        for _ in range(49):
            assert (await clerk.get())[0] == 200
            push(house, 29 * MINUTE)
        push(house, 20 * MINUTE)
        assert (await clerk.get())[0] == 303, "24 hours, however much it was used"


async def test_an_open_page_is_in_use(house: House) -> None:
    async with Clerk.at(house) as clerk, clerk.session.get(f"{clerk.url}/duty/stream") as stream:
        assert stream.status == 200
        push(house, 3 * HOUR)
        assert (await clerk.get())[0] == 200


async def test_a_wall_stays_for_weeks(house: House) -> None:
    async with Clerk.at(house, "qinghe-wall") as clerk, clerk.session.get(f"{clerk.url}/duty/stream"):
        push(house, 20 * 24 * HOUR)
        assert (await clerk.get())[0] == 200
        push(house, 11 * 24 * HOUR)
        assert (await clerk.get())[0] == 303


async def test_logging_out_ends_the_session_on_the_server(house: House) -> None:
    async with Clerk.at(house) as clerk:
        cookies = {cookie.key: cookie.value for cookie in clerk.session.cookie_jar}
        form = {"form": await clerk.form_token()}
        assert (await clerk.post("/duty/logout", {"form": "0" * 64}))[0] == 403
        assert (await clerk.get())[0] == 200
        assert (await clerk.post("/duty/logout", form))[0] == 303
        assert await house.engine.store.execute("HLEN", SESSIONS) == 0
        async with clerk.session.get(f"{clerk.url}/duty/alive", cookies=cookies) as response:
            assert response.status == 401


async def test_another_password_ends_every_session_of_the_account(house: House) -> None:
    async with Clerk.at(house) as one, Clerk.at(house) as two, Clerk.at(house, "mingmu") as other:
        hub = house.demo.hub
        settings = hub.rules.settings
        changed = settings.accounts["qinghe-duty"].model_copy(
            update={"password_hash": hashed("quite-another-one", memory_kib=LEAST_MEMORY_KIB, time=2, lanes=1)}
        )
        hub.reload(settings.model_copy(update={"accounts": {**settings.accounts, "qinghe-duty": changed}}))
        assert [(await each.get())[0] for each in (one, two, other)] == [303, 303, 200]
        assert (await one.log_in("qinghe-duty", "quite-another-one"))[0] == 303


async def test_a_foreign_page_can_log_nobody_in(house: House) -> None:
    async with Clerk(house) as clerk:
        _, text = await clerk.get("/duty/login")
        form = {"form": hidden(text), "name": "qinghe-duty", "password": clerk.password}
        assert (await clerk.post("/duty/login", form, Origin="https://evil.example"))[0] == 403
        assert (await clerk.post("/duty/login", {**form, "form": "0" * 64}))[0] == 403
        async with Clerk(house) as stranger:
            assert (await stranger.post("/duty/login", form))[0] == 403, "the form was given to another browser"


@pytest.mark.parametrize("path", ["/duty", "/duty/login", "/duty/act", "/duty/incident/A0001"])
async def test_every_answer_is_guarded(house: House, path: str) -> None:
    async with Clerk.at(house) as clerk, clerk.session.get(clerk.url + path, headers={"Accept": "text/html"}) as found:
        policy = found.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["Server"] == "fenghuo", "nothing about what it is made of"
        assert found.headers["Referrer-Policy"] == "same-origin"
        assert found.headers["Cache-Control"] == "no-store"
        text = await found.text()
        assert not re.search(r"<script(?! src=\"/static/)| style=|\son\w+=|https?://(?!127)", text)
