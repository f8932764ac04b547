"""``fenghuo channels`` and ``fenghuo send-test`` beside a running hub: read before it matters."""

from __future__ import annotations

import pytest

from tests.serve.town import WORKER, Town

pytestmark = pytest.mark.timeout(120)
OPERATOR, OFFICER = "bai", "lin"


def by_name(printed: dict[str, object], name: str) -> dict[str, object]:
    channels = printed["channels"]
    assert isinstance(channels, list)
    (found,) = [each for each in channels if each["name"] == name]
    return dict(found)


def good(channel: dict[str, object]) -> object:
    state = channel["state"]
    assert isinstance(state, dict)
    return state["last_good"]


async def test_a_test_goes_the_real_way_and_its_end_is_told(town: Town) -> None:
    alone = await town.run("channels", "--json")
    assert (alone.code, alone.json["running"], by_name(alone.json, "sms")["state"]) == (0, False, None)
    refused = await town.run("send-test", "--to", OPERATOR)
    assert refused.code == 2
    assert "fenghuo serve" in refused.err

    await town.start()
    await town.report_deliveries()
    ran = await town.run("send-test", "--to", OPERATOR, "--json")
    assert ran.code == 0, ran.out + ran.err
    (line,) = ran.json["messages"]
    assert (line["verdict"], line["channel"], line["address"]) == ("delivered", "sms", "138****0001")
    (message,) = [each for each in await town.received() if each["address"] == WORKER]
    assert message["text"].startswith("【青河应急】【测试】渠道测试，无需处置。")

    ran = await town.run("send-test", "--to", OFFICER)
    assert ran.code == 0
    assert "✓ sms  林安全 138****0003  已送达" in ran.out
    assert "✓ mail  林安全 l***@example.cn  对方已受理" in ran.out
    assert "请本人确认收到" in ran.out
    assert "13800130003" not in ran.out
    assert "全部成功" in ran.out

    ran = await town.run("send-test", "--channel", "county-group")
    assert ran.code == 0
    assert "企业微信群机器人" in ran.out
    ran = await town.run("send-test", "--to", "qinghe/duty_room", "--channel", "county-group")
    assert ran.code == 0

    shown = await town.run("channels", "--json")
    assert shown.code == 0
    group, sms = by_name(shown.json, "county-group"), by_name(shown.json, "sms")
    assert group["windows"] == [{"count": 18, "seconds": 60, "left": 16}]
    assert "" not in (good(group), good(sms))
    assert "最近一次成功" in (await town.run("channels")).out


async def test_whom_nobody_can_test(town: Town) -> None:
    await town.start()
    for asked, words in (
        (("--to", "nobody"), "没有人员或岗位 nobody"),
        (("--to", OPERATOR, "--channel", "pigeon"), "没有渠道 pigeon"),
        (("--to", OPERATOR, "--channel", "mail"), "登记的渠道：sms"),
        (("--channel", "sms"), "要写给谁"),
        ((), "--to"),
    ):
        ran = await town.run("send-test", *asked)
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


async def test_a_channel_that_does_not_work_is_said_plainly(town: Town) -> None:
    town.edit('username = "fenghuo"', 'username = "stranger"')
    await town.start()
    ran = await town.run("send-test", "--to", OPERATOR)
    assert ran.code == 1
    assert "✗ sms  白木匠 138****0001  渠道配置有误：HTTP 403 Authorization failed for sendsms" in ran.out
    shown = await town.run("channels")
    assert shown.code == 1
    assert "无法使用" in shown.out
    dead = await town.run("dead", "list")
    assert dead.out.startswith("没有死信"), "a test that failed is nobody's dead letter"
