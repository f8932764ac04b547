"""``explain``: who would be told, by which channel, when and why; and that this is what then happens."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from bot.rehearsal.told import Told
from bot.settings.load import load
from bot.settings.models import Settings
from bot.store.client import Store
from escalation.vocabulary import Level, Mode, Role, Severity, Tier
from tests.rehearsal.stage import ALUMINIUM, DUST, STEEL, explained, raised, replayed


def test_an_orange_warning_at_two_in_the_night(settings: Settings) -> None:
    """The county's night shift and the enterprise hear it at once; nobody answers, and it goes up, announced."""
    found = explained(settings)
    assert (found.urgency, found.trial) == ("normal", False)
    first = [each for each in found.told if each.minute == 0]
    assert {(each.unit, each.name) for each in first} >= {("qinghe", "卿值班")}
    assert {each.tier for each in first} >= {"county", "enterprise"}
    clocks = {(each.tier, each.clock) for each in found.clocks}
    assert ("county", "sign") in clocks
    reminders = [each for each in found.told if each.kind == "remind"]
    assert reminders
    assert all(each.why.startswith("step_") for each in reminders)
    announced = [each for each in found.told if each.kind == "announce"]
    climbed = [each for each in found.told if each.kind == "escalated" and each.tier == "city"]
    assert announced
    assert climbed
    assert announced[0].at < climbed[0].at
    assert [each.at for each in found.told] == sorted(each.at for each in found.told)
    assert any("时限到期" in each for each in found.remarks)


def test_an_empty_post_above_is_named_and_is_not_the_enterprises(settings: Settings) -> None:
    line = settings.directory().line(DUST)
    posts = tuple(post for post in settings.posts if (post.unit, post.role) != (line[Tier.TOWN], Role.LEADER_ON_DUTY))
    town = settings.directory().unit_name(line[Tier.TOWN])
    remarks = explained(settings.model_copy(update={"posts": posts}), severity=Severity.HIGH, point="DC01-T01").remarks
    assert any(each.endswith(f"{town}带班领导 岗位无人") for each in remarks), remarks
    assert any(each.endswith(f"{town} 转由上一级接收") for each in remarks)
    enterprise = settings.directory().enterprises[DUST].name
    assert not any("岗位无人" in each for each in remarks if enterprise in each)


def test_what_is_asked_for_after_the_close_is_said(settings: Settings) -> None:
    warned = explained(settings, level=Level.ORANGE)
    assert "关闭时仍未在原系统反馈的，关闭后 24小时、72小时各提醒一次" in warned.remarks
    alarmed = explained(settings, severity=Severity.HIGH, point="DC01-T01")
    assert not any("原系统反馈" in each for each in alarmed.remarks), "an alarm's rules ask for no feedback"


def test_the_roster_of_that_minute_counts(settings: Settings) -> None:
    day = explained(settings, "2026-11-21T14:00")
    assert "秦值班" in {each.name for each in day.told if each.minute == 0}
    assert "卿值班" not in {each.name for each in day.told if each.minute == 0}


def test_a_point_that_is_not_registered_is_said(settings: Settings) -> None:
    found = explained(settings, severity=Severity.HIGH, point="X-99")
    assert found.remarks[0] == "点位未登记，按企业岗位通知"
    assert explained(settings, severity=Severity.HIGH, point="DC01-T01").remarks[:1] != found.remarks[:1]


def test_a_trial_enterprise_is_explained_as_one(settings: Settings) -> None:
    trial = settings.model_copy(
        update={"enterprises": tuple(each.model_copy(update={"trial": True}) for each in settings.enterprises)}
    )
    found = explained(trial)
    assert found.trial
    assert found.told
    assert not any(each.sent for each in found.told)
    real = explained(settings)
    first = [(each.at, each.person, each.channel) for each in found.told if each.minute == 0]
    assert first == [(each.at, each.person, each.channel) for each in real.told if each.minute == 0]


POINTS = {DUST: ("DC01-T01", "DC01-P01", "X-1"), STEEL: ("BF1-CO-03", "X-2"), ALUMINIUM: ("CAST-F02", "X-3")}
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001 (Beijing time, as typed)
    lambda at: at.replace(microsecond=0).isoformat()
)


@pytest.mark.timeout(120)
@profile(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    time=TIMES,
    enterprise=st.sampled_from(sorted(POINTS)),
    grade=st.sampled_from([*Level, *Severity]),
    mode=st.sampled_from(Mode),
    data=st.data(),
)
async def test_what_is_explained_is_what_happens(
    settings: Settings,
    store: Store,
    tmp_path: Path,
    time: str,
    enterprise: str,
    grade: Level | Severity,
    mode: Mode,
    data: st.DataObject,
) -> None:
    """The same people, channels and minutes, to the ladder's end, as the whole engine gives when nobody answers."""
    if isinstance(grade, Level):
        said = explained(settings, time, enterprise=enterprise, level=grade, mode=mode)
        event = raised("e", time, "warning.issued", enterprise=enterprise, level=grade.value, mode=mode.value)
    else:
        point = data.draw(st.sampled_from(POINTS[enterprise]))
        said = explained(settings, time, enterprise=enterprise, point=point, severity=grade, mode=mode)
        event = raised("e", time, enterprise=enterprise, point=point, severity=grade.value, mode=mode.value)
    end = max(each.at for each in said.told)
    until = (datetime.fromisoformat(end) + timedelta(days=3)).isoformat()
    happened = await replayed(store, settings, tmp_path, [event], until)
    assert lines(happened.told) == lines(said.told)
    (incident,) = happened.incidents
    assert incident.rule == said.rule


def lines(told: list[Told]) -> list[tuple[object, ...]]:
    """What is compared; notices of one moment are in no order."""
    return sorted(
        (each.at, each.minute, each.kind, each.purpose, each.unit, each.post, each.person, each.channel, each.sent)
        for each in told
    )


def test_who_shares_a_send_is_listed(config: Path, tmp_path: Path) -> None:
    """Two people of an enterprise have one phone: it rings once, and both are named."""
    county = tmp_path / "county"
    shutil.copytree(config.parent, county)
    main = county / config.name
    main.write_text(main.read_text("utf-8").replace("13800130003", "13800130001"), "utf-8")
    settings = load(main).settings
    assert settings is not None
    found = explained(settings, severity=Severity.HIGH_HIGH, point="DC01-T01")
    (shared,) = [each for each in found.told if each.minute == 0 and each.channel == "sms" and each.also]
    assert {shared.name, *(each.name for each in shared.also)} == {"白木匠", "林安全"}
    assert [each.post for each in shared.also] != [shared.post]
    assert "（同一条：" in shared.line()
    assert all(each.name in shared.line() for each in shared.also)
