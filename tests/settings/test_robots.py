"""Long lines in the configuration: one robot is one channel, and a group's robot is one."""

from __future__ import annotations

from tests.settings.conftest import WHSEC, Folder, codes, only

ROBOT = """
[channels.bot]
kind = "wecom_aibot"
bot_id = "demo-bot-0001"
secret = "file:secrets/bot-secret"
"""
GROUP = """
[channels.bot-group]
kind = "wecom_aibot_group"
bot = "bot"
chatid = "wrDemoGroup0000001"
readers = ["shili-county"]
"""


def test_a_robot_and_its_group_are_fine(folder: Folder) -> None:
    folder.put("secrets/bot-secret", WHSEC)
    folder.append(ROBOT + GROUP)
    assert codes(folder.load()) == []


def test_two_channels_of_one_robot_would_displace_each_other(folder: Folder) -> None:
    folder.put("secrets/bot-secret", WHSEC)
    folder.append(ROBOT + ROBOT.replace("channels.bot", "channels.other"))
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("same_line", "channels.other")
    assert "bot" in problem.message_zh


def test_a_groups_robot_exists_and_is_one(folder: Folder) -> None:
    folder.put("secrets/bot-secret", WHSEC)
    folder.append(ROBOT + GROUP.replace('"bot"', '"bto"'))
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("no_channel", "channels.bot-group.bot")
    folder.edit('bot = "bto"', 'bot = "sms"')
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("not_a_bot", "channels.bot-group.bot")


def test_an_address_that_is_no_members_is_told(folder: Folder) -> None:
    folder.put("secrets/bot-secret", WHSEC)
    folder.append(ROBOT)
    folder.edit('[{ channel = "sms", address = "13800130001" }]', '[{ channel = "bot", address = "张三" }]')
    assert codes(folder.load()) == ["bad_address"]
