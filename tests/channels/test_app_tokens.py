"""The access tokens of the chat platforms' apps: one login for everybody, renewed in time, one repeat where refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.vendor import Fault, listening
from bot.demo.simulators.wecom_app import AppAccount, WecomApp
from channels.access_token import EARLY, REST
from channels.greeting import Greets
from channels.outcome import Outcome, OutcomeKind
from channels.registry import open_channel, parse
from tests.channels.conftest import NIGHT, Clock, a_letter
from tests.channels.ding import KEYS
from tests.patience import LONG, Patience

WECOM = AppAccount(
    "wwdemo0000000001", 1000002, "fake-app-secret", "faketoken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)
MEMBER = "user123"
CANARY = "canary secret/4711"


@dataclass
class App:
    """An app at its vendor; ``secret`` is the name of its secret in the table, ``wrong`` the code of a wrong one."""

    vendor: WecomApp | DingtalkApp
    table: dict[str, Any]
    secret: str
    wrong: str
    clock: Clock
    session: aiohttp.ClientSession

    def opened(self, **other: Any) -> Any:
        return open_channel("app", parse("app", {**self.table, **other}), self.session)


@pytest.fixture(params=["wecom", "dingtalk"])
async def app(request: pytest.FixtureRequest, session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[App]:
    vendor: WecomApp | DingtalkApp
    if request.param == "wecom":
        vendor = WecomApp(WECOM, [MEMBER], clock, per_minute=0)
        keys: dict[str, Any] = {"kind": "wecom_app", "corpid": WECOM.corpid, "agentid": 1000002, "secret": WECOM.secret}
        secret, wrong = "secret", "40001"
    else:
        vendor = DingtalkApp(KEYS, [MEMBER], clock)
        keys = {"kind": "dingtalk_app", "client_id": KEYS[0], "client_secret": KEYS[1]}
        secret, wrong = "client_secret", "invalidClientIdOrSecret"
    async with listening(vendor.app()) as url:
        yield App(vendor, {**keys, "base_url": url, "timeout": 20.0}, secret, wrong, clock, session)


async def send(driver: Any, clock: Clock, count: int = 1) -> list[Outcome]:
    """So many letters at the same moment."""
    letters = [a_letter(id=f"A{clock.at}-{number}", address=MEMBER, at=clock.at) for number in range(count)]
    return list(await asyncio.gather(*(driver.send(letter) for letter in letters)))


def kinds(outcomes: list[Outcome]) -> set[OutcomeKind]:
    return {each.kind for each in outcomes}


async def test_a_storm_logs_in_once(app: App) -> None:
    assert kinds(await send(app.opened(), app.clock, 40)) == {OutcomeKind.ACCEPTED}
    assert app.vendor.logins == 1


async def test_a_token_is_renewed_before_it_ends(app: App) -> None:
    driver = app.opened()
    await send(driver, app.clock)
    app.clock.at += app.vendor.life * 1000 - EARLY - 1
    await send(driver, app.clock)
    assert app.vendor.logins == 1
    app.clock.at += 1
    await send(driver, app.clock)
    assert (app.vendor.logins, len(app.vendor.received)) == (2, 3)


async def test_a_token_that_ended_early_is_asked_for_once_for_all_and_nothing_is_lost_or_doubled(app: App) -> None:
    driver = app.opened()
    await send(driver, app.clock)
    app.vendor.revoke()
    app.clock.at += 1
    assert kinds(await send(driver, app.clock, 20)) == {OutcomeKind.ACCEPTED}
    assert (app.vendor.logins, len(app.vendor.received)) == (2, 21)


async def test_a_wrong_secret_is_told_by_its_code_and_does_not_storm_the_login(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    driver = app.opened(**{app.secret: CANARY})
    outcomes = await send(driver, app.clock, 20)
    assert kinds(outcomes) == {OutcomeKind.MISCONFIGURED}
    assert app.wrong in outcomes[0].detail
    assert app.vendor.logins == 1
    app.clock.at += REST
    await send(driver, app.clock)
    assert app.vendor.logins == 2
    assert isinstance(driver, Greets)
    greeting = await driver.greet(NIGHT)
    assert greeting.standing == "wrong_key"
    assert "4711" not in f"{outcomes!r} {driver!r} {caplog.text} {greeting!r}"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.STATUS_500, OutcomeKind.TRANSIENT),
        (Fault.GARBAGE, OutcomeKind.TRANSIENT),
        (Fault.DROP_AFTER, OutcomeKind.TRANSIENT),
        (Fault.HALF_BODY, OutcomeKind.TRANSIENT),
        (Fault.REDIRECT, OutcomeKind.MISCONFIGURED),
    ],
)
async def test_a_login_that_fails_leaves_nothing_uncertain(app: App, fault: Fault, kind: OutcomeKind) -> None:
    driver = app.opened()
    app.vendor.login_faults.put(fault)
    assert kinds(await send(driver, app.clock)) == {kind}
    assert app.vendor.received == []
    app.clock.at += REST
    assert kinds(await send(driver, app.clock)) == {OutcomeKind.ACCEPTED}


async def test_a_login_that_hangs_ends_in_time(app: App, patience: Patience) -> None:
    faults = app.vendor.login_faults
    faults.put(Fault.HANG)
    sending = send(app.opened(timeout=LONG), app.clock, 5)
    assert kinds(await patience.ended(sending, faults.wait_for(Fault.HANG))) == {OutcomeKind.TRANSIENT}
    faults.release()
