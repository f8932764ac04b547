"""What happens by the calendar and not by an alarm: filing, forgetting, the nightly check of the journal.

APScheduler only says when; nothing here is ever the truth of an alarm, every job may be missed and is safe to run
twice. A job about the store runs under leadership; one about the hub's own disk runs on every hub.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from escalation.calendar import ZONE

log = logging.getLogger(__name__)

FILE_SECONDS = 60
"""How often old journal rows are filed and old inputs forgotten."""
GOOD_SECONDS = 10
"""How often it is written down when each channel's vendor last took a message."""
NIGHTLY = "20 3 * * *"
"""When the whole journal is checked, local time."""

Job = Callable[[], Awaitable[None]]


class Schedule:
    """The calendar of one hub. ``leads`` says whether this hub may act now."""

    def __init__(self, leads: Callable[[], Awaitable[bool]]) -> None:
        self._leads = leads
        self._scheduler = AsyncIOScheduler(timezone=ZONE, job_defaults={"coalesce": True, "max_instances": 1})

    def every(self, seconds: int, name: str, job: Job, *, everywhere: bool = False) -> None:
        """Run a job at this distance; ``everywhere``: on each hub, not only on the one that leads."""
        self._add(IntervalTrigger(seconds=seconds), name, job, everywhere)

    def at(self, cron: str, name: str, job: Job, *, everywhere: bool = False) -> None:
        """Run a job at the times of a crontab line, local time."""
        self._add(CronTrigger.from_crontab(cron, timezone=ZONE), name, job, everywhere)

    def _add(self, trigger: object, name: str, job: Job, everywhere: bool) -> None:
        async def run() -> None:
            try:
                if everywhere or await self._leads():
                    await job()
            except Exception:
                log.exception("the job %s failed; it runs again at its next time", name)

        self._scheduler.add_job(run, trigger, id=name, name=name, misfire_grace_time=600)

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """End; a job that runs is left to end by itself."""
        self._scheduler.shutdown(wait=False)
