"""Nobody at the post: an error where the alarm would be orange, red or critical, a warning elsewhere."""

from __future__ import annotations

from bot.settings import Weight
from tests.settings.conftest import Folder, codes, only

COUNTY_ROOM = """[[posts]]
unit = "shili-county"
role = "duty_room"
contacts = [{ channel = "county-group" }, { channel = "sms", address = "13800130010" }]
around_the_clock = true
"""
TOWN_ROOM = 'unit = "shili-town"\nrole = "duty_room"'


def test_an_orange_warning_without_a_county_duty_room_is_an_error(folder: Folder) -> None:
    folder.edit(COUNTY_ROOM, "")
    found = {one.code: one for one in folder.load().problems}
    assert found.keys() == {"empty_post", "no_duty_room"}
    assert found["empty_post"].severity is Weight.ERROR
    assert found["empty_post"].path == "units[1]"
    assert "橙色预警" in found["empty_post"].message_zh
    assert 'unit = "shili-county"' in found["empty_post"].hint_zh
    assert found["no_duty_room"].severity is Weight.WARNING


def test_a_post_that_could_not_be_read_is_not_called_empty(folder: Folder) -> None:
    folder.edit(COUNTY_ROOM, COUNTY_ROOM.replace("duty_room", "duty_roon"))
    assert codes(folder.load()) == ["not_one_of"]


def test_a_person_without_contacts_does_not_fill_a_post(folder: Folder) -> None:
    folder.edit(
        'contacts = [{ channel = "county-group" }, { channel = "sms", address = "13800130010" }]', 'people = ["li"]'
    )
    assert folder.load().problems == ()
    folder.edit('contacts = [{ channel = "sms", address = "13800130004" }]', "")
    assert {"empty_post", "no_contacts"} <= set(codes(folder.load()))


def test_somebody_on_the_roster_fills_a_post(folder: Folder) -> None:
    folder.edit(
        'contacts = [{ channel = "county-group" }, { channel = "sms", address = "13800130010" }]',
        'roster = [{ people = ["li"] }]',
    )
    assert folder.load().problems == ()


def test_a_yellow_warning_without_a_town_duty_room_is_only_a_warning(folder: Folder) -> None:
    folder.edit(TOWN_ROOM, 'unit = "shili-town"\nrole = "patrol"')
    found = {one.code: one.severity for one in folder.load().problems}
    assert found == {"empty_post": Weight.WARNING, "no_duty_room": Weight.WARNING}


def test_an_enterprise_on_trial_may_still_lack_people(folder: Folder) -> None:
    for role in ("operator", "safety_officer"):
        folder.edit(f'role = "{role}"', 'role = "patrol"')
    assert next(one.severity for one in folder.load().problems if one.code == "empty_post") is Weight.ERROR
    folder.edit("trial = false", "trial = true")
    assert {one.severity for one in folder.load().problems} == {Weight.WARNING}


def test_a_tier_that_does_not_exist_falls_to_another_with_a_warning(folder: Folder) -> None:
    folder.edit('[[units]]\nid = "shili-city"', '[[units]]\nid = "other-city"')
    folder.edit('parent = "shili-city"', "")
    folder.edit('unit = "shili-city"\nrole = "duty_room"', 'unit = "other-city"\nrole = "duty_room"')
    problem = only(folder.load())
    assert (problem.code, problem.severity, problem.path) == ("no_tier", Weight.WARNING, "units[2]")
    assert "由区县承担" in problem.message_zh


def test_a_level_that_no_rule_covers_is_an_error_when_it_is_grave(folder: Folder) -> None:
    folder.edit('profile = "示例规则"', 'profile = "自己的规则"')
    folder.append(
        '\n[[profiles]]\nname = "自己的规则"\nbasis = "示例〔2026〕1号"\n'
        '[[profiles.rules]]\nname = "报警"\nkind = "alarm"\n'
        'severities = ["high_high", "low_low", "interlock", "high", "low"]\n'
        '[[profiles.rules.duties]]\ntier = "enterprise"\nroles = ["operator"]\n'
        'clocks = [{ clock = "sign", limit = "5m" }]\n'
    )
    found = [(one.severity, one.message_zh) for one in folder.load().problems if one.code == "no_rule"]
    assert sorted(weight for weight, _ in found) == ["error"] * 2 + ["warning"] * 4
    assert any("红色风险预警" in text for weight, text in found if weight is Weight.ERROR)
    assert any("离线监测报警" in text for weight, text in found if weight is Weight.WARNING)


def test_the_fallback_unit_and_the_maintainers_can_be_reached(folder: Folder) -> None:
    folder.edit('fallback_unit = "shili-county"', 'fallback_unit = "lonely"')
    folder.edit('maintainers = "shili-county"', 'maintainers = "shili-town"')
    folder.append('\n[[units]]\nid = "lonely"\nname = "示例园区"\ntier = "county"\n')
    errors = {one.code: one.path for one in folder.load().errors}
    assert errors == {"fallback_empty": "hub.fallback_unit", "maintainer_empty": "hub.maintainers"}


def test_one_empty_post_of_many_enterprises_is_told_once(folder: Folder) -> None:
    folder.edit(COUNTY_ROOM, "")
    folder.append(
        '\n[[enterprises]]\nuscc = "91000000DEM000002C"\nname = "第二家"\nindustry = "dust"\nunit = "shili-town"\n'
    )
    found = [one for one in folder.load().problems if one.code == "empty_post" and one.path.startswith("units")]
    assert len(found) == 1


def test_an_enterprise_without_a_post_around_the_clock_is_a_warning(folder: Folder) -> None:
    folder.edit("around_the_clock = true", "around_the_clock = false")
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("no_night_post", "enterprises[0]")
