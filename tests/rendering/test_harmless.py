"""The short way of neutral text: what it lets through unread, the long way would not have touched."""

from __future__ import annotations

import sys

from bot.rendering import neutral

TAKEN_AWAY = "\u200b\u202e\u00ad\ufeff\u3164\t\n\u2028\x00\u2800"


def test_no_sign_that_the_short_way_lets_through_is_changed_by_the_long_way() -> None:
    harmless = [char for char in map(chr, range(sys.maxunicode + 1)) if neutral.is_harmless(char)]
    assert len(harmless) > 20_000
    # A letter that is never harmless sends the whole text the long way round.
    assert neutral.visible("".join(harmless) + "é").endswith("é")
    for start in range(0, len(harmless), 512):
        chunk = "".join(harmless[start : start + 512])
        assert neutral.visible(f"{chunk}é") == neutral.visible(chunk) + "é"


def test_what_hides_in_a_harmless_text_is_still_taken_away() -> None:
    for char in TAKEN_AWAY:
        assert char not in neutral.visible(f"煤气{char}点位")
