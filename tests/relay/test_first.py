"""The first courier process: forked early, gone with its hub, and no reason to fail where it cannot be had."""

from __future__ import annotations

import os
import signal

import pytest

from bot.cli import _first_courier
from bot.relay.first import Forked


def test_a_machine_without_room_for_it_starts_the_hub_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    assert _first_courier() is None
    assert "no courier process could be forked" in caplog.text


def test_one_that_does_not_end_by_itself_holds_no_hub_up() -> None:
    forked = Forked.begin("bot.relay", lambda: None)
    os.kill(forked.pid, signal.SIGSTOP)
    forked.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(forked.pid, os.WNOHANG)
