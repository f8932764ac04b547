"""Sources that are silent for longer than they ever should be: an upstream that is down reports no alarm, and looks
like a quiet night.

The maintainers hear of it once, and once when the source is back. It is silence of the source only where the hub could
have heard it: the time before this process began, and before the source was first looked at, does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from bot.engine import Engine
from bot.settings.models import Source
from bot.workers.broken import word_rows
from escalation.calendar import local
from escalation.inputs import Entry
from escalation.ledger.change import Change, Failed, Taken
from escalation.ledger.keys import US
from escalation.ledger.marks import Mark, Marks
from escalation.profile import minutes

log = logging.getLogger(__name__)


def longest(source: Source) -> int:
    """How long a source may be silent, in ms; 0 where nobody said."""
    return minutes(source.silent_after) * 60_000 if source.silent_after else 0


def silent(sources: Mapping[str, Source], heard: Mapping[str, int], now: int, since: int = 0) -> dict[str, bool]:
    """Of each source of which it was said how long it may be silent, whether it is longer silent than that; what was
    before ``since`` (ms) does not count."""
    return {
        name: now - max(heard.get(name, 0), since) > longest(table) for name, table in sources.items() if longest(table)
    }


class SilentSources:
    """Tells of the silent sources of whatever ``engine`` is at work. ``since`` is from when on this process could hear
    (ms)."""

    def __init__(self, engine: Callable[[], Engine | None], since: int) -> None:
        self._engine = engine
        self._since = since

    async def step(self) -> None:
        """Tell what is news. Raises the store's error; may be done again."""
        engine = self._engine()
        if engine is None:
            return
        now, marks = engine.clock.now(), Marks(engine.store)
        sources, heard = engine.rules.settings.sources, await engine.hearing.read()
        for name, is_silent in silent(sources, heard, now, self._since).items():
            at = heard.get(name, 0)
            known = await marks.load(_mark(name))
            mark = known or Mark(box="", at=now)
            if mark.told and at > mark.failing:
                await self._tell(engine, name, mark.failing, at, back=True)
                await marks.save(_mark(name), Mark(box="", at=mark.at))
            elif not mark.told and is_silent and (at or now - mark.at > longest(sources[name])):
                await self._tell(engine, name, at or mark.at, at, back=False)
                await marks.save(_mark(name), Mark(box="", at=mark.at, failing=at or mark.at, told=True))
            elif known is None:
                await marks.save(_mark(name), mark)

    async def _tell(self, engine: Engine, name: str, since: int, at: int, *, back: bool) -> None:
        """Into the journal and to the maintainers, under ids made of the source and the time: told twice by a crash in
        between, it is there once."""
        rules, now = engine.rules, engine.clock.now()
        subject, text = _words(name, since, at, longest(rules.settings.sources[name]), back=back)
        log.log(logging.INFO if back else logging.ERROR, "%s", text)
        reason = "source_heard_again" if back else "source_silent"
        stem = f"silent.{name}.{since}" + (".again" if back else "")
        unit = rules.settings.hub.maintainers
        change = Change(
            partition=0,
            now=now,
            takes=[Taken(f"{reason}{US}{name}{US}{since}", "", b"")],
            entries=[Entry(at=now, reason=reason, detail={"source": name, "since": since})],
            outbox=list(word_rows(stem, (text, subject), (), rules.directory, unit, now)),
            claimed_until=0,
        )
        (outcome,) = await engine.ledger.commit([change])
        if isinstance(outcome, Failed):
            raise outcome.error
        engine.stir()


def _mark(name: str) -> str:
    return f"source {name}"


def _words(name: str, since: int, at: int, most: int, *, back: bool) -> tuple[str, str]:
    if back:
        subject = f"数据源 {name} 已恢复"
        return subject, f"{subject}：{local(at):%m-%d %H:%M} 又收到数据（{local(since):%m-%d %H:%M} 起没有）。"
    subject = f"数据源 {name} 没有数据"
    last = f"最后一条是 {local(at):%m-%d %H:%M}" if at else f"{local(since):%m-%d %H:%M} 以来一条也没有"
    return subject, f"{subject}：{last}，已超过 {most // 60_000} 分钟。上游停了就不会报警，请检查对方系统和网络。"
