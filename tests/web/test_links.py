"""A link speaks for one person and one incident, and for nobody who writes one of their own."""

from __future__ import annotations

import base64

import msgspec
import pytest

from bot.web.links import LinkFacts, Links

FACTS = LinkFacts(code="A0031", person="lin", unit="91000000DEM0000019", role="safety_officer", until=1, notice="n")
OURS = Links("an invented secret of the pages", "http://127.0.0.1:8080", 60)


def test_a_link_says_what_was_sealed() -> None:
    assert OURS.read(OURS.seal(FACTS)) == FACTS


@pytest.mark.parametrize(
    "change", [{"person": "mu"}, {"code": "A0047"}, {"until": 2**50}, {"unit": "qinghe", "role": "duty_room"}]
)
def test_well_formed_facts_under_an_old_seal_are_no_link(change: dict[str, object]) -> None:
    token = OURS.seal(FACTS)
    seal = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:16]
    forged = seal + msgspec.json.encode(msgspec.structs.replace(FACTS, **change))
    assert OURS.read(base64.urlsafe_b64encode(forged).rstrip(b"=").decode()) is None


def test_a_link_sealed_with_another_secret_is_no_link() -> None:
    assert OURS.read(Links("another invented secret", OURS.base, 60).seal(FACTS)) is None
