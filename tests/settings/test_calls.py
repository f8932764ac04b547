"""What ``check`` says of channels that telephone, before the first alarm does."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.commands.common import further_findings
from bot.settings import Weight
from bot.settings.channel_facts import Need, abilities_of, need_of
from channels.voice import aliyun_settings, tencent_settings
from tests.channels.voice_accounts import CAPS, aliyun_table, spoken_table, tencent_table
from tests.settings.conftest import Folder

PHONE = """
[channels.phone]
kind = "voice_aliyun"
access_key_id = "LTAI-EXAMPLE"
access_key_secret = "file:secrets/phone-key"
show_number = "057100000000"
signed_code = "TTS_3"

[[channels.phone.templates]]
code = "TTS_1"
text = "值班电话：${level}，${place}，编号${code}。签收请按1。"
variables = [{ name = "level" }, { name = "place", cap = 60 }, { name = "code", cap = 18 }]
"""


def with_phone(folder: Folder, *, contacts: str = "", templates: str = PHONE) -> None:
    folder.put("secrets/phone-key", "fake-phone-key")
    if contacts:
        folder.edit('contacts = [{ channel = "sms", address = "13800130001" }]', f"contacts = [{contacts}]")
    folder.append(templates)


def variable(name: str, part: str, cap: int = 0) -> dict[str, Any]:
    return {"name": name, "part": part, "cap": cap or CAPS[part]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signed_code": "TTS_3", "show_number": ""}, "show_number"),
        ({"bye_code": "TTS_4", "signed_code": ""}, "让人按 1"),
        ({"key": "2"}, "签收请按2"),
        ({"signed_code": ""}, "让人按 1"),
        ({"callback_token": "short"}, "16"),
        ({"callback_addresses": []}, "callback_addresses"),
        ({"play_times": 4}, "3"),
        ({"show_number": "0571-00000000"}, "pattern"),
    ],
)
def test_an_account_that_cannot_work_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        aliyun_settings.Settings.model_validate(aliyun_table(**change))


@pytest.mark.parametrize(
    ("code", "text", "variables", "words"),
    [
        ("SMS_1", "${level}，${code}。签收请按1。", ["level", "code"], "pattern"),
        ("TTS_1", "值班：${level}，${code}。签收请按1。", ["code", "level"], "正文依次是"),
        ("TTS_1", "值班：${level}${code}。签收请按1。", ["level", "code"], "相邻"),
        ("TTS_1", "值班：${level}。签收请按1。", ["level"], "code"),
        ("TTS_1", "值班：${level}，${code}，见 www.example.com。签收请按1。", ["level", "code"], "网址"),
    ],
)
def test_a_template_is_checked_as_the_vendor_would(code: str, text: str, variables: list[str], words: str) -> None:
    made = {"code": code, "text": text, "variables": [variable(each, each) for each in variables]}
    with pytest.raises(ValidationError, match=words):
        aliyun_settings.Settings.model_validate(aliyun_table(templates=[made]))


def test_all_variables_together_have_a_limit_and_the_code_needs_room_to_be_read() -> None:
    text = "值班：${level}，${place}，${note}，${code}。签收请按1。"

    def table(place: int, code: int) -> dict[str, Any]:
        names = [("level", 12), ("place", place), ("note", 80), ("code", code)]
        made = {"code": "TTS_1", "text": text, "variables": [variable(name, name, cap) for name, cap in names]}
        return aliyun_table(templates=[made])

    aliyun_settings.Settings.model_validate(table(80, 16))
    with pytest.raises(ValidationError, match="少于 250 字"):
        aliyun_settings.Settings.model_validate(table(120, 16))
    with pytest.raises(ValidationError, match="code 至少要 16 字"):
        aliyun_settings.Settings.model_validate(table(40, 8))


def test_tencents_text_has_a_limit_and_keys_need_the_call_back() -> None:
    names = [("1", "level", 12), ("2", "code", 18), ("3", "place", 200), ("4", "note", 200)]
    made = {
        "code": "1",
        "text": "值班：{1}，{2}，{3}，{4}。签收请按1。",
        "variables": [variable(*each) for each in names],
    }
    with pytest.raises(ValidationError, match="上限 350 字"):
        tencent_settings.Settings.model_validate(tencent_table(templates=[made]))
    with pytest.raises(ValidationError, match="callback_token"):
        tencent_settings.Settings.model_validate(tencent_table(callback_token=""))


def test_a_second_template_for_incidents_is_one_too_many() -> None:
    table = aliyun_table()
    table["templates"] = [table["templates"][0]] * 2
    with pytest.raises(ValidationError, match="只有一个用于警情"):
        aliyun_settings.Settings.model_validate(table)


def test_a_landline_is_for_who_calls_landlines() -> None:
    aliyun = aliyun_settings.Settings.model_validate(spoken_table())
    tencent = tencent_settings.Settings.model_validate(tencent_table())
    assert need_of(abilities_of("phone", aliyun)) is Need.PHONE
    assert need_of(abilities_of("phone", tencent)) is Need.MOBILE


def test_a_phone_beside_a_channel_that_is_read_is_well(folder: Folder) -> None:
    both = '{ channel = "sms", address = "13800130001" }, { channel = "phone", address = "13800130001" }'
    with_phone(folder, contacts=both)
    loaded = folder.load()
    assert [problem for problem in loaded.problems if problem.severity is Weight.ERROR] == []
    assert loaded.settings is not None
    assert loaded.settings.directory().spoken == {"phone"}


def test_nothing_but_a_phone_is_an_error_that_says_why(folder: Folder) -> None:
    with_phone(folder, contacts='{ channel = "phone", address = "13800130001" }')
    (found,) = [problem for problem in folder.load().problems if problem.code == "only_called"]
    assert found.severity is Weight.ERROR
    assert found.path == "people[0].contacts"
    assert found.line > 0
    assert "无人签收时才打" in found.text("zh")


def test_a_number_with_letters_is_told_at_its_place(folder: Folder) -> None:
    both = '{ channel = "sms", address = "13800130001" }, { channel = "phone", address = "1380013000l" }'
    with_phone(folder, contacts=both)
    (found,) = [problem for problem in folder.load().problems if problem.code == "bad_address"]
    assert found.path == "people[0].contacts[1].address"
    assert "13800130001" in found.hint_zh


def test_what_takes_long_to_say_is_counted(folder: Folder) -> None:
    with_phone(folder, templates=PHONE.replace('signed_code = "TTS_3"', 'signed_code = "TTS_3"\nmax_seconds = 20'))
    loaded = folder.load()
    assert loaded.settings is not None
    (found,) = [each for each in further_findings(loaded.settings) if "max_seconds" in str(each.args)]
    assert "填满时 129 字，念一遍约 33 秒" in str(found.args["zh"])
    assert found.weight is Weight.WARNING


@pytest.mark.parametrize(
    ("row", "wrong"), [('phone = ["line"]', False), ('sms = ["phone"]', True), ('phone = ["sms"]', True)]
)
def test_a_call_stands_in_for_a_call_alone(folder: Folder, row: str, wrong: bool) -> None:
    second = """
[channels.line]
kind = "voice_tencent"
secret_id = "AKID-EXAMPLE"
secret_key = "file:secrets/phone-key"
app_id = "1400000000"

[[channels.line.templates]]
code = "1"
text = "值班电话：{1}，编号{2}。请查看短信。"
variables = [{ name = "1", part = "level" }, { name = "2", part = "code", cap = 18 }]
"""
    with_phone(folder, templates=f"{PHONE}{second}\n[backup]\n{row}\n")
    loaded = folder.load()
    assert ["backup_address" in problem.code for problem in loaded.problems if problem.severity is Weight.ERROR] == (
        [True] if wrong else []
    )
