"""What a clumsy hand does to the example, and what would be right, told at its place in both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli import main
from bot.clock import WallClock
from bot.settings import Problem, Weight
from escalation.calendar import local
from tests.settings.conftest import Folder, codes, only

PHONE = '[{ channel = "sms", address = "13800130001" }]'
PROFILE = """
[[profiles]]
name = "某规则"
basis = "示例〔2026〕1号"
effective = "2026-01-01"
[[profiles.rules]]
name = "橙色"
kind = "warning"
levels = ["orange"]
[[profiles.rules.duties]]
tier = "county"
roles = ["duty_room"]
[[profiles.rules.duties.clocks]]
clock = "sign"
limit = "30m"
ladder = [{ after = "20m", do = "remind" }]
"""
ALIYUN = """
[channels.cloud]
kind = "sms_aliyun"
access_key_id = "LTAI-EXAMPLE"
access_key_secret = "file:secrets/sms-password"
signature = "示例应急"
[[channels.cloud.templates]]
code = "SMS_1"
text = "${level}，${place}，${nonsense}。"
variables = [{ name = "level", cap = 12 }, { name = "place", cap = 20 }]
"""

SYNTAX = [
    # old, new, in the Chinese text, in the English text
    ('name = "赵一"', "name = “赵一”", "这里是中文标点 “ ，要写英文的 \"", 'write "'),
    ('name = "赵一"', 'name ＝ "赵一"', "要写英文的 =", "write ="),
    ('name = "赵一"', 'name： "赵一"', "要写英文的 =", "write ="),
    ('"sms", address = "13800130001"', '"sms"， address = "13800130001"', "要写英文的 ,", "write ,"),
    ('name = "赵一"', 'name\u3000= "赵一"', "全角空格", "full-width space"),
    ("trial = false", "trial = False", "小写的 true 或 false", "lower case"),
    ('[[people]]\nid = "zhao"', '[people]\nid = "zhao"', "两层方括号 [[people]]", "[[people]]"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "zh", "en"), SYNTAX, ids=[one[3] for one in SYNTAX])
def test_what_a_chinese_keyboard_writes_is_named(folder: Folder, old: str, new: str, zh: str, en: str) -> None:
    folder.edit(old, new)
    problem = only(folder.load())
    assert problem.code == "syntax"
    assert zh in problem.text("zh")
    assert en in problem.text("en")


def test_what_is_too_long_or_too_deep_has_a_place(folder: Folder) -> None:
    folder.edit("port = 8080", "port = " + "9" * 5000)
    problem = only(folder.load())
    assert (problem.line, problem.column) == (folder.line_of("port = 9"), 8)
    assert "太长" in problem.message_zh
    folder.edit("9" * 5000, "[" * 900 + "]" * 900)
    problem = only(folder.load())
    assert (problem.line, problem.column) == (folder.line_of("port = "), 8)
    assert "嵌套太深" in problem.message_zh


SHAPES = [
    # old, new, weight, code, path, hint (in Chinese)
    ('"https://alarm.example.cn"', '"https://alarm .example.cn"', "error", "not_http", "hub.public_url", "例如"),
    ('"https://alarm.example.cn"', '"https://me:secret@alarm.example.cn"', "error", "not_http", "hub.public_url", ""),
    ('data = "var"', 'data = ""', "error", "data_here", "hub.data", 'data = "var"'),
    ('data = "var"', 'data = "config.toml"', "error", "not_folder", "hub.data", ""),
    ("sign = 5", 'sign = "5m"', "error", "wrong_type", "enterprises[0].points[0].limits.sign", "只写数字"),
    ('name = "赵一"', 'name = "赵\\n一"', "error", "control_sign", "people[0].name", ""),
    ('name = "赵一"', 'name = "赵\\u202e一"', "error", "control_sign", "people[0].name", ""),
    ('fallback_unit = "shili-county"\n', "", "error", "missing", "hub", "config.example.toml"),
    ('role = "main_person"\npeople = ["qian"]', 'role = "main_person"\npeople = []', "warning", "nobody_named",
     "posts[3]", "people"),
    ('role = "main_person"\npeople = ["qian"]', 'role = "main_person"', "warning", "nobody_named", "posts[3]", ""),
    ("13800130002", "13800130001", "warning", "phone_twice", "people[1].contacts[0].address", "各写各的"),
    ('# url = "redis://10.0.0.9:6379"', 'url = "10.0.0.9:6379"', "error", "not_store", "store.url", "redis://"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "weight", "code", "path", "hint"), SHAPES, ids=[f"{one[3]}:{one[1][-16:]}" for one in SHAPES]
)
def test_a_slip_is_told_with_what_would_be_right(
    folder: Folder, old: str, new: str, weight: str, code: str, path: str, hint: str
) -> None:
    folder.edit(old, new)
    problem = only(folder.load())
    assert (problem.severity, problem.code, problem.path) == (weight, code, path)
    assert hint in problem.hint_zh


RULES = [
    ('do = "remind"', 'do = "propose"', "no_measure", "rules[0].duties[0].clocks[0].ladder[0]", "site_check"),
    ('do = "remind"', 'do = "remind", measure = "circular"', "needless_measure",
     "rules[0].duties[0].clocks[0].ladder[0].measure", ""),
    ('limit = "30m"', 'limit = "30m"\nextend = "1h"', "said", "rules[0].duties[0].clocks[0].extend", ""),
    ('effective = "2026-01-01"', 'effective = "2026/01/01"', "not_date", "effective", "2026-10-01"),
    ('ladder = [{ after = "20m", do = "remind" }]',
     '[[profiles.rules.duties.clocks]]\nclock = "sign"\nlimit = "1h"', "clock_twice",
     "rules[0].duties[0].clocks[1].clock", "删去"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "path", "hint"), RULES, ids=[one[2] for one in RULES])
def test_a_slip_in_the_rules(folder: Folder, old: str, new: str, code: str, path: str, hint: str) -> None:
    assert old in PROFILE
    folder.append(PROFILE.replace(old, new))
    problem = only(folder.load())
    assert (problem.code, problem.path) == (code, f"profiles[0].{path}")
    assert hint in problem.hint_zh
    assert not re.search(r"[\u4e00-\u9fff]", problem.message_en)
    assert " / " not in problem.message_zh


def test_rules_that_are_used_before_their_day_are_told(folder: Folder) -> None:
    tomorrow = (local(WallClock().now()) + timedelta(days=1)).date().isoformat()
    folder.edit('profile = "示例规则"', 'profile = "某规则"')
    folder.append(PROFILE.replace("2026-01-01", tomorrow))
    early = [one for one in folder.load().problems if one.code == "not_yet"]
    assert [(one.path, one.severity) for one in early] == [("profiles[0].effective", Weight.WARNING)]
    assert tomorrow in early[0].message_zh


def test_a_letter_in_a_code_is_told_once_and_never_advised(folder: Folder) -> None:
    folder.edit('uscc = "91000000DEM0000019"', 'uscc = "91OOOOOODEM0000019"')
    assert codes(folder.load()) == ["uscc_mark"]
    folder.edit('[[points]]\nenterprise = "91000000DEM0000019"', '[[points]]\nenterprise = "91000000DEM0000027"')
    [_, stray] = folder.load().problems
    assert stray.code == "no_enterprise"
    assert "91OOOOOODEM" not in stray.text()


def test_a_wrong_template_is_one_fault_and_not_none_of_them_too(folder: Folder) -> None:
    folder.append(ALIYUN)
    problem = only(folder.load())
    assert problem.path == "channels.cloud.templates[0]"
    assert "nonsense" in problem.message_zh


def test_an_account_with_a_password_and_a_wrong_unit_is_told_both(folder: Folder) -> None:
    folder.append('\n[accounts.duty]\nunit = "shili-conty"\npost = "duty_room"\npassword_hash = "secret"\n')
    assert sorted(codes(folder.load())) == ["no_place", "not_hash"]


def test_the_systems_words_are_said_in_chinese(folder: Folder) -> None:
    folder.edit("secrets/sms-password", "secrets/none")
    problem = only(folder.load())
    assert "没有这个文件" in problem.message_zh
    assert "No such file" in problem.message_en
    folder.edit("secrets/none", "secrets")
    assert "是文件夹" in only(folder.load()).message_zh
    folder.edit('"file:secrets"', '"file:secrets/binary"')
    folder.put("secrets/binary", b"\xff\xfe\x00")
    assert _said(only(folder.load())) == ("不是 UTF-8 文本", "no text in UTF-8")


def _said(problem: Problem) -> tuple[str, str]:
    return problem.message_zh.rpartition("：")[2], problem.message_en.rpartition(": ")[2]


def test_a_mistyped_command_says_in_chinese_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["chekc"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "命令写法不对" in said
    assert "chekc" in said


def test_a_data_folder_that_cannot_be_made_is_told_by_its_setting(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.edit('data = "var"', 'data = "/proc/none"')
    assert main(["serve", "--config", str(folder.main)]) == 2
    said = capsys.readouterr().err
    assert "hub.data" in said
    assert "不能建立数据目录 /proc/none" in said
