"""Calls to act as cards: within every field's bytes, the code never cut, and text where a card makes no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.buttons import Buttons
from bot.rendering.renderer import Renderer
from channels.channel import Abilities, CardLimits
from channels.wecom.app_messages import LIMITS, Shape
from escalation.notice import NoticeKind
from escalation.vocabulary import Mode, Purpose
from tests.rendering.cast import APP, DIRECTORY, KINDS, NOW, deed, duty, incident, notice, scene

LINK = "https://hub.example/a/0123456789abcdef"
BUTTONS = Buttons("fake-secret-of-buttons-0123456789")
CARD = replace(APP, card=LIMITS[Shape.CARD])
PAGE = replace(APP, card=LIMITS[Shape.TEXTCARD])
LONG = "示例省示例市示例精密金属制品制造有限责任公司第二分厂三号车间" * 4


def renderer(link: str = LINK) -> Renderer:
    return Renderer(lambda: DIRECTORY, lambda _incident, _notice: link, buttons=lambda: BUTTONS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("abilities", [CARD, PAGE])
def test_a_call_to_act_is_a_card_and_everything_else_is_text(kind: NoticeKind, abilities: Abilities) -> None:
    made = renderer().render(*scene(kind), abilities, NOW)
    assert not made.failed, made.error
    assert made.text, "there is always a text for a vendor that refuses the card"
    asks = kind in (
        NoticeKind.RAISED,
        NoticeKind.ROSE,
        NoticeKind.REOPENED,
        NoticeKind.REMIND,
        NoticeKind.ANNOUNCE,
        NoticeKind.TRANSFERRED,
        NoticeKind.URGED,
    )
    # A duty room's own mailbox is read by many: no page, but buttons.
    asks = asks or (kind is NoticeKind.ESCALATED and abilities is CARD)
    assert (made.card is not None) is asks


@pytest.mark.parametrize("abilities", [CARD, PAGE])
def test_every_field_is_within_its_bytes_and_the_code_is_never_cut(abilities: Abilities) -> None:
    given = incident(
        mode=Mode.EXERCISE, code="A123456", enterprise="", enterprise_name=LONG, point="", point_name=LONG, unit="mg/m³"
    )
    card, limits = renderer().render(given, notice(), abilities, NOW).card, abilities.card
    assert card is not None
    assert limits is not None
    assert card.title.startswith("【演练】")
    assert card.title.endswith("A123456")
    _within(card.title, limits.title)
    _within(card.summary, limits.summary)
    _within(card.body, limits.body)
    for name, value in card.rows:
        _within(name, limits.row_name)
        _within(value, limits.row_value)
    assert len(card.rows) <= limits.rows
    tight = replace(abilities, card=CardLimits(title=20, summary=0, body=20, buttons=limits.buttons))
    assert renderer().render(given, notice(), tight, NOW).card is None, "a card without its code is none"


def _within(text: str, most: int) -> None:
    assert len(text.encode()) <= most, text


def test_details_open_the_page_or_are_asked_for_in_chat() -> None:
    opened = renderer().render(incident(), notice(), CARD, NOW).card
    asked = renderer("").render(incident(), notice(), CARD, NOW).card
    assert opened is not None
    assert asked is not None
    assert [each.words for each in opened.buttons] == ["签收", "误报", "详情"]
    assert (opened.buttons[-1].link, opened.buttons[-1].code) == (LINK, "")
    assert asked.buttons[-1].link == ""
    assert asked.buttons[-1].code.startswith("query.")


def test_there_is_no_card_where_nobody_can_press_or_open_it() -> None:
    given = incident()
    assert renderer("").render(given, notice(), replace(CARD, replies=False), NOW).card is None
    assert renderer("").render(given, notice(), PAGE, NOW).card is None
    assert Renderer(lambda: DIRECTORY).render(given, notice(), CARD, NOW).card is None
    assert renderer().render(given, notice(purpose=Purpose.ATTEND), CARD, NOW).card is None
    assert renderer().render(incident(duties=[duty(closed_at=NOW)]), notice(), CARD, NOW).card is None


def test_who_has_signed_is_not_asked_to_sign_again() -> None:
    card = renderer().render(incident(duties=[duty(signed=deed())]), notice(NoticeKind.URGED), CARD, NOW).card
    assert card is not None
    assert [each.words for each in card.buttons] == ["误报", "详情"]


def test_a_card_that_cannot_be_made_leaves_the_text_and_is_told() -> None:
    class Broken(Buttons):
        def code(self, *_: object) -> str:
            raise RuntimeError("no secret")

    made = Renderer(lambda: DIRECTORY, buttons=lambda: Broken("x")).render(incident(), notice(), CARD, NOW)
    assert (made.card, made.failed) == (None, True)
    assert "card: RuntimeError" in made.error
    assert "编号 A0231" in made.text
