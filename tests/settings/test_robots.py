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
DING = """
[channels.ding-app]
kind = "dingtalk_app"
client_id = "dingdemo00000001"
client_secret = "file:secrets/bot-secret"
inbound = "stream"

[channels.ding-group]
kind = "dingtalk_app_group"
client_id = "dingdemo00000001"
client_secret = "file:secrets/bot-secret"
conversation = "cidDEMODEMODEMODEMODEMO=="
app = "ding-app"
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


def test_a_group_of_an_app_says_that_it_listens_only_where_the_app_does(folder: Folder) -> None:
    folder.put("secrets/bot-secret", WHSEC)
    folder.append(DING)
    assert codes(folder.load()) == []
    for old, new, code in (
        ('app = "ding-app"', 'app = "ding-apq"', "no_channel"),
        ('app = "ding-apq"', 'app = "sms"', "not_its_app"),
        ('app = "sms"', 'app = "ding-group"', "not_its_app"),
    ):
        folder.edit(old, new)
        problem = only(folder.load())
        assert (problem.code, problem.path) == (code, "channels.ding-group.app")
    folder.edit('app = "ding-group"', 'app = "ding-app"')
    folder.edit('bot-secret"\ninbound = "stream"\n', 'bot-secret"\n')
    problem = only(folder.load())
    assert (problem.code, problem.path) == ("not_its_app", "channels.ding-group.app")
    assert "@机器人" in problem.message_zh


def test_an_address_that_is_no_members_is_told(folder: Folder) -> None:
    folder.put("secrets/bot-secret", WHSEC)
    folder.append(ROBOT)
    folder.edit('[{ channel = "sms", address = "13800130001" }]', '[{ channel = "bot", address = "张三" }]')
    assert codes(folder.load()) == ["bad_address"]
