"""A changed configuration is read, checked, and taken whole or not at all; the hub goes on with the old one meanwhile.

The files are looked at by ``step(now)``, so that nothing waits in a thread; SIGHUP only asks for a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.settings import files
from bot.settings.load import FurtherCheck, Loaded, load
from bot.settings.models import Settings
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Problem

FIXED: tuple[Loc, ...] = (
    ("store",),
    *(("hub", name) for name in ("partitions", "listen", "port", "data", "intake", "public_url", "emergency")),
)
"""What a running hub cannot change: it holds the store, its partitions and its door, and the words it began with."""

# A file becomes known by reading another; after more rounds than this the files are not at rest.
_ROUNDS = 5

_Stamp = tuple[int, int, int] | None


class ReloadOutcome(StrEnum):
    """``refused``: it has errors (or sample rules that nobody adopted). ``restart``: it is right but changes what a
    running hub cannot change. In both cases all of the old configuration stays in force."""

    TAKEN = "taken"
    REFUSED = "refused"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of a change; ``problems`` are also the warnings of a configuration that was taken."""

    outcome: ReloadOutcome
    loaded: Loaded

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.loaded.problems


class Reloader:
    """Watches the files of one configuration: the main one, what its globs match now, and the files of secrets."""

    def __init__(
        self,
        path: Path,
        loaded: Loaded,
        take: Callable[[Loaded], None],
        *,
        further: Sequence[FurtherCheck] = (),
        settle_ms: int = 1000,
    ) -> None:
        """``loaded`` is in force; ``take`` is called with each that replaces it. A change is read when the files have
        been at rest for ``settle_ms``, since editors and copies write in steps. Raises ValueError for a configuration
        that has errors itself."""
        if loaded.settings is None:
            raise ValueError("only a configuration without errors can be in force")
        self._path = path
        self._force = loaded.settings
        self._take = take
        self._further = (*further, self._fixed)
        self._settle_ms = settle_ms
        self._watched = loaded
        self._seen = self._stamps(loaded)
        self._moving: dict[Path, _Stamp] | None = None
        self._since = 0
        self._asked = False

    def request(self) -> None:
        """Read at the next step whether or not a file has changed; safe to call from a signal handler."""
        self._asked = True

    def step(self, now: int) -> Reload | None:
        """Look; and if there is something new at rest, or it was asked for, read it. ``now`` in milliseconds."""
        if self._asked:
            self._asked = False
            return self._read()
        stamps = self._stamps(self._watched)
        if stamps == self._seen:
            self._moving = None
        elif stamps != self._moving:
            self._moving, self._since = stamps, now
        elif now - self._since >= self._settle_ms:
            return self._read()
        return None

    def _read(self) -> Reload:
        self._moving = None
        loaded = self._load()
        for _ in range(_ROUNDS):
            if set(self._stamps(loaded)) == set(self._seen):
                break
            loaded = self._load()
        if any(problem.code == "restart" for problem in loaded.errors):
            return Reload(ReloadOutcome.RESTART, loaded)
        if loaded.settings is None or not loaded.servable:
            return Reload(ReloadOutcome.REFUSED, loaded)
        self._force = loaded.settings
        self._take(loaded)
        return Reload(ReloadOutcome.TAKEN, loaded)

    def _load(self) -> Loaded:
        # Stamped before reading: a change in between is seen at the next step.
        self._seen = self._stamps(self._watched)
        self._watched = load(self._path, further=self._further)
        return self._watched

    def _fixed(self, new: Settings) -> Iterator[Finding]:
        changed = [loc for loc in FIXED if _at(new, loc) != _at(self._force, loc)]
        if changed:
            names = "、".join(".".join(map(str, loc)) for loc in changed)
            yield Finding("restart", changed[0], {"names": names}, key=True)

    def _stamps(self, loaded: Loaded) -> dict[Path, _Stamp]:
        matched = (path for glob in loaded.globs for path in files.matching(loaded.folder, glob))
        return {path: _stamp(path) for path in {self._path.resolve(), *loaded.files, *matched}}


def _at(settings: Settings, loc: Loc) -> object:
    value: object = settings
    for part in loc:
        value = getattr(value, str(part))
    return value


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
