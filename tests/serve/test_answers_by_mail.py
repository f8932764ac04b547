"""The story by mail, through a real hub and a real mailbox: answered, forged, returned, killed in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.replies import reply
from bot.demo.simulators.imap import MailboxServer
from tests.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.mail_answers import bounce
from tests.serve.nursery import Constant
from tests.serve.town import WORKER, Town
from tests.serve.vendors import now

pytestmark = [pytest.mark.part("dovecot"), pytest.mark.timeout(120)]
BAI = "Bai@example.cn"
_TABLE = """
[channels.mail.imap]
host = "127.0.0.1"
port = {port}
security = "none"
username = "{user}"
password = "file:secrets/mail-password"
reply_secret = "file:secrets/mail-reply"
poll = 2.0
"""


SOON: dict[str, Constant] = {
    "bot.mailroom.reader.LEASE": 1500,
    "bot.mailroom.reader.RENEW": 0.5,
    "bot.mailroom.reader.LOOK": 0.1,
    "bot.engine.SWEEP": 0.5,
}
"""How soon another hub takes over the mailbox of one that is gone, and how soon words about the hub itself are found:
how soon is not what these tests are about."""


def with_mailbox(town: Town, port: int, user: str = USER, password: str = PASSWORD) -> None:
    """The county reads this mailbox, and the worker is told by mail first."""
    town.constants |= SOON
    secret(town, "mail-password", password)
    secret(town, "mail-reply", "a fake secret of more than 32 signs")
    sender = next(each for each in town.config.read_text("utf-8").splitlines() if each.startswith('sender = "青河区'))
    town.edit(sender, sender + "\n" + _TABLE.format(port=port, user=user))
    sms = f'{{ channel = "sms", address = "{WORKER}" }}'
    town.edit(f"[{sms}]", f'[{{ channel = "mail", address = "{BAI}" }}, {sms}]')


def secret(town: Town, name: str, content: str) -> None:
    path: Path = town.config.parent / "secrets" / name
    path.write_text(content, "utf-8")
    path.chmod(0o600)


@pytest.fixture
async def mailbox(town: Town) -> AsyncIterator[Dovecot]:
    async with dovecot() as server:
        with_mailbox(town, server.port)
        yield server


async def told_by_mail(town: Town, identity: str = "e1") -> tuple[str, bytes]:
    """An alarm is raised; its code and the mail the worker got."""
    code = await town.raised(identity)
    mail = await town.told(code, address=BAI)
    return code, mail["raw"].encode("latin-1")


async def reasons(town: Town, code: str) -> list[str]:
    story = await town.ask(f"/show/{code}")
    return [line["reason"] for line in story["lines"]]


async def until(town: Town, code: str, reason: str) -> None:
    async def written() -> bool:
        return reason in await reasons(town, code)

    await town.until(written, f"{reason} never stands in the story of {code}")


async def test_an_answer_by_mail_signs_and_is_answered(town: Town, mailbox: Dovecot) -> None:
    await town.start()
    code, mail = await told_by_mail(town)
    mailbox.deliver(reply(mail, "1", sender=BAI.lower()))
    await town.told("已记录签收", code, address=BAI)
    await mailbox.until_seen(1)
    assert (await reasons(town, code)).count("reply_sign") == 1
    # With another alarm open, a bare word still means the one that is answered.
    await town.raised("e2", point="DC01-P01")
    mailbox.deliver(reply(mail, "处置 已停机清灰"))
    await town.told("已记录处置", code, address=BAI)


async def test_machines_and_forged_names_sign_nothing_and_the_owner_is_told(town: Town, mailbox: Dovecot) -> None:
    # One person stands at the county's duty room at every hour of the real day.
    town.edit('["qinghe-duty-b"]', '["qinghe-duty-a"]')
    await town.start()
    code, mail = await told_by_mail(town)
    machine = reply(mail, "您好，我正在休假中，无法及时回复邮件。1")
    mailbox.deliver(machine)
    mailbox.deliver(reply(mail, "1", sender="he@example.cn"))
    mailbox.deliver(reply(mail, f"签收 {code}", proven=False))
    await town.told("没有本系统发给您的答复凭据", address=BAI)
    await town.told("没有本系统发给您的答复凭据", address="he@example.cn")
    await mailbox.until_seen(3)
    assert "reply_sign" not in await reasons(town, code)
    mailbox.deliver(reply(mail, "着火了，有人被困", proven=False, sender="nobody@example.org"))
    await town.told("事故报告", "发件人未核实", address="13800130031")
    await town.told("本回复不代替事故报告", address="nobody@example.org")


async def test_a_mail_that_comes_back_is_told_another_way(town: Town, mailbox: Dovecot) -> None:
    await town.start()
    code, mail = await told_by_mail(town)
    mailbox.deliver(bounce(mail, "delayed", "4.4.1"))
    await mailbox.until_seen(1)
    assert not [each for each in await town.received() if each["address"] == WORKER]
    mailbox.deliver(bounce(mail))
    await town.told(code, address=WORKER)
    await until(town, code, "receipt_undelivered")


async def test_answers_that_came_while_the_hub_was_away_count_once(town: Town, mailbox: Dovecot) -> None:
    await town.start()
    code, mail = await told_by_mail(town)
    await mailbox.stop()
    await town.kill()
    answer = reply(mail, "1", identity="twice")
    mailbox.deliver(answer)
    mailbox.deliver(answer)
    await mailbox.start()
    await town.start()
    await until(town, code, "reply_sign")
    await mailbox.until_seen(2)
    assert (await reasons(town, code)).count("reply_sign") == 1


async def test_a_hub_killed_between_taking_and_marking_takes_nothing_twice(town: Town) -> None:
    """The simulated mailbox answers no STORE: the answer is on disk, the mail still unread, when the hub is killed."""
    box = MailboxServer(now, ("fenghuo", "fake"))
    async with box.listening() as port:
        with_mailbox(town, port, "fenghuo", "fake")
        await town.start()
        code, mail = await told_by_mail(town)
        box.holding = True
        uid = await box.deliver(reply(mail, "1"))
        await box.held.wait()
        await until(town, code, "reply_sign")
        await town.kill()
        assert box.mails[0].flags == set()
        box.holding = False
        await town.start()
        await box.until(uid)
        # The mailbox is moved to another machine, and everything in it has another number.
        box.renumber(2)
        box.hang_up()
        await box.deliver(reply(mail, "处置 已停机"))
        await town.told("已记录处置", address=BAI)
        found = await reasons(town, code)
        assert (found.count("reply_sign"), found.count("reply_dispose")) == (1, 1)
        answers = [each for each in await town.received() if each["address"] == BAI and "已记录" in each["text"]]
        assert len({each["subject"] for each in answers}) == 2
        assert len(answers) <= 3, "the answer that was in flight when the hub was killed may come once more"


async def test_a_mailbox_that_refuses_the_hub_is_told_and_told_again_when_it_is_read(
    town: Town, mailbox: Dovecot
) -> None:
    secret(town, "mail-password", "wrong")
    await town.start()
    told = await town.told("收信邮箱无法读取", "登录被拒")
    assert told["channel"] != "smtp_mail"
    assert "wrong" not in told["text"]
    secret(town, "mail-password", PASSWORD)
    await town.reload()
    await town.told("收信邮箱已恢复")
    code, mail = await told_by_mail(town)
    mailbox.deliver(reply(mail, "1"))
    await until(town, code, "reply_sign")
