"""A store that goes away and comes back is two lines of the log."""

from __future__ import annotations

import pytest

from bot.store.coming_and_going import ComingAndGoing
from bot.store.states import StoreState


def test_each_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    told = ComingAndGoing()
    told.changed(StoreState.STARTING, "")
    told.tell(ready=True, reason="")
    assert caplog.messages == []
    for reason in ("存储无应答\nno answer", "存储无应答\nno answer from b"):
        told.tell(ready=False, reason=reason)
    told.changed(StoreState.STARTING, "")
    told.changed(StoreState.READY, "")
    told.tell(ready=True, reason="")
    assert caplog.messages == ["nothing is taken: no answer", "the store is there again"]
    told.changed(StoreState.NO_DISK, "磁盘已满\nthe disk is full")
    assert caplog.messages[-1] == "nothing is taken: the disk is full"
