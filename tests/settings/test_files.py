"""One configuration in several files: laid together, and every fault told where it is written."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.settings import Weight, load
from tests.settings.conftest import Folder, codes, only

MORE = """
[[people]]
id = "zheng"
name = "郑七"
contacts = [{ channel = "sms", address = "13800130007" }]

[[points]]
enterprise = "91000000DEM0000019"
code = "GAS-009"
name = "9号煤气"
responsible = ["zheng"]

[channels.town-group]
kind = "wecom_robot"
key = "file:secrets/county-group-key"
readers = ["shili-town"]
"""


def test_included_files_add_to_the_main_one(folder: Folder) -> None:
    folder.include(MORE)
    loaded = folder.load()
    assert loaded.problems == ()
    assert loaded.settings is not None
    assert "zheng" in loaded.settings.directory().people
    assert loaded.settings.directory().point("91000000DEM0000019", "GAS-009") is not None
    assert "town-group" in loaded.settings.channels


def test_a_fault_is_told_in_the_file_and_at_the_path_where_it_is_written(folder: Folder) -> None:
    folder.include(MORE.replace('"zheng"]', '"zhen"]'))
    problem = only(folder.load())
    assert (problem.file, problem.path) == ("contacts/more.toml", "points[0].responsible[0]")
    assert problem.line == folder.line_of('"zhen"', "contacts/more.toml")
    assert problem.column == 16
    assert "郑" not in problem.message_zh
    assert "zheng" in problem.hint_zh


def test_what_is_written_twice_is_told_with_both_places(folder: Folder) -> None:
    folder.include(
        '[[people]]\nid = "zhao"\nname = "另一个赵一"\n'
        'contacts = [{ channel = "sms", address = "13800130008" }]\n'
        '[channels.sms]\nkind = "wecom_robot"\nkey = "env:X"\nreaders = ["shili-town"]\n'
    )
    person, channel = folder.load().problems
    assert (person.code, person.file, person.line, person.path) == ("twice", "contacts/more.toml", 2, "people[0].id")
    assert person.also is not None
    assert (person.also.file, person.also.line) == ("config.toml", folder.line_of('id = "zhao"'))
    assert (channel.code, channel.line, channel.path) == ("twice", 5, "channels.sms")
    assert channel.also is not None
    assert channel.also.line == folder.line_of("[channels.sms]")
    assert "另见 config.toml:" in channel.text("zh")


def test_units_enterprises_points_hazards_and_profiles_are_unique(folder: Folder) -> None:
    for table, row in {
        "units": 'id = "shili-town"\nname = "又一个镇"\ntier = "town"\nparent = "shili-county"',
        "enterprises": 'uscc = "91000000DEM0000019"\nname = "某厂"\nindustry = "dust"\nunit = "shili-town"',
        "points": 'enterprise = "91000000DEM0000019"\ncode = "GAS-001"\nname = "重复"',
        "hazards": 'enterprise = "91000000DEM0000019"\ncode = "HAZ-01"\nname = "重复"\n'
        'main_person = "qian"\ntechnical_person = "sun"\noperational_person = "zhao"',
    }.items():
        folder.include(f"[[{table}]]\n{row}\n")
        assert [code for code in codes(folder.load()) if code == "twice"] == ["twice"], table


def test_what_belongs_to_the_hub_stays_in_the_main_file(folder: Folder) -> None:
    folder.include('profile = "示例规则"\n[hub]\nport = 1\n')
    first, second = folder.load().problems
    assert (first.code, first.path, second.path) == ("main_only", "profile", "hub")


def test_syntax_errors_of_all_files_are_told_at_once_with_everything_else(folder: Folder) -> None:
    folder.include("[[people]\n", "contacts/a.toml")
    folder.include('x = "未完\n', "contacts/b.toml")
    folder.put("contacts/c.toml", 'name = "张三"\n'.encode("gbk"))
    folder.edit("port = 8080", 'port = "x"')
    problems = folder.load().problems
    assert [(one.code, one.file, one.line) for one in problems] == [
        ("wrong_type", "config.toml", folder.line_of("port = ")),
        ("syntax", "contacts/a.toml", 1),
        ("syntax", "contacts/b.toml", 1),
        ("not_utf8", "contacts/c.toml", 1),
    ]
    assert "方括号" in problems[1].message_zh
    assert "引号" in problems[2].message_zh


def test_what_an_unread_file_may_hold_is_not_called_missing(folder: Folder) -> None:
    folder.edit('people = ["wu"]', 'people = ["somebody-else"]')
    assert "no_person" in codes(folder.load())
    folder.include("broken", "contacts/a.toml")
    assert codes(folder.load()) == ["syntax"]


def test_a_missing_main_file_is_one_plain_error(tmp_path: Path) -> None:
    problem = only(load(tmp_path / "nothing.toml", environment={}))
    assert (problem.code, problem.file) == ("no_file", "nothing.toml")


def test_a_glob_that_matches_nothing_is_a_warning_and_one_that_leaves_the_folder_an_error(folder: Folder) -> None:
    folder.edit("# include = [", "include = [")
    assert only(folder.load()).severity is Weight.WARNING
    for glob in ("/etc/*.toml", "../x.toml", "", ".", "a**b", "**/../x", "\\u0000"):
        folder.edit('"contacts/*.toml"', f'"{glob}"')
        assert only(folder.load()).code == "bad_glob", glob
        folder.edit(f'include = ["{glob}"]', 'include = ["contacts/*.toml"]')


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Folder) -> None:
    text = folder.main.read_text(encoding="utf-8").replace("\n", "\r\n").replace("port = 8080", "port = 0")
    folder.main.write_bytes(b"\xef\xbb\xbf" + text.encode())
    problem = only(folder.load())
    assert (problem.path, problem.line, problem.column) == ("hub.port", folder.line_of("port = 0"), 8)


def test_a_list_that_is_none_is_told_where_it_stands_even_in_an_included_file(folder: Folder) -> None:
    folder.include('people = "zhao"\nsources = 3\n')
    first, second = folder.load().problems
    assert (first.code, first.file, first.line) == ("wrong_type", "contacts/more.toml", 1)
    assert (second.code, second.file, second.line) == ("wrong_type", "contacts/more.toml", 2)


def test_the_hash_follows_every_byte_of_every_file(folder: Folder) -> None:
    before = folder.load().hash
    assert folder.load().hash == before
    folder.include("# nothing\n")
    after = folder.load().hash
    assert after != before
    folder.put("contacts/more.toml", "# nothing more\n")
    assert folder.load().hash != after


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore")))
)
def test_any_bytes_give_problems_and_never_an_exception(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    loaded = load(path, environment={})
    assert loaded.settings is None
    for problem in loaded.problems:
        assert problem.text("zh").replace("\n    → ", "").isprintable()


def test_nesting_and_numbers_beyond_reason_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text in ("x = " + "[" * 5000, "x = " + "[" * 90 + "]" * 90, "x = " + "9" * 5000, "a." * 60 + "a = 1"):
        path.write_text(text)
        assert only(load(path, environment={})).code == "syntax"


WORDS = ["''", "-1", "true", "{}", "[]", "[[]]", "1.5", "08:00:00", "2026-01-01", '"\\u0000"', '"x"', '"file:\\u0000"']


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(data=st.data())
def test_any_value_in_place_of_any_other_gives_problems_and_never_an_exception(
    folder: Folder, data: st.DataObject
) -> None:
    original = folder.main.read_text(encoding="utf-8")
    lines = original.splitlines()
    spots = [at for at, line in enumerate(lines) if " = " in line and not line.startswith("#") and line[-1] not in "[("]
    for at in data.draw(st.lists(st.sampled_from(spots), min_size=1, max_size=4, unique=True)):
        name = lines[at].partition(" = ")[0]
        lines[at] = f"{name} = {data.draw(st.sampled_from(WORDS))}"
    try:
        folder.put("config.toml", "\n".join(lines))
        for problem in folder.load().problems:
            assert problem.line >= 1
            assert problem.message_zh
            assert problem.message_en
    finally:
        folder.put("config.toml", original)
