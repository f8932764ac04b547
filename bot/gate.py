"""The hub as the intake door sees it: which sources there are, whether there is room, and the way to deciding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from redis.exceptions import RedisError

from bot.engine import Engine
from bot.intake.auth import Bearer, Signing
from bot.intake.batcher import Closed, Full
from bot.intake.gate import Refusal, Result, SourceRules, Unavailable
from bot.intake.mapping import TARGETS, Mapping, Pick, read_path
from bot.intake.reading import ReadingRules, Unreadable
from bot.rules import Rules
from bot.settings.mapping import MappingTable
from bot.settings.models import Settings, Source
from bot.store.errors import StoreError
from bot.workers.decider import LostRaces, StoreFailed
from escalation.event import Event
from escalation.profile import minutes

_MINUTE = 60_000


class HubGate:
    """Implements :class:`bot.intake.gate.Gate`. ``engine`` gives None, and ``reason`` says why, while the store is not
    ready; then everything is refused with 503 and nothing is taken."""

    def __init__(
        self, rules: Callable[[], Rules], engine: Callable[[], Engine | None], reason: Callable[[], str]
    ) -> None:
        self._rules = rules
        self._engine = engine
        self._reason = reason
        self._sources: dict[str, tuple[Settings, SourceRules]] = {}
        self._buckets: dict[str, tuple[float, int]] = {}

    def source(self, name: str) -> SourceRules | None:
        settings = self._rules().settings
        table = settings.sources.get(name)
        if table is None:
            return None
        kept = self._sources.get(name)
        if kept is None or kept[0] is not settings:
            kept = self._sources[name] = (settings, source_rules(name, table, settings))
        return kept[1]

    def now(self) -> int:
        engine = self._engine()
        return engine.clock.now() if engine is not None else 0

    def admit(self, n: int, _size: int, /) -> Refusal | None:
        engine = self._engine()
        reason = self._reason()
        if engine is None or reason:
            zh, _, en = reason.partition("\n")
            return Refusal(False, 5, zh or "存储未就绪，请稍后重发", en or "the store is not ready, send again later")
        if not engine.has_room(n):
            return Refusal(True, 1, "待处理事件过多，请稍后重发", "too many events are waiting, send again later")
        return None

    def room(self) -> int:
        """How many events would be taken now; 0 while the hub is not ready."""
        engine = self._engine()
        return 0 if engine is None or self._reason() else engine.room

    async def take(self, events: Sequence[Event], unreadable: Sequence[Unreadable], now: int) -> Sequence[Result]:
        engine = self._engine()
        refusal = self.admit(len(events) + len(unreadable), 0)
        if engine is None or refusal is not None:
            raise Unavailable(refusal or Refusal(False, 5, "存储未就绪", "the store is not ready"))
        self._pace([*events, *unreadable], now)
        try:
            results = await engine.take([*events, *unreadable])
            for name in {*(event.source for event in events), *(item.source for item in unreadable)}:
                engine.hearing.hear(name, engine.clock.now())
            return results
        except Full:
            raise
        except (StoreFailed, StoreError, RedisError, LostRaces, Closed, OSError) as error:
            raise Unavailable(
                Refusal(False, 2, "未能写入台账，请重发", f"it could not be written, send again: {error}")
            ) from error

    def _pace(self, items: Sequence[Event | Unreadable], now: int) -> None:
        """Each source has a bucket of its own, so that one that runs wild does not take the others' room.

        Raises Unavailable with the time after which there is room again."""
        name = items[0].source
        table = self._rules().settings.sources.get(name)
        if table is None:
            return
        level, at = self._buckets.get(name, (0.0, now))
        level = max(0.0, level - (now - at) / 1000 * table.rate)
        if level and level + len(items) > table.burst:
            wait = max(1, round((level + len(items) - table.burst) / table.rate))
            raise Unavailable(Refusal(True, wait, "该数据源发送过快，请稍后重发", "this source sends too fast"))
        self._buckets[name] = (level + len(items), now)


def source_rules(name: str, table: Source, settings: Settings, *, honour_received: bool = False) -> SourceRules:
    """A source's table as the door reads it; ``honour_received`` for replays only."""
    entrance = (
        Signing(tuple(secret.get_secret_value() for secret in table.secrets), table.allow)
        if table.secrets
        else Bearer((table.token.get_secret_value(),) if table.token else (), table.allow)
    )
    reading = ReadingRules(
        zone=ZoneInfo(table.zone),
        assume_level=table.unknown_level,
        assume_severity=table.unknown_severity,
        levels=table.levels,
        severities=table.severities,
        skew=minutes(settings.hub.skew) * _MINUTE,
        late=minutes(settings.hub.late_after) * _MINUTE,
        honour_received=honour_received,
        mode=table.mode,
        mapping=vendor_mapping(table.mapping, table.zone) if table.mapping is not None else None,
    )
    return SourceRules(name=name, entrance=entrance, reading=reading, proxies=settings.hub.trusted_proxies)


def vendor_mapping(table: MappingTable, zone: str) -> Mapping:
    """A source's mapping, ready for use; ``zone`` is that of times without one."""
    picks: dict[str, Pick] = {}
    for target in TARGETS:
        pick = getattr(table, target)
        if pick is not None:
            codes = (
                (tuple(key.split("/")) if len(pick.path) > 1 else (key,), value) for key, value in pick.codes.items()
            )
            picks[target] = Pick(
                paths=tuple(map(read_path, pick.path)),
                const=pick.const,
                default=pick.default,
                codes=tuple(codes),
                form=pick.format,
            )
    return Mapping(
        picks=picks,
        items=read_path(table.items) if table.items is not None else None,
        zone=ZoneInfo(zone),
        unknown_type=table.unknown_type,
    )
