"""The codes of buttons: made for one verb, one card and one address, and read as nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.buttons import VERBS, Buttons, card_id
from channels.channel import Press
from channels.wecom.app_messages import task_id
from escalation.notice import Addressee, Contact, Notice, NoticeKind
from escalation.vocabulary import Purpose, Role, Tier, Verb

BUTTONS = Buttons("fake-secret-of-buttons-0123456789")
NOTICE = Notice(
    id="A0231.1.s3-phone_task.0a1b2c3d4e5f",
    kind=NoticeKind.RAISED,
    purpose=Purpose.ACT,
    stage="s3-phone_task",
    to=Addressee(unit="town", tier=Tier.TOWN, role=Role.OFFICER, person="p"),
    contact=Contact("app", "PeiZhuanguan"),
    created_at=1_795_197_600_000,
)
CARD = card_id(NOTICE)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("sender", ["PeiZhuanguan", "peizhuanguan", " PeiZhuanguan "])
def test_a_button_means_its_verb_notice_and_code(verb: Verb, sender: str) -> None:
    meant = BUTTONS.read("app", sender, Press(CARD, BUTTONS.code(NOTICE, verb)))
    assert meant == (verb, NOTICE.id, "A0231", NOTICE.created_at)


def test_the_cards_id_is_what_the_vendor_takes_and_no_other_stores() -> None:
    assert task_id(CARD) == CARD
    assert card_id(replace(NOTICE, created_at=NOTICE.created_at + 1)) != CARD


def test_every_part_is_sealed() -> None:
    code = BUTTONS.code(NOTICE, Verb.SIGN)
    others = [
        ("app2", "PeiZhuanguan", CARD, code),
        ("app", "HeZhen", CARD, code),
        ("app", "PeiZhuanguan", CARD.replace("A0231", "A0232"), code),
        ("app", "PeiZhuanguan", CARD[:-1] + "1", code),
        ("app", "PeiZhuanguan", CARD, code.replace("sign", "query")),
        ("app", "PeiZhuanguan", CARD, code.replace("sign", "clear")),
        ("app", "PeiZhuanguan", CARD, code[:-1]),
        ("app", "PeiZhuanguan", CARD, "sign."),
        ("app", "PeiZhuanguan", "", code),
    ]
    for channel, sender, card, given_code in others:
        assert BUTTONS.read(channel, sender, Press(card, given_code)) is None
    assert Buttons("another-secret-0123456789-0123456").read("app", "PeiZhuanguan", Press(CARD, code)) is None
    assert "secret" not in repr(BUTTONS)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60))
def test_whatever_comes_is_nothing(card: str, code: str, sender: str) -> None:
    assert BUTTONS.read("app", sender, Press(card, code)) is None
    assert BUTTONS.read("app", sender, Press(card, f"sign.{code}")) is None
