"""What a vendor refuses for a reason that somebody must mend: nobody's message is lost, the maintainers hear what is
wrong in plain words, and hear it again when it is mended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.demo.county import TEMPLATES
from bot.store.client import Store
from escalation.vocabulary import Level
from tests.channels.tls_server import YEAR, before, made
from tests.workers.house import KEEPER_MAIL, MINUTE, OFFICER, OFFICER_MAIL, STEEL, House, house_on

SAFETY_MAIL = "kong@example.cn"


def told(house: House, what: str) -> list[str]:
    return [text for text in house.texts(KEEPER_MAIL) if what in text]


async def test_an_expired_certificate_of_the_gateway(store: Store, tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    expired = made(tmp_path / "old", ended=timedelta(days=1))
    renewed = made(tmp_path / "new", ended=-YEAR)
    trust = expired.trusting()
    trust.load_verify_locations(cafile=str(renewed.authority))
    async with house_on(store, tmp_path, trust=trust) as house:
        (url,) = (part for part in house.settings.channels["sms"].model_dump().values() if "/cgi-bin/" in str(part))
        port = int(str(url).split(":")[2].split("/")[0])
        async with before(port, expired) as server, before(port, renewed) as mended:
            house.reload(lambda text: text.replace(str(url), f"https://127.0.0.1:{server.port}/cgi-bin/sendsms"))
            code = await house.warning(Level.BLUE)
            assert (server.hellos > 0, server.let_in) == (True, 0), "the certificate was shown, and nothing left"
            assert house.at(OFFICER) == []
            assert [code in text for text in house.texts(OFFICER_MAIL)] == [True], "the officer heard by mail"
            (word,) = told(house, "渠道 sms 无法使用")
            assert "对方的 TLS 证书已过期，请对方更换证书" in word

            house.reload(lambda text: text.replace(f":{server.port}/", f":{mended.port}/"))
            second = await house.warning(Level.BLUE, enterprise=STEEL)
            await house.wait(MINUTE)
            assert mended.let_in > 0
            assert any(second in each.text for each in house.vendors.sms.received)
            assert len(told(house, "渠道 sms 已恢复")) == 1


async def test_a_template_that_the_vendor_refuses(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, every_vendor=True) as house:
        cloud = house.vendors.cloud
        cloud.templates = {}
        code = await house.warning(Level.BLUE, enterprise=STEEL)
        assert cloud.received == []
        assert [code in text for text in house.texts(SAFETY_MAIL)] == [True], "heard by mail"
        (word,) = told(house, "渠道 cloud 无法使用")
        assert "SMS_TEMPLATE_ILLEGAL 该账号下找不到对应模板" in word
        cloud.templates = TEMPLATES
        again = await house.alarm(enterprise=STEEL, point="T9")
        await house.wait(MINUTE)
        assert any(again in each.text for each in cloud.received)
        assert len(told(house, "渠道 cloud 已恢复")) == 1


async def test_a_template_for_notices_that_the_vendor_refuses_is_said_in_a_sentence(
    store: Store, tmp_path: Path
) -> None:
    """Somebody may have no other way than this one."""
    async with house_on(store, tmp_path, every_vendor=True) as house:
        cloud = house.vendors.cloud
        notice, _ = TEMPLATES
        cloud.reviews[notice] = (2, "变量过多")
        code = await house.warning(Level.BLUE, enterprise=STEEL)
        (message,) = cloud.received
        assert code in message.text
        assert message.text.startswith("【青河预警】预警系统消息：")
        assert told(house, "渠道 cloud 无法使用") == []
        assert not await house.journal(code, "dead_letter")
