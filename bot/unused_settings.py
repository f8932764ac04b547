"""A changed configuration that is of no use is told to the maintainers: whoever saved it may have gone home, believing
that tonight's roster holds."""

from __future__ import annotations

from collections.abc import Callable

from bot.engine import Engine
from bot.settings.problem import Problem, Weight
from bot.settings.reload import Reload, ReloadOutcome
from bot.wording import Word, tell_maintainers
from escalation.calendar import local

PATIENCE = 120_000
"""How long (ms) a configuration may be of no use before it is told: people save while they are still writing."""


class UnusedSettings:
    """Hears of every reload, tells once when the last one was not taken, and once when one is taken again.

    It remembers in memory alone: a hub that starts does so with what is in the files, or not at all.
    """

    def __init__(self, engine: Callable[[], Engine | None]) -> None:
        self._engine = engine
        self._since = 0
        self._refused: Reload | None = None
        self._told = False

    def hear(self, reload: Reload, now: int) -> None:
        """A reload at ``now`` (ms)."""
        taken = reload.outcome is ReloadOutcome.TAKEN
        if not taken and self._refused is None:
            self._since = now
        self._refused = None if taken else reload

    async def step(self, now: int) -> None:
        """Tell what is news. ``now`` in ms. Raises the store's error; may be done again."""
        engine = self._engine()
        if engine is None:
            return
        if self._refused is not None and not self._told and now - self._since >= PATIENCE:
            await tell_maintainers(engine, self._word("settings_unused", *_unused(self._refused, self._since)), now)
            self._told = True
        elif self._refused is None and self._told:
            text = f"配置已采用：{local(now):%m-%d %H:%M} 起按新配置运行。"
            await tell_maintainers(engine, self._word("settings_used_again", "配置已采用", text), now)
            self._told = False

    def _word(self, reason: str, subject: str, text: str) -> Word:
        return Word(reason, str(self._since), subject, text, {"since": self._since})


def _unused(reload: Reload, since: int) -> tuple[str, str]:
    first = min((one for one in reload.problems if one.severity is not Weight.WARNING), key=_place, default=None)
    where = f"，第一处 {first.file} 第 {first.line} 行：{first.message_zh}" if first is not None else ""
    subject = "配置改动没有采用"
    old = "仍按原配置（原人员、原值班表）运行"
    return subject, f"{subject}：{local(since):%m-%d %H:%M} 的改动有错误，{old}{where[:160]}。请运行 fenghuo check。"


def _place(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.line
