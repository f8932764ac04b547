"""企业微信智能机器人, over the long connection: messages, cards with buttons and answers, without a public address.

One connection for each robot, held by the hub that leads in it; a letter goes to whoever holds it. Only members (and
groups) that have spoken to the robot before can be written to. What the vendor pushes has no acknowledgement of ours,
so it is on disk before anything is answered, and what a dying process had not yet kept is lost to the vendor as well.
Sources of the rules: the vendor's pages path/101463 (long connection), 100719, 101027, 101031–101033, 101138.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import aiohttp
from yarl import URL

from channels.callback import Media
from channels.carrying import NO_CARRIER, Carrier
from channels.channel import Abilities, Form, Letter, Window, answer_id
from channels.exchange import ask, limits_for
from channels.fitting import unfit
from channels.greeting import Greeting, reach
from channels.longline import Ear, LineTrouble
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.wecom import aibot_messages as messages
from channels.wecom.aibot_errors import TASK_USED, TURN_OVER
from channels.wecom.aibot_inbound import Frame, Turn, read_frame
from channels.wecom.aibot_line import Ack, Line, LostError, NotSentError, new_id
from channels.wecom.aibot_media import read_file
from channels.wecom.aibot_settings import CHAT_ID, LONGEST_TEXT, Settings
from channels.wecom.app_messages import Shape

__all__ = ["Driver", "Settings"]

log = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
AT_ONCE = 5.0
"""How long after somebody came in, or pressed, the vendor takes the answer to that, in seconds."""
AGAIN = 0.1
"""How long a frame waits before it is tried to be kept again, in seconds."""
_MOST_TURNS = 2000
_ROOM = 40
"""What a downloaded file's padding, and its own frame, may add to its bytes."""
_RESPOND = {"message": "aibot_respond_msg", "enter": "aibot_respond_welcome_msg"}
_DISPLACED = "另一个程序用同一个机器人建立了长连接，本系统已让开；一个机器人只能有一个连接，请停掉那个程序"
_CHAT = re.compile(CHAT_ID, re.ASCII)


class _Open(NamedTuple):
    """A turn that is the robot's until ``until`` (the event loop's clock)."""

    turn: Turn
    until: float


class Driver:
    """Sends to members, one a letter, answers what they write, and changes the card that was pressed."""

    Settings: ClassVar[Any] = Settings

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.settings = settings
        self.carrier: Carrier | None = None
        self.line = f"wecom_aibot {settings.bot_id}"
        self.line_terms: object = settings
        self.abilities = Abilities(
            kind=settings.kind,
            word="企业微信智能机器人",
            form=Form.MARKDOWN,
            max_bytes=settings.text_bytes,
            personal=True,
            links=True,
            replies=True,
            windows=(Window(settings.per_minute, MINUTE), Window(settings.per_hour, HOUR)),
            reserve=settings.reserve,
            at_once=settings.at_once,
            timeout=settings.timeout,
            card=messages.CARD_LIMITS if settings.shape is Shape.CARD else None,
            buttons=settings.shape is Shape.CARD,
        )
        self._session = session
        self._mask = Masker([settings.secret.get_secret_value()])
        self._meanings = settings.meanings
        self._connection: Line | None = None
        self._turns: OrderedDict[str, _Open] = OrderedDict()
        self._groups: set[str] = set()

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text, self.settings.text_bytes):
            return refused
        if self.carrier is None:
            return Outcome(OutcomeKind.TRANSIENT, NO_CARRIER)
        return await self.carrier.carry(self.name, letter, self.settings.timeout)

    async def close(self) -> None:
        """Nothing to give back: whoever holds the line hangs up."""

    async def greet(self, at: int) -> Greeting:
        """Whether the vendor can be reached. Nobody subscribes: that would take the line from the hub that holds it."""
        url = URL(self.settings.url)
        site = url.with_scheme("https" if url.scheme == "wss" else "http")
        found = await reach(self._session, site, at, limits_for(self.settings.timeout))
        return (
            replace(found, detail=f"{found.detail}；没有登录，登录会顶掉运行中的长连接")
            if found.standing.good
            else found
        )

    async def hold(self, ear: Ear) -> None:
        """See :class:`channels.longline.LongLine`."""
        line = Line(self._session, self.settings, self._mask)
        answering: set[asyncio.Task[None]] = set()
        try:
            await line.open()
            self._connection = line
            await ear.well()
            while True:
                frame = read_frame(self.name, await line.next(), ear.now())
                if frame.displaced:
                    raise LineTrouble(_DISPLACED, certain=True, rest=self.settings.displaced_rest, displaced=True)
                await self._keep(ear, frame)
                if frame.turn is not None and frame.turn.kind == "enter" and self.settings.welcome:
                    task = asyncio.create_task(self._welcome(line, frame.turn), name="aibot welcomes")
                    answering.add(task)
                    task.add_done_callback(answering.discard)
        finally:
            self._connection = None
            self._turns.clear()
            for task in answering:
                task.cancel()
            await line.close()

    async def _keep(self, ear: Ear, frame: Frame) -> None:
        """Put a frame on disk, however long that takes: nobody else has it. Whose turn it is is known before, since the
        answer may be there at once."""
        turn, clock = frame.turn, asyncio.get_running_loop().time()
        if frame.chat and frame.chat not in self._groups:
            self._groups.add(frame.chat)
            log.info("channel %s was spoken to in the group whose chatid is %s", self.name, frame.chat)
        if turn is not None and turn.req_id:
            # Whoever comes in is welcomed; without a welcome the answer takes its turn.
            if turn.kind == "message":
                self._open(answer_id(self.name, turn.identity), turn, clock + self.settings.answer_seconds)
            elif turn.kind == "press":
                self._open(turn.req_id, turn, clock + AT_ONCE)
            elif not self.settings.welcome:
                self._open(answer_id(self.name, turn.identity), turn, clock + AT_ONCE)
        if not (frame.heard.items or frame.heard.unreadable):
            return
        while not await ear.keep(frame.heard):  # noqa: ASYNC110 (no store tells of its return)
            await asyncio.sleep(AGAIN)

    def _open(self, key: str, turn: Turn, until: float) -> None:
        self._turns.pop(key, None)
        self._turns[key] = _Open(turn, until)
        while len(self._turns) > _MOST_TURNS:
            self._turns.popitem(last=False)

    def _taken(self, key: str) -> Turn | None:
        """The turn of this key, which is used up by that; None where there is none, or its time is over."""
        found = self._turns.pop(key, None)
        return found.turn if found and asyncio.get_running_loop().time() < found.until else None

    async def _welcome(self, line: Line, turn: Turn) -> None:
        try:
            said = await line.ask(_RESPOND["enter"], turn.req_id, messages.welcome(self.settings.welcome))
        except (LostError, NotSentError) as error:
            log.info("channel %s could not welcome somebody: %s", self.name, error)
            return
        if said.code:
            log.warning("the welcome of channel %s was refused: %s", self.name, said.words)

    async def deliver(self, letter: Letter) -> Outcome:
        """See :class:`channels.carrying.Delivering`."""
        line = self._connection
        if line is None or not line.stands:
            return Outcome(OutcomeKind.TRANSIENT, "长连接没有建立，消息未发出")
        if refused := unfit(letter.text, LONGEST_TEXT):
            return refused
        chat, kind = letter.address.strip(), messages.SINGLE
        if letter.address.startswith(GROUP):
            chat, kind = chat.removeprefix(GROUP), messages.GROUP
        if not _CHAT.fullmatch(chat):
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(f"{chat[:30]!r} 不是企业微信成员的 userid"))
        try:
            if letter.changes:
                return await self._change(line, letter, chat)
            return await self._say(line, letter, chat, kind)
        except NotSentError as error:
            return Outcome(OutcomeKind.TRANSIENT, str(error))
        except LostError as error:
            return Outcome(OutcomeKind.UNCERTAIN, str(error))
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(str(error)))

    async def _say(self, line: Line, letter: Letter, chat: str, kind: int) -> Outcome:
        turn = self._taken(letter.id)
        if turn is not None and turn.sender.lower() == chat.lower():
            body = messages.answer(letter) if turn.kind == "message" else messages.welcome(letter.text)
            said = await line.ask(_RESPOND[turn.kind], turn.req_id, body)
            if said.code not in TURN_OVER:
                return self._read(said)
        said = await line.ask("aibot_send_msg", new_id("send"), messages.message(letter, chat, kind))
        if letter.repeat and said.code == TASK_USED:
            # The try before, whose acknowledgement was lost, has arrived.
            return Outcome(OutcomeKind.ACCEPTED, said.words)
        return self._read(said)

    async def _change(self, line: Line, letter: Letter, member: str) -> Outcome:
        turn = self._taken(letter.changes)
        if turn is None:
            said = f"平台只许在按下后 {AT_ONCE:g} 秒内改这张卡片"
            return Outcome(OutcomeKind.REFUSED_CONTENT, said)
        answered = await line.ask(
            "aibot_respond_update_msg", turn.req_id, messages.change(letter, turn.sender or member, turn.task)
        )
        if answered.code:
            # Its time is over before another try.
            return Outcome(OutcomeKind.REFUSED_CONTENT, answered.words)
        return Outcome(OutcomeKind.ACCEPTED, answered.words)

    def _read(self, said: Ack) -> Outcome:
        kind = self._meanings.get(said.code, OutcomeKind.REFUSED_CONTENT)
        if kind is OutcomeKind.THROTTLED:
            return Outcome(kind, said.words, retry_after=float(MINUTE))
        return Outcome(kind, said.words)

    async def fetch(self, media: str, at: int) -> Media | Outcome:
        """A picture that somebody sent; see :class:`channels.callback.MediaSource`."""
        since, _, rest = media.partition(" ")
        key, _, url = rest.partition(" ")
        over = not since.isdigit() or at - int(since) > self.settings.media_seconds * 1000
        answer = await ask(
            self._session,
            "GET",
            # The vendor signs its addresses as they stand.
            URL(url, encoded=True),
            headers={},
            limits=limits_for(max(self.settings.timeout, 10.0)),
            mask=Masker([key]),
            longest=self.settings.evidence_bytes + _ROOM,
        )
        return read_file(answer, key, self.settings.evidence_bytes, over=over)


GROUP = "group:"
"""Before the address of a letter that goes to a group."""
