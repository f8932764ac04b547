"""Two channels that want the long connection of one account are an error; one that only sends beside it is none."""

from __future__ import annotations

from tests.settings.conftest import Folder

TABLE = """
[channels.{name}]
kind = "dingtalk_app"
client_id = "{client}"
client_secret = "file:secrets/sms-password"
inbound = "{inbound}"
"""


def table(name: str, client: str = "dingdemo00000001", inbound: str = "stream") -> str:
    return TABLE.format(name=name, client=client, inbound=inbound)


def test_one_account_has_one_line(folder: Folder) -> None:
    folder.append(table("ding") + table("other", client="dingdemo00000002") + table("silent", inbound="none"))
    assert folder.load().problems == ()
    folder.append(table("second"))
    loaded = folder.load()
    assert loaded.settings is None
    (problem,) = loaded.problems
    assert "ding 用同一个账号建立长连接" in problem.text("zh")
    assert "config.toml:" in problem.text("zh")
    assert "same account as the channel ding" in problem.text("en")


def test_what_is_missing_for_cards_and_http_is_said_with_its_place(folder: Folder) -> None:
    folder.append(table("ding") + 'form = "card"\n')
    (problem,) = folder.load().problems
    assert "card_template" in problem.text("zh")
    assert "config.toml:" in problem.text("zh")
    folder.edit('form = "card"', 'form = "crad"')
    (problem,) = folder.load().problems
    assert "card" in problem.text("zh")


def test_a_members_address_is_a_userid(folder: Folder) -> None:
    folder.append(table("ding"))
    sms = 'contacts = [{ channel = "sms", address = "'
    folder.edit(sms, 'contacts = [{ channel = "ding", address = "a|b" }, { channel = "sms", address = "')
    assert any("userid" in problem.text("zh") for problem in folder.load().problems)
