"""A channel that is broken is told to the maintainers once, another way, and once more when it works again.

Broken is one that refuses the hub itself (a key, a signature, a setting), and one by which nothing got through to
anybody for some time. The store knows what was told, so that neither a restart nor a second hub tells it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2s

from redis.exceptions import RedisError

from bot.store.errors import StoreError
from bot.workers.sent import Sent
from bot.workers.strays import BROKEN, RowNotTaken, as_item, contact_id, fallback_room
from escalation.calendar import local
from escalation.directory import Directory
from escalation.inputs import Entry, SendResult
from escalation.ledger.change import Change, Failed, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.health import Fare, Health, Sends
from escalation.ledger.keys import US
from escalation.ledger.mailbox import Mailboxes
from escalation.notice import NoticeKind, OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import Urgency

log = logging.getLogger(__name__)

_FAILURES = (SendResult.TRANSIENT, SendResult.UNCERTAIN, SendResult.UNDELIVERED, SendResult.MISCONFIGURED)
_ANSWERS = (SendResult.SUBMITTED, SendResult.REFUSED_RECIPIENT, SendResult.REFUSED_CONTENT)


class Broken:
    """Watches what sends come to. ``unit`` is the unit that maintains the hub."""

    def __init__(
        self,
        ledger: Ledger,
        mailboxes: Mailboxes,
        health: Health,
        directory: Callable[[], Directory],
        unit: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._mailboxes = mailboxes
        self._health = health
        self._directory = directory
        self._unit = unit
        self._watched: dict[str, Fare] = {}

    @property
    def fares(self) -> Mapping[str, Fare]:
        """How the channels that fail, or failed of late, were found to fare."""
        return self._watched

    async def look(self) -> None:
        """Hear which channels other hubs, or this one before, found failing. Where the store does not say, what was
        heard before holds: nobody's mail waits for this."""
        try:
            self._watched = await self._health.watched()
        except (StoreError, RedisError, OSError) as error:
            log.warning("the store does not say which channels fail: %s", error)

    async def record(self, ended: Iterable[Sent], now: int) -> None:
        """Take ended sends into account and tell what is news, before what failed is let go. Costs the store nothing
        while all is well."""
        for channel, sends in tally(ended).items():
            if not sends.failures and channel not in self._watched:
                continue
            news = await self._health.note(channel, sends, now=now)
            before = self._watched.get(channel, Fare())
            broken = 0 if sends.taken else news.broke or before.broken
            self._watched[channel] = Fare(sends.failures, news.since, broken, sends.said or before.said, sends.certain)
            if news.healed:
                await self._tell(channel, news.healed, _healed_words(channel, news.healed, now), "channel_healed", now)
                await self._health.told(channel, news.healed, healed=True, now=now)
            if news.broke:
                words = _broken_words(channel, sends, news.since)
                await self._tell(channel, news.broke, words, "channel_broken", now, why=sends.said)
                await self._health.told(channel, news.broke, healed=False, now=now)

    async def _tell(
        self, channel: str, broke: int, words: tuple[str, str], reason: str, now: int, *, why: str = ""
    ) -> None:
        """Into the journal and the maintainers' mailboxes, under ids made of the channel and when it broke: told twice
        by a crash in between, it is there once."""
        log.log(logging.INFO if reason == "channel_healed" else logging.ERROR, "%s", words[0])
        stem = f"{BROKEN}{channel}.{broke}" + (".healed" if reason == "channel_healed" else "")
        entry = Entry(at=now, reason=reason, detail={"channel": channel, "since": broke, "why": why[:200]})
        change = Change(partition=0, now=now, takes=[Taken(f"c{US}{stem}", "", b"")], entries=[entry])
        for outcome in await self._ledger.commit([change]):
            if isinstance(outcome, Failed):
                raise RowNotTaken(str(outcome.error)) from outcome.error
        avoid = (channel,) if reason == "channel_broken" else ()
        rows = word_rows(stem, words, avoid, self._directory(), self._unit(), now)
        if not rows:
            log.critical("nobody can be told: %s", words[1])
        elif not all(await self._mailboxes.put([as_item(row) for row in rows], now=now)):
            raise RowNotTaken(f"a mailbox did not take the word about the channel {channel}")


def tally(ended: Iterable[Sent]) -> dict[str, Sends]:
    """What the sends of each channel came to; nothing of those whose every outcome says nothing about it."""
    found: dict[str, Sends] = {}
    for sent in ended:
        box = sent.claim.mailbox
        for _, receipt in sent.receipts:
            if not sent.tried and receipt.result in _ANSWERS:
                continue  # Nobody was asked.
            before = found.get(box.channel, Sends(False, False, 0, False, "", False, ""))
            if receipt.result in _FAILURES:
                whose = blake2s(box.address.encode(), digest_size=6).hexdigest()
                others = before.failures > 0 and before.whose != whose
                found[box.channel] = Sends(
                    before.answered,
                    before.taken,
                    before.failures + 1,
                    before.certain or receipt.result is SendResult.MISCONFIGURED,
                    whose,
                    before.several or others or not box.address,
                    receipt.detail,
                )
            elif receipt.result in _ANSWERS:
                taken = before.taken or receipt.result is SendResult.SUBMITTED
                found[box.channel] = Sends(True, taken, 0, False, "", False, "")
    return found


def word_rows(
    stem: str, words: tuple[str, str], avoid: Collection[str], directory: Directory, unit: str, now: int
) -> Sequence[OutboxRow]:
    """The rows that tell a text and its subject to every maintainer by their first contact on none of the channels in
    ``avoid``; where there is no such way to any of them, to the fallback duty room."""
    text, subject = words
    for people in (maintainers(directory, unit, now), fallback_room(directory, now)):
        rows: dict[str, OutboxRow] = {}
        for who in people:
            ways = ((place, contact) for place, contact in enumerate(who.contacts) if contact.channel not in avoid)
            attempt, contact = next(ways, (0, None))
            if contact is None:
                continue
            row = OutboxRow(
                notice=contact_id(stem, contact, attempt),
                partition=0,
                incident="",
                channel=contact.channel,
                address=contact.address,
                urgency=Urgency.NORMAL,
                kind=NoticeKind.QUARANTINE,
                created_at=now,
                text=text,
                subject=subject,
                attempt=attempt,
            )
            rows[row.notice] = row
        if rows:
            return list(rows.values())
    return []


def _broken_words(channel: str, sends: Sends, since: int) -> tuple[str, str]:
    subject = f"渠道 {channel} 无法使用"
    if sends.certain:
        return f"{subject}，消息已改走其他渠道，请检查配置：{sends.said}", subject
    return (
        f"{subject}：{local(since):%m-%d %H:%M} 起连续发送失败，消息已改走其他渠道，请检查网络和对方服务：{sends.said}",
        subject,
    )


def _healed_words(channel: str, broke: int, now: int) -> tuple[str, str]:
    subject = f"渠道 {channel} 已恢复"
    return f"{subject}：{local(now):%m-%d %H:%M} 发送成功（{local(broke):%m-%d %H:%M} 曾提示无法使用）。", subject
