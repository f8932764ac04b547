"""The configured channels: what each can do, and how each fares now."""

from __future__ import annotations

import msgspec
from pydantic import BaseModel

from bot.addresses import shown_address
from bot.engine import Engine
from bot.settings.models import Settings
from bot.tally import Tally
from channels.channel import Abilities, Channel
from channels.registry import abilities_of
from channels.sms.account import Account, preview
from channels.sms.text import segments
from channels.voice.account import Account as CallAccount
from channels.voice.account import lengths
from escalation.calendar import local
from escalation.ledger.breakers import Breakers
from escalation.ledger.health import Health
from escalation.ledger.keys import Mailbox
from escalation.ledger.marks import Marks, line_mark
from escalation.ledger.rests import Rests
from escalation.ledger.windows import Window

MOST_RESTING = 100
"""How many resting addresses are shown of a channel."""


class WindowShown(msgspec.Struct, kw_only=True):
    """A vendor's limit for one address: so many messages in any so many seconds. ``left`` is what is left of it now,
    for a channel that is an address itself (null for others, and where no hub runs)."""

    count: int
    seconds: int
    left: int | None


class AddressShown(msgspec.Struct, kw_only=True):
    """An address that rests, shortened: how often it was refused in a row, until when, and what was said."""

    address: str
    refusals: int
    until: str
    said: str


class StateShown(msgspec.Struct, kw_only=True):
    """How a channel fares. Times in RFC 3339, '' where there is none. ``works``: it is not broken; ``failures`` in a
    row ``failing_since``; ``rests_until``: its vendor throttled the whole account; ``last_good``: when it took a
    message last. ``deaf_since``: nothing can be heard by its mailbox or long line."""

    works: bool
    broken_since: str
    failing_since: str
    failures: int
    said: str
    rests_until: str
    last_good: str
    deaf_since: str
    resting: list[AddressShown]


class TemplateShown(msgspec.Struct, kw_only=True):
    """An approved template: its ``text`` as it was approved, signature before it; how many characters it has when every
    variable is full; as how many ``parts`` that is billed (0 for a call), and how many ``seconds`` it takes to say (0
    for a text message)."""

    code: str
    text: str
    chars: int
    parts: int
    seconds: int


class ChannelShown(msgspec.Struct, kw_only=True):
    """One channel. ``form`` names its templates; limits in bytes or characters are null where there are none. ``links``
    are personal links; ``hears``: members of a group who call its robot by name are heard, by another channel;
    ``reserve`` of each window is kept for critical messages. ``voice``: it telephones, and ``key`` signs when it is
    pressed ('' where none can be). ``templates`` are those that its vendor approved, where it sends nothing else.
    ``state`` is null where no hub runs.
    """

    name: str
    kind: str
    word: str
    form: str
    max_bytes: int | None
    max_chars: int | None
    personal: bool
    links: bool
    mentions: bool
    buttons: bool
    replies: bool
    hears: bool
    voice: bool
    key: str
    digest: bool
    receipts: list[str]
    windows: list[WindowShown]
    reserve: int
    templates: list[TemplateShown]
    state: StateShown | None


class ChannelList(msgspec.Struct, kw_only=True):
    """All configured channels. ``running``: a hub runs, and said how they fare at ``at``."""

    running: bool
    at: str
    channels: list[ChannelShown]


def abilities_alone(settings: Settings) -> ChannelList:
    """What the configured channels can do, without a hub."""
    shown = [_shown(name, abilities_of(name, table), table, {}, None) for name, table in settings.channels.items()]
    return ChannelList(running=False, at="", channels=shown)


async def channels_now(engine: Engine, tally: Tally, now: int) -> ChannelList:
    """What they can do and how they fare. Raises the store's error."""
    store, channels = engine.store, engine.rules.channels
    fares, rests = await Health(store).watched(), await Rests(store).read()
    deaf = await Marks(store).failing()
    good, refused = await engine.good.read(), await Breakers(store).read(now=now)
    windows = {
        Mailbox(name, ""): _windows(channel) for name, channel in channels.items() if not channel_writes(channel)
    }
    left = {(box.channel, window): count for box, window, count in await engine.counting.tokens(windows, now=now)}
    shown: list[ChannelShown] = []
    for name, channel in channels.items():
        fare, rest = fares.get(name), rests.get(name, 0)
        resting = [
            AddressShown(
                address=shown_address(box.address),
                refusals=each.refusals,
                until=_time(each.until),
                said=each.said,
            )
            for box, each in refused.items()
            if box.channel == name and each.until > now
        ]
        state = StateShown(
            works=fare is None or not fare.broken,
            broken_since=_time(fare.broken) if fare else "",
            failing_since=_time(fare.since) if fare and fare.n else "",
            failures=fare.n if fare else 0,
            said=fare.said if fare and fare.broken else "",
            rests_until=_time(rest) if rest > now else "",
            last_good=_time(max(good.get(name, 0), tally.good_at.get(name, 0))),
            deaf_since=_time(deaf.get(name, 0) or deaf.get(line_mark(name), 0)),
            resting=sorted(resting, key=lambda each: each.until)[:MOST_RESTING],
        )
        tokens = {window: count for (channel_name, window), count in left.items() if channel_name == name}
        shown.append(_shown(name, channel.abilities, engine.rules.settings.channels[name], tokens, state))
    return ChannelList(running=True, at=_time(now), channels=shown)


def channel_writes(channel: Channel) -> bool:
    """Whether each of its addresses has windows of its own; those of a group are the channel's."""
    return channel.abilities.personal or not channel.abilities.windows


def _windows(channel: Channel) -> tuple[Window, ...]:
    return tuple(Window(each.count, each.per * 1000) for each in channel.abilities.windows)


def _templates(table: BaseModel) -> list[TemplateShown]:
    """The counted preview of what its vendor approved."""
    if isinstance(table, CallAccount):
        return [
            TemplateShown(code=code, text=each.text, chars=chars, parts=0, seconds=seconds)
            for each, (code, chars, seconds) in zip(table.templates, lengths(table), strict=True)
        ]
    if not isinstance(table, Account):
        return []
    return [
        TemplateShown(
            code=code,
            text=f"【{each.signature or table.signature}】{each.text}",
            chars=chars,
            parts=segments(full),
            seconds=0,
        )
        for each, (code, full, chars) in zip(table.templates, preview(table), strict=True)
    ]


def _shown(
    name: str, can: Abilities, table: BaseModel, left: dict[Window, int], state: StateShown | None
) -> ChannelShown:
    return ChannelShown(
        name=name,
        kind=can.kind,
        word=can.word,
        form=can.form.name.lower(),
        max_bytes=can.max_bytes,
        max_chars=can.max_chars,
        personal=can.personal,
        links=can.links,
        mentions=can.mentions,
        buttons=can.buttons,
        replies=can.replies,
        hears=can.hears,
        voice=can.voice,
        key=can.key,
        digest=can.digest,
        receipts=sorted(each.value for each in can.receipts),
        windows=[
            WindowShown(count=each.count, seconds=each.per, left=left.get(Window(each.count, each.per * 1000)))
            for each in can.windows
        ],
        reserve=can.reserve,
        templates=_templates(table),
        state=state,
    )


def _time(at: int) -> str:
    return local(at).isoformat(timespec="seconds") if at else ""
