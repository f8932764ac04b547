"""The slots of a channel: whatever is kept, begun, ended and let go, no more sends are allowed than it says."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from bot.workers.slots import Share, Slots
from channels.channel import Abilities, Form
from escalation.ledger.keys import Mailbox
from escalation.ledger.turning import Claim, ClaimKind

AT_ONCE = 5
BOXES = [Mailbox("sms", f"1380013000{number}") for number in range(3)]
STEP = st.tuples(st.sampled_from(["keep", "free", "send", "end", "settle"]), st.integers(0, 9), st.integers(1, 8))


def slots() -> Slots:
    channel = SimpleNamespace(abilities=Abilities(kind="sms", word="短信", form=Form.SMS, at_once=AT_ONCE))
    return Slots(lambda: cast(Any, {"sms": channel}))


def claim(mailbox: Mailbox) -> Claim:
    return Claim(mailbox, ClaimKind.SINGLE, "m", "t", 0, 0, 0, None, [])


@given(st.lists(STEP, max_size=60))
def test_never_more_than_the_channel_takes(steps: list[tuple[str, int, int]]) -> None:
    made = slots()
    kept: list[list[Share]] = []
    running: list[Claim] = []
    ended: list[Claim] = []
    for what, which, most in steps:
        mailbox = BOXES[which % len(BOXES)]
        if what == "keep":
            shares, without = made.shares(BOXES, dict.fromkeys(BOXES, most))
            assert {share.mailbox for share in shares} | set(without) == set(BOXES)
            made.keep(shares)
            kept.append(shares)
        elif what == "free" and kept:
            made.let_go(kept.pop(which % len(kept)))
        elif what == "send":
            shares, _ = made.shares([mailbox])
            if shares:
                running.append(claim(mailbox))
                made.claimed(running[-1:])
                made.begun(running[-1])
        elif what == "end" and running:
            ended.append(running.pop(which % len(running)))
            made.ended(ended[-1])
        elif what == "settle" and ended:
            made.settled([ended.pop(which % len(ended))])
        taken = len(running) + sum(share.slots for shares in kept for share in shares)
        assert taken <= AT_ONCE
        owned = Counter(each.mailbox for each in [*running, *ended])
        for mailbox, limits, free in made.shares(BOXES)[0]:
            own = owned[mailbox] + sum(s.slots for shares in kept for s in shares if s.mailbox == mailbox)
            assert free <= AT_ONCE - taken
            assert limits.at_once == min(AT_ONCE, own + free), "what is not settled counts, to the channel's limit"


def test_slots_are_shared_among_mailboxes_and_a_mailbox_takes_what_it_needs() -> None:
    made = slots()
    assert [share.slots for share in made.shares(BOXES)[0]] == [1, 2, 2]
    assert [share.slots for share in made.shares(BOXES, dict.fromkeys(BOXES, 1))[0]] == [1, 1, 1]
    made.keep(made.shares(BOXES[:1])[0])
    assert made.shares(BOXES[1:]) == ([], BOXES[1:])


def test_a_channel_that_is_not_configured_is_worked_off() -> None:
    ((_, limits, free),) = slots().shares([Mailbox("gone", "x")])[0]
    assert limits.at_once == free > AT_ONCE
