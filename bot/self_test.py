"""The daily self-test: a marked message through every channel that people read, and a word about what did not arrive.

A channel that breaks between two alarms is noticed in the morning and not by the alarm. Nothing is kept in memory: the
day's test has an id of its own, so that it is sent once and judged once whichever hub leads, through every restart.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from bot.engine import Engine
from bot.settings.channel_facts import Need, need_of
from bot.settings.operation import SelfTest
from bot.trials import To, TrialDesk, TrialLine, WrongTrial
from bot.workers.broken import word_rows
from bot.workers.strays import RowNotTaken, as_item
from channels.channel import Form
from escalation.calendar import local, moment
from escalation.inputs import Entry
from escalation.ledger.change import Change, Failed, Taken
from escalation.ledger.keys import US
from escalation.ledger.trials import TRIAL
from escalation.notice import Contact
from escalation.reach import maintainers

log = logging.getLogger(__name__)

LATE = 3 * 3_600_000
"""How late a test may still be sent by a hub that was away at its time (ms)."""
SELF = "self_test"
"""Who asks for it, in the journal."""


class SelfTests:
    """The daily tests of one engine's rules."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._desk = TrialDesk(engine.ledger, engine.trials, lambda: engine.rules, engine.hand)

    async def step(self, now: int) -> None:
        """Send what is due, judge what has had its time. Raises the store's error; may be done again."""
        table = self._engine.rules.settings.self_test
        if table.at is None:
            return
        today = local(now).date()
        for day in (today - timedelta(days=1), today):
            await self._judge(day, table, now)
        due = moment(today, table.at)
        wanted = self._wanted(table, now) if due <= now < due + LATE else []
        if wanted:
            await self._desk.ask(wanted, by=SELF, now=now, identity=_identity(today))

    def _wanted(self, table: SelfTest, now: int) -> list[To]:
        """Each contact once. Systems are not tested: what reads them is no person."""
        rules, found = self._engine.rules, dict[Contact, str]()
        kinds = {name: channel.abilities for name, channel in rules.channels.items()}
        if table.groups:
            found |= {Contact(name): can.word for name, can in kinds.items() if need_of(can) is Need.NONE}
        if table.maintainers:
            left = {name for name, can in kinds.items() if can.form is not Form.JSON and Contact(name) not in found}
            for who in maintainers(rules.directory, rules.settings.hub.maintainers, now):
                for contact in who.contacts:
                    if contact.channel in left:
                        left.discard(contact.channel)
                        found[contact] = who.name
        for post in table.posts:
            try:
                to_post = self._desk.wanted(post, (), now)
            except WrongTrial as error:
                log.warning("the self-test leaves out a post: %s", error)
                continue
            for to in to_post:
                found.setdefault(to.contact, to.name)
        return [To(name, contact) for contact, name in found.items() if contact.channel in kinds]

    async def _judge(self, day: date, table: SelfTest, now: int) -> None:
        engine = self._engine
        story = await engine.trials.find(_identity(day))
        if story is None or story.trial.judged or now < story.trial.at + table.within_ms:
            return
        report = self._desk.report(story)
        bad = [line for line in report.messages if not line.well]
        if bad:
            await self._tell(day, bad, len(report.messages), now)
        await engine.trials.judge(story.trial, now)

    async def _tell(self, day: date, bad: list[TrialLine], many: int, now: int) -> None:
        """Into the journal and the maintainers' mailboxes, by channels that did arrive where there are any."""
        engine, rules = self._engine, self._engine.rules
        channels = list(dict.fromkeys(line.channel for line in bad))
        entry = Entry(at=now, reason="self_test_failed", actor=SELF, detail={"channels": "、".join(channels)})
        taken = Taken(f"c{US}{_identity(day)}", "", b"")
        for outcome in await engine.ledger.commit([Change(partition=0, now=now, takes=[taken], entries=[entry])]):
            if isinstance(outcome, Failed):
                raise outcome.error
        unit = rules.settings.hub.maintainers
        words, stem = _words(bad, many), f"selftest.{day:%Y%m%d}"
        rows = word_rows(stem, words, channels, rules.directory, unit, now)
        rows = rows or word_rows(stem, words, (), rules.directory, unit, now)
        if not all(await engine.mailboxes.put([as_item(row) for row in rows], now=now)):
            raise RowNotTaken("a mailbox did not take the word about the self-test")
        engine.stir()


def _identity(day: date) -> str:
    return f"{TRIAL}daily.{day:%Y%m%d}"


def _words(bad: list[TrialLine], many: int) -> tuple[str, str]:
    subject = f"每日自检：{len(bad)} 条测试消息没有成功"
    each = "；".join(
        f"{line.channel}（{line.name}）{line.word}{f'：{line.said[:60]}' if line.said else ''}" for line in bad
    )
    good = f"其余 {many - len(bad)} 条成功。" if many > len(bad) else ""
    return f"{subject}。{each}。{good}请检查渠道（fenghuo channels、fenghuo check --online）。", subject
