"""A night without anybody at the post: the county's file with gaps in its rosters, put in force as any change of it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from bot.demo.controls import Refusal
from bot.hub import Hub
from bot.rendering import shorten
from bot.settings.load import load
from escalation.calendar import local

HOUR = 2
"""When the alarm of such a night comes."""
ENTERPRISE, POINT = "91000000DEM0000019", "DC01-P01"
_DAY = 'roster = [{{ people = [{people}], start = "08:00", end = "20:00" }}]'
_POST = re.compile(
    rf'(\[\[posts\]\]\nunit = "{ENTERPRISE}"\nrole = "(?:operator|safety_officer)"\n)people = \[([^\]]+)\]\n'
)
_ROOM = re.compile(r'(\[\[posts\]\]\nunit = "qinghe"\nrole = "duty_room"\n)contacts = [^\n]+\n')
_NIGHT_SHIFT = re.compile(r'    \{ people = \["qinghe-duty-b"\][^\n]+\n')


def emptied(text: str) -> str:
    """The configuration in which the enterprise's workers and the county's duty room have day shifts only, and the room
    neither a group nor a telephone. Raises ValueError where the text is not the demonstration's."""
    text, workers = _POST.subn(lambda found: f"{found[1]}{_DAY.format(people=found[2])}\n", text)
    text, rooms = _ROOM.subn(r"\1", text)
    text, shifts = _NIGHT_SHIFT.subn("", text)
    if (workers, rooms, shifts) != (2, 1, 1):
        raise ValueError("this is not the demonstration's county")
    return text


def moment_after(now: int) -> int:
    """The next 02:00 after ``now``, in milliseconds."""
    here = local(now)
    at = here.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return int((at if at > here else at + timedelta(days=1)).timestamp()) * 1000


class Night:
    """Takes people off their posts and puts them back, in the file and by the hub's reload."""

    def __init__(self, hub: Hub, config: Path) -> None:
        self._hub = hub
        self._config = config
        self._whole = ""

    @property
    def empty(self) -> bool:
        """Whether the posts are empty at night now."""
        return bool(self._whole)

    def begin(self) -> str:
        """Leave the posts empty at night; what `check` says of it. Raises :class:`Refusal`."""
        if self._whole:
            raise Refusal("夜班已经是空的")
        whole = self._config.read_text("utf-8")
        said = self._put_in_force(emptied(whole))
        self._whole = whole
        return said

    def end(self) -> None:
        """Put the people back. Raises :class:`Refusal`."""
        if not self._whole:
            raise Refusal("值班表没有空档")
        self._put_in_force(self._whole)
        self._whole = ""

    def _put_in_force(self, text: str) -> str:
        self._config.write_text(text, "utf-8")
        loaded = load(self._config)
        if loaded.settings is None:
            raise Refusal("\n".join(problem.text("zh") for problem in loaded.errors))
        self._hub.reload(loaded.settings)
        gaps = next((problem.message_zh for problem in loaded.problems if problem.code == "roster_gap"), "")
        return shorten.within(gaps, 40)
