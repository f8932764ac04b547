"""A wrong value is told in a plain sentence, in both languages, with what would be right."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder, codes, only

CASES = [
    # old, new, code, path, in the Chinese text, in the English text
    ("port = 8080", 'port = "8o80"', "wrong_type", "hub.port", "应为整数，现在是带引号的文字",
     "must be a whole number"),
    ("port = 8080", "port = 8080.5", "not_whole", "hub.port", "应为整数", "whole number"),
    ("port = 8080", "port = 70000", "not_le", "hub.port", "不大于 65535", "at most 65535"),
    ("port = 8080", "port = 0", "not_ge", "hub.port", "不小于 1", "at least 1"),
    ("port = 8080", "prot = 8080", "unknown_key", "hub.prot", "是不是想写 port", "did you mean port"),
    ('language = "zh"', 'language = "cn"', "not_one_of", "hub.language", "可以写：en, zh", "one of: en, zh"),
    ('zone = "Asia/Shanghai"', 'zone = "UTC"', "not_one_of", "hub.zone", "Asia/Shanghai", "Asia/Shanghai"),
    ('listen = "127.0.0.1"', 'listen = "localhost"', "not_address", "hub.listen", "不是 IP 地址", "not an IP address"),
    ('"https://alarm.example.cn"', '"alarm.example.cn"', "not_http", "hub.public_url", "http(s)", "http(s)"),
    ('"https://alarm.example.cn"', '"http://[::1"', "not_http", "hub.public_url", "http(s)", "http(s)"),
    ('skew = "10m"', 'skew = "10 min"', "not_duration", "hub.skew", "例如 30m", "such as 30m"),
    ('skew = "10m"', "skew = 10", "not_duration", "hub.skew", '例如 "10m"', 'such as "10m"'),
    ('fallback_unit = "shili-county"\n', "", "missing", "hub", "缺少 fallback_unit", "fallback_unit is missing"),
    ("accept_loss = false", "accept_loss = 3", "wrong_type", "store.accept_loss", "true 或 false", "true or false"),
    ("accept_loss = false", 'url = "redis+sentinel://h:1"', "not_store", "store.url", "缺少主节点名", "master's name"),
    ("accept_loss = false", 'url = "mysql://x"', "not_store", "store.url", "rediss://", "rediss://"),
    ("workdays = []", 'workdays = ["2026-02-30"]', "not_date", "calendar.workdays[0]", "2026-02-30", "2026-02-30"),
    ("workdays = []\nholidays = []", "workdays = [2026-10-01]\nholidays = [2026-10-01]", "work_and_holiday", "calendar",
     "2026-10-01", "2026-10-01"),
    ('end = "12:00"', 'end = "15:00"', "working_hours", "calendar", "不能重叠", "must not overlap"),
    ('end = "12:00"', 'end = "noon"', "not_time", "calendar.hours[0].end", '例如 "08:00"', 'such as "08:00"'),
    ("[sources.monitor]", "[sources.Monitor]", "not_id", "sources.Monitor", "小写字母", "lower-case"),
    ("allow = []", 'allow = ["10.0.0.5/8"]', "not_network", "sources.monitor.allow[0]", "10.0.0.5/8",
     "perhaps 10.0.0.0/8"),
    ('secrets = ["file:secrets/source-monitor"]', "", "source_proof", "sources.monitor", "secrets 或 token",
     "exactly one"),
    ('secrets = ["file:secrets/source-monitor"]', 'token = "file:secrets/pages"', "source_allow", "sources.monitor",
     "必须写 allow", "needs allow"),
    ('"1" = "red"', '"1" = "rad"', "not_one_of", 'sources.monitor.levels.1', "是不是想写 red", "did you mean red"),
    ('kind = "sms_kannel"', 'kind = "sms_kanel"', "unknown_kind", "channels.sms.kind", "sms_kannel", "sms_kannel"),
    ('kind = "sms_kannel"', "", "no_kind", "channels.sms", "没有写 kind", "has no kind"),
    ("per_minute = 18", "per_minut = 18", "unknown_key", "channels.county-group.per_minut", "per_minute", "per_minute"),
    ("reserve = 4", "reserve = 18", "said", "channels.county-group", "必须小于", "必须小于"),
    ('max_parts = 5', 'max_parts = 50', "not_le", "channels.sms.max_parts", "不大于 10", "at most 10"),
    ('industry = "steel"', 'industry = "stell"', "not_one_of", "enterprises[0].industry", "steel", "steel"),
    ('short = "第一轧钢"', 'short = "示例县第一轧钢有限公司"', "too_long", "enterprises[0].short", "最多 8",
     "at most 8"),
    ('role = "leader_on_duty"', 'role = "leader"', "not_one_of", "posts[6].role", "没有|不在可选值", "not one of"),
    ('start = "08:00", end = "20:00"', 'start = "8:00", end = "20:00"', "not_time", "posts[4].roster[0].start",
     "8:00", "24 hours"),
    ('people = ["wu"]', 'people = "wu"', "wrong_type", "posts[6].people", "方括号", "brackets"),
    ('address = "13800130001"', "address = 13800130001", "wrong_type", "people[0].contacts[0].address",
     '"13800130001"', '"13800130001"'),
    ('id = "zhao"\n', 'id = "zhao"\nstore = 1\n', "unknown_key", "people[0].store", "第一个 [表] 之前",
     "before the first"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "path", "zh", "en"), CASES, ids=[f"{one[2]}:{one[3]}" for one in CASES])
def test_one_wrong_value_is_one_plain_sentence(
    folder: Folder, old: str, new: str, code: str, path: str, zh: str, en: str
) -> None:
    folder.edit(old, new)
    found = [one for one in folder.load().problems if one.code == code]
    assert [one.path for one in found] == [path], codes(folder.load())
    assert any(part in found[0].text("zh") for part in zh.split("|")), found[0].text("zh")
    assert en in found[0].text("en"), found[0].text("en")
    for wording in ("Input should", "Value error", "validation", "type=", "pydantic"):
        assert wording not in found[0].text("zh") + found[0].text("en")


def test_the_column_points_at_the_value_and_at_the_key_that_is_unknown(folder: Folder) -> None:
    folder.edit("port = 8080", "  port =   0")
    problem = only(folder.load())
    assert (problem.line, problem.column) == (folder.line_of("port = "), 12)
    folder.edit("  port =   0", "  prot = 8080")
    problem = only(folder.load())
    assert (problem.line, problem.column) == (folder.line_of("prot"), 3)


def test_a_top_level_setting_that_slipped_under_a_table_is_told_where_it_belongs(folder: Folder) -> None:
    folder.edit('adopt_sample = "示例规则"', "")
    folder.edit("[hub]", '[hub]\nadopt_sample = "示例规则"')
    problem = next(one for one in folder.load().problems if one.code == "unknown_key")
    assert problem.path == "hub.adopt_sample"
    assert "写在文件最前面" in problem.hint_zh


def test_all_faults_are_told_at_once_in_the_order_of_the_file(folder: Folder) -> None:
    folder.edit("port = 8080", "port = 0")
    folder.edit('tier = "city"', 'tier = "capital"')
    folder.edit('people = ["sun", "zhao"]', 'people = ["sun", "zhou2"]')
    folder.edit('"13800130005"', '"1380013000"')
    problems = folder.load().problems
    assert [one.path for one in problems] == [
        "hub.port",
        "units[0].tier",
        "people[4].contacts[0].address",
        "posts[2].people[1]",
    ]
    assert [one.line for one in problems] == sorted(one.line for one in problems)
