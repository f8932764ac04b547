"""What the log says of a store that goes away and comes back: each once, however often it is looked at."""

from __future__ import annotations

import logging

from bot.store.states import StoreState

log = logging.getLogger(__name__)

_AWAY = (StoreState.RECOVERING, StoreState.NO_DISK, StoreState.DOWN)


class ComingAndGoing:
    """Of one store. What an operator has to decide, or a person to mend, is said by whoever finds it."""

    def __init__(self) -> None:
        self._away = False

    def changed(self, state: StoreState, reason: str) -> None:
        """For a supervisor's ``on_change``."""
        if state in _AWAY or state is StoreState.READY:
            self.tell(ready=state is StoreState.READY, reason=reason or state.value)

    def tell(self, *, ready: bool, reason: str) -> None:
        """Whether the store may be worked with now, and why not in lines of which the last is English."""
        if ready and self._away:
            log.info("the store is there again")
        elif not ready and not self._away:
            log.warning("nothing is taken: %s", reason.rpartition("\n")[2])
        self._away = not ready
