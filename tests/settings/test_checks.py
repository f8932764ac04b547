"""What one table alone cannot know: names that lead nowhere, lines of supervision, addresses, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import Weight
from bot.settings.uscc import ALPHABET, check_digit, corrected
from tests.settings.conftest import Folder, codes, only

USCC = "91000000DEM0000019"
ERROR, WARNING = Weight.ERROR, Weight.WARNING

CASES = [
    # old, new, weight, code, path, hint (in English)
    ('fallback_unit = "shili-county"', 'fallback_unit = "shili-conty"', ERROR, "no_unit", "hub.fallback_unit",
     "shili-county"),
    ('maintainers = "shili-county"', 'maintainers = "nowhere"', ERROR, "no_place", "hub.maintainers", "one of"),
    ('profile = "示例规则"', 'profile = "示例规"', ERROR, "no_profile", "profile", "示例规则"),
    ('# feedback = "upstream"', 'feedback = "upstraem"', ERROR, "no_channel", "sources.monitor.feedback", "one of"),
    ('# feedback = "upstream"', 'feedback = "sms"', ERROR, "feedback_kind", "sources.monitor.feedback", ""),
    ('parent = "shili-city"', 'parent = "shili-cty"', ERROR, "no_unit", "units[1].parent", "shili-city"),
    ('parent = "shili-city"', 'parent = "shili-town"', ERROR, "parent_tier", "units[1].parent", ""),
    ('tier = "county"', 'tier = "city"', ERROR, "parent_tier", "units[1].parent", ""),
    ('tier = "town"', 'tier = "enterprise"', ERROR, "unit_tier", "units[2].tier", ""),
    ('unit = "shili-town"\n# true', 'unit = "shili-twon"\n# true', ERROR, "no_unit", "enterprises[0].unit",
     "shili-town"),
    ('responsible = ["zhao"]', 'responsible = ["zha"]', ERROR, "no_person", "enterprises[0].points[0].responsible[0]",
     "zhao"),
    ('technical_person = "sun"', 'technical_person = "su"', ERROR, "no_person",
     "enterprises[0].hazards[0].technical_person", "sun"),
    ('points = ["GAS-001"]', 'points = ["GAS-01"]', ERROR, "no_point", "enterprises[0].hazards[0].points[0]",
     "GAS-001"),
    ('points = ["GAS-001"]', 'points = ["GAS-001", "GAS-001"]', ERROR, "point_in_two",
     "enterprises[0].hazards[0].points[1]", ""),
    ('[[points]]\nenterprise = "91000000DEM0000019"', '[[points]]\nenterprise = "91000000DEM0000027"', ERROR,
     "no_enterprise", "points[0].enterprise", USCC),
    ('[{ channel = "sms", address = "13800130001" }]', '[{ channel = "sns", address = "13800130001" }]', ERROR,
     "no_channel", "people[0].contacts[0].channel", "sms"),
    ('address = "13800130001"', 'address = "12800130001"', ERROR, "bad_address", "people[0].contacts[0].address",
     "13800130001"),
    ('address = "13800130001"', 'address = "138OO13000l"', ERROR, "bad_address", "people[0].contacts[0].address",
     "perhaps 13800130001"),
    ('address = "13800130001"', 'address = "138 0013 0001"', ERROR, "bad_address", "people[0].contacts[0].address",
     "perhaps 13800130001"),
    ('address = "13800130001"', 'address = "+86１３８00130001"', ERROR, "bad_address", "people[0].contacts[0].address",
     "perhaps 13800130001"),
    ('address = "13800130001"', 'address = "赵的手机"', ERROR, "bad_address", "people[0].contacts[0].address",
     "such as 13800130001"),
    ('{ channel = "mail", address = "qian@example.cn" }', '{ channel = "mail", address = "qian@" }', ERROR,
     "bad_address", "people[1].contacts[1].address", "@example.cn"),
    (', address = "13800130001"', "", ERROR, "no_address", "people[0].contacts[0]", "address ="),
    ('{ channel = "county-group" }', '{ channel = "county-group", address = "13800130001" }', ERROR,
     "needless_address", "posts[5].contacts[0].address", "remove"),
    ('readers = ["shili-county"]', 'readers = ["shili-conty"]', ERROR, "no_place", "channels.county-group.readers[0]",
     "shili-county"),
    ('readers = ["shili-county"]', 'readers = ["shili-county", "shili-town"]', ERROR, "group_of_others",
     "posts[5].contacts[0].channel", "readers"),
    ('readers = ["shili-county"]', f'readers = ["shili-city", "{USCC}"]', ERROR, "group_of_others",
     "posts[5].contacts[0].channel", "readers"),
    ('address = "13800130003"', 'address = "13800130001"', WARNING, "phone_twice", "people[2].contacts[0].address", ""),
    ('contacts = [{ channel = "sms", address = "13800130005" }]', "", WARNING, "no_contacts", "people[4]", "contacts"),
    ('people = ["wu"]', 'people = ["wu"]\nroster = [{ people = ["li"] }]', ERROR, "people_and_roster",
     "posts[6].roster", "a roster"),
    ('{ people = ["li"], start', "{ people = [], start", ERROR, "empty_shift", "posts[4].roster[0]", ""),
    ('date = "2027-01-01"', 'date = "2027-02-29"', ERROR, "bad_day", "posts[4].roster[2].date", "2026-10-01"),
    ("sign = 5", "sign = 16", ERROR, "looser_limit", "enterprises[0].points[0].limits.sign", "15"),
    ("sign = 5", "sign = 15", WARNING, "idle_limit", "enterprises[0].points[0].limits.sign", ""),
    ("clear = 180", "clear = 1441", ERROR, "looser_limit", "enterprises[0].points[0].limits.clear", "1440"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "weight", "code", "path", "hint"), CASES, ids=[f"{one[3]}:{one[4]}" for one in CASES]
)
def test_a_fault_across_tables_is_told_at_its_path(
    folder: Folder, old: str, new: str, weight: Weight, code: str, path: str, hint: str
) -> None:
    folder.edit(old, new)
    loaded = folder.load()
    found = [one for one in loaded.problems if one.code == code]
    assert [(one.path, one.severity) for one in found] == [(path, weight)], codes(loaded)
    assert hint in found[0].hint_en
    assert (loaded.settings is None) == any(one.severity is ERROR for one in loaded.problems)


def test_parents_that_go_round_are_told_once_and_nothing_hangs(folder: Folder) -> None:
    folder.edit('tier = "city"', 'tier = "city"\nparent = "shili-town"')
    found = {one.code: one for one in folder.load().problems}
    assert found.keys() == {"unit_circle", "parent_tier"}
    assert "shili-city → shili-town → shili-county → shili-city" in found["unit_circle"].message_zh


def test_a_webhook_contact_may_leave_its_address_to_the_channel(folder: Folder) -> None:
    folder.append(
        '\n[channels.out]\nkind = "webhook"\nurl = "https://x.example.cn"\nsecrets = ["file:secrets/source-monitor"]\n'
    )
    folder.edit('[{ channel = "sms", address = "13800130001" }]', '[{ channel = "out" }]')
    assert folder.load().problems == ()
    folder.edit('url = "https://x.example.cn"\n', "")
    assert codes(folder.load()) == ["no_address"]
    folder.edit('[{ channel = "out" }]', '[{ channel = "out", address = "http://[" }]')
    assert codes(folder.load()) == ["bad_address"]


def test_a_group_may_be_read_by_those_above(folder: Folder) -> None:
    folder.edit('readers = ["shili-county"]', 'readers = ["shili-county", "shili-city"]')
    assert folder.load().problems == ()


def test_a_person_brings_no_other_units_group_into_a_post(folder: Folder) -> None:
    """The county's group as a contact of a worker: the county's people may read it. The town's own is for the town."""
    folder.edit('[{ channel = "sms", address = "13800130001" }]', '[{ channel = "county-group" }]')
    assert folder.load().problems == ()
    folder.edit('readers = ["shili-county"]', 'readers = ["91000000DEM000002C"]')
    assert {"group_of_others", "no_place"} <= set(codes(folder.load()))


def test_a_group_without_readers_is_told_where_it_stands(folder: Folder) -> None:
    folder.edit('readers = ["shili-county"]', "")
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("missing", "channels.county-group")
    folder.edit('kind = "wecom_robot"\n', 'kind = "wecom_robot"\nreaders = []\n')
    assert codes(folder.load()) == ["too_short"]


def test_rules_of_ones_own_may_not_take_the_name_of_the_sample(folder: Folder) -> None:
    folder.append('\n[[profiles]]\nname = "示例规则"\nbasis = "无"\nrules = []\n')
    assert "sample_name" in codes(folder.load())


def test_a_night_that_the_roster_leaves_to_nobody_is_a_warning_with_its_hours(folder: Folder) -> None:
    folder.edit(
        '{ people = ["zhou"], start = "20:00", end = "08:00", days = [1, 2, 3, 4, 5, 6, 7] }',
        '{ people = ["zhou"], start = "20:00", end = "08:00", days = [1, 2, 3, 4, 5] }',
    )
    problem = only(folder.load())
    assert (problem.code, problem.severity, problem.path) == ("roster_gap", WARNING, "posts[4].roster")
    assert "周六 20:00–24:00、周日 00:00–08:00、周日 20:00–24:00" in problem.message_zh
    assert "周一 00:00–08:00" in problem.message_zh
    assert "周六 00:00" not in problem.message_zh


def test_a_single_date_fills_no_ordinary_night(folder: Folder) -> None:
    folder.edit('start = "20:00", end = "08:00", days = [1, 2, 3, 4, 5, 6, 7]', 'start = "20:00", date = "2026-01-05"')
    assert "周一 20:00–24:00" in only(folder.load()).message_zh


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("91000000DEM0000018", "uscc_digit", "91000000DEM0000019"),
        ("91000000DEMO000019", "uscc_mark", "0"),
        ("91000000DEM000001I", "uscc_mark", "1"),
        ("91000000dem0000019", "uscc_mark", "digits"),
        ("91000000DEM000001", "uscc_length", ""),
        ("91000000DEM00000190", "uscc_length", ""),
        ("", "uscc_length", ""),
    ],
)
def test_a_code_that_cannot_be_right_is_told_with_the_right_one(
    folder: Folder, written: str, code: str, hint: str
) -> None:
    folder.edit(f'uscc = "{USCC}"', f'uscc = "{written}"')
    found = [one for one in folder.load().problems if one.code.startswith("uscc")]
    assert [one.code for one in found] == [code]
    assert hint in found[0].hint_en
    if code == "uscc_digit":
        assert codes(folder.load()) == ["uscc_digit"]  # the right code elsewhere is no second fault


# Computed by hand from the weights of GB 32100-2015: 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28.
@pytest.mark.parametrize("uscc", ["91000000DEM0000019", "91000000DEM000002C", "91000000DEM000003F"])
def test_check_digits_are_those_of_the_standard(uscc: str) -> None:
    assert corrected(uscc) == uscc


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_one_wrong_character_always_shows(first: str, at: int, mark: str) -> None:
    other = first[:at] + mark + first[at + 1 :]
    assert (check_digit(first) == check_digit(other)) == (first == other)


@pytest.mark.parametrize("name", ["chat", "explain"])
def test_a_source_cannot_take_a_name_that_is_the_hubs_own(folder: Folder, name: str) -> None:
    folder.edit("[sources.monitor]", f"[sources.{name}]")
    assert "own_source" in codes(folder.load())
