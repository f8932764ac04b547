"""From a path to :class:`Settings`, or to everything that is wrong with it, all at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.clock import WallClock
from bot.settings import checks, files, secret_references
from bot.settings.checks.draft import Draft
from bot.settings.models import Settings
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Language, Place, Problem, Weight
from bot.settings.shape_findings import shape_findings
from escalation.calendar import local

_DATA = re.compile(r"""(?m)^[ \t]*data[ \t]*=[ \t]*["']([^"'\n]+)["']""")
FurtherCheck = Callable[[Settings], Iterable[Finding]]
"""A further check of settings that are otherwise without error. It finds at paths of :class:`Settings`; what it says in
words of its own has the code ``rendering`` and ``args`` ``zh`` and ``en``."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading found. ``settings`` is None exactly when there is an error.

    ``hash`` is the SHA-256 over names and bytes of all files read (not of secrets); ``files`` are those and the files
    that secrets came from, whether they exist or not; ``globs`` are the includes as written, from ``folder``.
    ``language`` is what the file asks for, and ``data`` the data folder that it names, as far as that can be read, also
    where the rest is wrong. ``place`` says where a path of the settings is written.
    """

    settings: Settings | None
    problems: tuple[Problem, ...]
    hash: str
    folder: Path
    files: tuple[Path, ...]
    place: Callable[[Loc], Place] = field(repr=False, compare=False)
    globs: tuple[str, ...] = ()
    language: Language = "zh"
    data: Path = Path("var")

    def of(self, weight: Weight) -> tuple[Problem, ...]:
        """The problems of one weight."""
        return tuple(problem for problem in self.problems if problem.severity is weight)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return self.of(Weight.ERROR)

    @property
    def servable(self) -> bool:
        """False when ``serve`` must refuse: errors, or sample rules that were not adopted by name."""
        return not self.errors and not self.of(Weight.REFUSAL)


def load(path: Path, *, environment: Mapping[str, str] = os.environ, further: Sequence[FurtherCheck] = ()) -> Loaded:
    """Read, merge, fetch secrets, validate and check the configuration at ``path``. Never raises for what is in it."""
    sources = files.Sources.of(path)
    fetched = secret_references.fetch(sources.data, sources.folder, environment)
    found = list(fetched.findings)
    settings: Settings | None = None
    if sources.main_read:
        try:
            settings = Settings.model_validate(fetched.data, context={"folder": sources.folder})
        except ValidationError as error:
            found += shape_findings(error, sources.data, fetched.failed)
        whole = not sources.broken
        sound = whole and not any(_spoils(finding) for finding in found)
        today = local(WallClock().now()).date()
        found += checks.findings(Draft(fetched.data, whole=whole, sound=sound, today=today))
    problems = [*sources.problems, *(sources.tell(finding) for finding in found)]
    if any(problem.severity is Weight.ERROR for problem in problems):
        settings = None
    if settings is not None:
        told = [finding for check in further for finding in check(settings)]
        problems += map(sources.tell, told)
        settings = None if any(finding.weight is Weight.ERROR for finding in told) else settings
    problems = sorted(dict.fromkeys(problems), key=lambda one: (one.file, one.line, one.column, one.code))
    return Loaded(
        settings=settings,
        problems=tuple(problems),
        hash=sources.hash,
        folder=sources.folder,
        files=(*sources.read, *fetched.files),
        place=sources.place,
        globs=tuple(glob for glob in files.patterns(sources.data) if files.is_relative(glob)),
        language=_language(sources.data),
        data=_data_folder(sources),
    )


def _language(data: Mapping[str, Any]) -> Language:
    hub = data.get("hub")
    return "en" if isinstance(hub, Mapping) and hub.get("language") == "en" else "zh"


def _data_folder(sources: files.Sources) -> Path:
    hub = sources.data.get("hub")
    data = hub.get("data") if isinstance(hub, Mapping) else None
    if not sources.main_read:
        # No TOML at all: the line is looked for as people would.
        with suppress(OSError):
            said = _DATA.search(sources.read[0].read_text("utf-8", "replace"))
            data = said[1] if said else None
    return sources.folder / (data if isinstance(data, str) else "var")


def _spoils(finding: Finding) -> bool:
    """True when a row that others may need could not be read."""
    return finding.weight is Weight.ERROR and bool(finding.loc) and finding.loc[0] in files.LISTS
