"""What every long-running process of the hub sets up for itself."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""How many new objects the collector waits for."""


def collect_seldom() -> None:
    """What was loaded stays for good, and what an event makes is freed when its last user lets go: the collector finds
    little, and each of its full rounds would hold every answer up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
