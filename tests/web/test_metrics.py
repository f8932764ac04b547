"""The metrics as Prometheus reads them, through what happens to one alarm."""

from __future__ import annotations

from ipaddress import ip_network

from prometheus_client.parser import text_string_to_metric_families

from bot.settings.models import Settings
from bot.settings.operation import Metrics
from bot.web.metrics import FRESH
from escalation.event import EventType
from escalation.vocabulary import Urgency
from tests.demo.house import House
from tests.store.real_server import eventually

Sample = tuple[str, frozenset[tuple[str, str]]]


async def scrape(house: House) -> dict[Sample, float]:
    """Every sample by its name and labels, as of now."""
    house.demo.clock.push_to(house.demo.clock.now() + FRESH)
    async with house.session.get(house.demo.url + "/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def unsent(house: House, wanted: bool) -> bool:
    """Whether a critical notice is in a mailbox, or none."""
    counts = await house.engine.counting.counts(now=house.demo.clock.now())
    return (counts.mailbox[Urgency.CRITICAL].many > 0) is wanted


def at(found: dict[Sample, float], name: str, **labels: str) -> float:
    return found[f"fenghuo_{name}", frozenset(labels.items())]


async def test_an_alarm_shows_in_the_figures_and_nobody_s_number_does(house: House) -> None:
    before = await scrape(house)
    assert at(before, "ready") == 1
    assert at(before, "store_state", state="ready") == 1
    assert at(before, "open_incidents", kind="alarm", level="high_high") == 0
    code = await house.post(EventType.ALARM_RAISED)
    await house.until(code, lambda found: all(each.state.reached_vendor for each in found.notices.values()))
    # What is recorded leaves its mailbox with the next turn.
    await eventually(lambda: unsent(house, False))
    found = await scrape(house)
    assert at(found, "open_incidents", kind="alarm", level="high_high") == 1
    assert at(found, "events_total", verdict="created") == 1
    assert at(found, "sends_total", channel="sms", result="submitted") >= 2
    assert at(found, "last_good_send_timestamp_seconds", channel="sms") <= house.demo.clock.now() / 1000
    assert at(found, "waiting", stage="mailbox_critical") == 0
    assert at(found, "oldest_unsent_critical_seconds") == 0
    assert at(found, "clocks_overdue") == 0
    assert at(found, "dead_letters") == 0
    groups = {dict(labels)["channel"] for name, labels in found if name == "fenghuo_tokens_left"}
    assert {"county-group", "hedong-group"} <= groups
    assert "sms" not in groups
    shown = " ".join(value for _, labels in found for _, value in labels)
    assert "1380013" not in shown
    assert code not in shown


async def test_a_critical_notice_that_no_vendor_takes_grows_old(house: House) -> None:
    house.demo.hub.reload(_without_gateway(house))
    await house.post(EventType.ALARM_RAISED)
    await eventually(lambda: unsent(house, True))
    first = await scrape(house)
    assert at(first, "waiting", stage="mailbox_critical") >= 1
    assert at(first, "oldest_unsent_critical_seconds") >= FRESH / 1000
    later = await scrape(house)
    assert at(later, "oldest_unsent_critical_seconds") > at(first, "oldest_unsent_critical_seconds")


async def test_only_listed_networks_see_that_there_are_metrics(house: House) -> None:
    settings = house.demo.hub.rules.settings
    away = Metrics(allow=(ip_network("10.0.0.0/8"),))
    house.demo.hub.reload(settings.model_copy(update={"metrics": away}))
    for headers in ({}, {"X-Forwarded-For": "10.0.0.1"}):
        async with house.session.get(house.demo.url + "/metrics", headers=headers) as response:
            assert response.status == 404, "this hub has no proxy whose word counts"


def _without_gateway(house: House) -> Settings:
    settings = house.demo.hub.rules.settings
    gone = settings.channels["sms"].model_copy(update={"url": "http://127.0.0.1:9/cgi-bin/sendsms"})
    return settings.model_copy(update={"channels": settings.channels | {"sms": gone}})


async def test_a_source_that_fell_silent_shows(house: House) -> None:
    hub = house.demo.hub
    quick = {"demo": hub.rules.settings.sources["demo"].model_copy(update={"silent_after": "10m"})}
    hub.reload(hub.rules.settings.model_copy(update={"sources": quick}))
    before = house.demo.clock.now()
    await house.post(EventType.ALARM_RAISED)
    heard = house.demo.clock.now()
    found = await scrape(house)
    assert before / 1000 <= at(found, "last_event_timestamp_seconds", source="demo") <= heard / 1000
    assert at(found, "source_silent", source="demo") == 0
    house.demo.clock.push_to(heard + 11 * 60_000)
    assert at(await scrape(house), "source_silent", source="demo") == 1
