"""Test messages: made, committed and sent like every other one, and what came of each in plain words.

Nothing is bypassed: a test leaves by outbox, mailbox and courier, takes its token, and counts for its channel's health.
Only its end is written to the trials instead of an incident, and it is not sent any more when it is old.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence

import msgspec

from bot.addresses import shown_address
from bot.rules import Rules
from bot.settings.channel_facts import Need, may_lack_address, need_of
from bot.workers.strays import contact_id
from channels.channel import Abilities, ReceiptKind
from escalation.calendar import local
from escalation.inputs import Entry, SendResult
from escalation.ledger.change import Change, Committed, Failed, OutboxItem, Taken
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import US
from escalation.ledger.trials import TRIAL, Story, Trial, TrialEnd, TrialNotice, Trials
from escalation.notice import Contact, NoticeKind, OutboxRow
from escalation.roster import standing
from escalation.vocabulary import Mode, Role, Urgency

LEASE = 30_000
"""How long this hub holds the rows it has just committed (ms)."""
SUBJECT = f"{Mode.TEST.mark}渠道测试，无需处置"

_VERDICTS = {
    SendResult.SUBMITTED: "accepted",
    SendResult.DELIVERED: "delivered",
    SendResult.READ: "read",
    SendResult.ANSWERED: "delivered",
    SendResult.UNDELIVERED: "undelivered",
    SendResult.REFUSED_RECIPIENT: "refused",
    SendResult.REFUSED_CONTENT: "refused",
    SendResult.MISCONFIGURED: "misconfigured",
    SendResult.DROPPED: "too_late",
    SendResult.UNCERTAIN: "unclear",
}
"""What the last word on a message is called; what is not here is no last word."""
WORDS = {
    "waiting": "还在等待",
    "accepted": "对方已受理",
    "delivered": "已送达",
    "read": "已读",
    "undelivered": "未送达",
    "refused": "被拒",
    "misconfigured": "渠道配置有误",
    "too_late": "一直未能发出，已放弃",
    "unclear": "已发出，没有收到应答，不知是否送到",
}
_RANK = ("waiting", "unclear", "accepted", "delivered", "read")


class TrialLine(msgspec.Struct, kw_only=True):
    """What came of one test message. ``verdict`` is a key of :data:`WORDS`; ``well``: as far as its channel can tell,
    it arrived; ``over``: nothing more is to be expected. ``said`` is the vendor's, ``sent_at`` when it answered, in RFC
    3339 ('' while it has not); ``receipt`` whether the channel tells of deliveries."""

    notice: str
    channel: str
    kind: str
    name: str
    address: str
    verdict: str
    word: str
    well: bool
    over: bool
    receipt: bool
    said: str
    tries: int
    sent_at: str


class TrialReport(msgspec.Struct, kw_only=True):
    """A test and what came of it so far. ``well``: of every message; ``over``: nothing more is to be expected."""

    id: str
    at: str
    by: str
    well: bool
    over: bool
    messages: list[TrialLine]


class WrongTrial(ValueError):
    """Nobody, or nothing, could be tested so; says why in Chinese and English."""


class To(msgspec.Struct, frozen=True):
    """To whom a test message goes."""

    name: str
    contact: Contact


class TrialDesk:
    """Asks for tests and reads what came of them. ``hand`` gets the committed rows, as the workers' commits do."""

    def __init__(
        self,
        ledger: Ledger,
        trials: Trials,
        rules: Callable[[], Rules],
        hand: Callable[[list[OutboxItem]], None],
    ) -> None:
        self._ledger = ledger
        self._trials = trials
        self._rules = rules
        self._hand = hand

    def wanted(self, to: str, channels: Sequence[str], now: int) -> list[To]:
        """Whom a test is for: a person by id, a post by ``UNIT/ROLE``, or the group that a channel itself is.

        Raises :class:`WrongTrial`.
        """
        rules = self._rules()
        for name in channels:
            if name not in rules.channels:
                known = "、".join(rules.channels)
                raise WrongTrial(f"没有渠道 {name}；配置中有：{known} / there is no channel {name}")
        if not to:
            return groups(rules, channels)
        name, contacts = self._contacts(to, now)
        found = [To(name, each) for each in contacts if not channels or each.channel in channels]
        if not found:
            ways = "、".join(dict.fromkeys(each.channel for each in contacts)) or "没有"
            raise WrongTrial(
                f"{name} 没有这样的联系方式；登记的渠道：{ways} / {name} has no such contact; there are: {ways}"
            )
        return found

    def _contacts(self, to: str, now: int) -> tuple[str, tuple[Contact, ...]]:
        directory = self._rules().directory
        person = directory.people.get(to)
        if person is not None:
            return person.name, tuple(Contact(each.channel, each.address) for each in person.contacts)
        unit, slash, role = to.rpartition("/")
        if slash and role in {each.value for each in Role} and directory.posts_at(unit, Role(role)):
            there = standing(directory, unit, Role(role), now)
            contacts = tuple(dict.fromkeys(contact for who in there for contact in (*who.contacts, *who.calls)))
            return f"{directory.unit_name(unit)}{Role(role).word}", contacts
        raise WrongTrial(
            f"没有人员或岗位 {to}：写人员的 id，或 单位/岗位（例如 shili-county/duty_room） / "
            f"there is no person or post {to}: give a person's id, or UNIT/ROLE"
        )

    async def ask(self, wanted: Sequence[To], *, by: str, now: int, identity: str = "") -> str:
        """Send a test message to each; the test's id. One with an ``identity`` that was asked for before is not sent
        again. On disk when this returns. Raises the store's error."""
        trial = identity or f"{TRIAL}{secrets.token_hex(6)}"
        if identity and await self._trials.find(trial) is not None:
            return trial
        hub = self._rules().settings.hub.name
        rows = [_row(trial, each, hub, now) for each in wanted]
        notices = [
            TrialNotice(
                notice=row.notice,
                channel=row.channel,
                name=each.name,
                address=shown_address(row.address),
            )
            for row, each in zip(rows, wanted, strict=True)
        ]
        await self._trials.begin(Trial(id=trial, at=now, by=by, notices=notices), now=now)
        channels = "、".join(dict.fromkeys(row.channel for row in rows))
        change = Change(
            partition=0,
            now=now,
            takes=[Taken(f"t{US}{trial}", "", b"")],
            entries=[Entry(at=now, reason="test_sent", actor=by, detail={"test": trial, "channels": channels})],
            outbox=rows,
            claimed_until=now + LEASE,
        )
        (outcome,) = await self._ledger.commit([change])
        if isinstance(outcome, Failed):
            raise outcome.error
        if isinstance(outcome, Committed):
            self._hand(outcome.claimed)
        return trial

    async def look(self, identity: str) -> TrialReport | None:
        """What came of a test so far; None where there is none of this id. Raises the store's error."""
        story = await self._trials.find(identity)
        return None if story is None else self.report(story)

    def report(self, story: Story) -> TrialReport:
        """A test's story as it is shown."""
        channels = self._rules().channels
        lines: list[TrialLine] = []
        for notice in story.trial.notices:
            channel = channels.get(notice.channel)
            ends = [end for end in story.ends if end.notice == notice.notice]
            lines.append(_line(notice, ends, channel.abilities if channel is not None else None))
        return TrialReport(
            id=story.trial.id,
            at=_shown(story.trial.at),
            by=story.trial.by,
            well=all(line.well for line in lines),
            over=all(line.over for line in lines),
            messages=lines,
        )


def groups(rules: Rules, channels: Iterable[str]) -> list[To]:
    """The channels that are an address themselves: a robot's group, a system's own door. Raises :class:`WrongTrial` for
    none, and for one that has addresses."""
    found: list[To] = []
    for name in channels:
        table = rules.settings.channels[name]
        need = need_of(rules.channels[name].abilities)
        if need is not Need.NONE and not may_lack_address(table, need):
            raise WrongTrial(
                f"渠道 {name} 要写给谁：--to 人员 id / the channel {name} has addresses: say whom with --to"
            )
        found.append(To(rules.channels[name].abilities.word, Contact(name)))
    if not found:
        raise WrongTrial("要写 --to 人员 id，或 --channel 群机器人 / say --to PERSON, or --channel of a group")
    return found


def _row(trial: str, to: To, hub: str, now: int) -> OutboxRow:
    when = f"{local(now):%m-%d %H:%M}"
    return OutboxRow(
        notice=contact_id(trial, to.contact, 0),
        partition=0,
        incident="",
        channel=to.contact.channel,
        address=to.contact.address,
        urgency=Urgency.NORMAL,
        kind=NoticeKind.ANSWER,
        created_at=now,
        text=f"{SUBJECT}。{hub} {when} 发出，收到即说明这个渠道能用，不必回复。",
        subject=SUBJECT,
    )


def _line(notice: TrialNotice, ends: Sequence[TrialEnd], abilities: Abilities | None) -> TrialLine:
    tells = abilities is not None and ReceiptKind.DELIVERED in abilities.receipts
    verdict, said, sent_at, tries = "waiting", "", "", 0
    for end in ends:
        result = SendResult(end.result)
        tries = max(tries, end.tries)
        said = end.detail or said
        # A lost answer is sent for once more.
        new = "waiting" if result is SendResult.UNCERTAIN and end.tries < 2 else _VERDICTS.get(result, "waiting")
        if new not in _RANK or verdict not in _RANK or _RANK.index(new) >= _RANK.index(verdict):
            verdict = new
        if result is SendResult.SUBMITTED and not sent_at:
            sent_at = _shown(end.at)
    well = verdict in ("delivered", "read") or (verdict == "accepted" and not tells)
    return TrialLine(
        notice=notice.notice,
        channel=notice.channel,
        kind=abilities.kind if abilities is not None else "",
        name=notice.name,
        address=notice.address,
        verdict=verdict,
        word=WORDS[verdict] + ("，送达回执未到" if verdict == "accepted" and tells else ""),
        well=well,
        over=well or verdict not in ("waiting", "accepted"),
        receipt=tells,
        said=said,
        tries=tries,
        sent_at=sent_at,
    )


def _shown(at: int) -> str:
    return local(at).isoformat(timespec="seconds")
