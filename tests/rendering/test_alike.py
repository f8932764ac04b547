"""What is said once for many readers is what each of them would have been told by itself."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from bot.rendering.alike import Alike
from bot.rendering.rendered import Rendered
from bot.rendering.renderer import Renderer
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.notice import Contact, Notice, NoticeKind
from escalation.vocabulary import ClockKind, Measure, Purpose, Role, Tier
from tests.rendering.cast import DIRECTORY, KINDS, MINUTE, NOW, SMS, WOOD, incident, notice, scene

OTHER_COUNTY = Directory(units=[], enterprises=[], posts=[], people=[], fallback_unit="x")


def variants(first: Notice) -> list[Notice]:
    """The notice, and others that differ from it in one thing."""
    to = first.to
    readers = [
        to,
        msgspec.structs.replace(to, person="zhao", name="赵负"),
        msgspec.structs.replace(to, role=Role.MAIN_PERSON),
        msgspec.structs.replace(to, role=Role.DUTY_ROOM, person="", name="值班室"),
        msgspec.structs.replace(to, unit="qingshi", tier=Tier.TOWN),
        msgspec.structs.replace(to, unit=WOOD, tier=Tier.ENTERPRISE),
    ]
    found = [msgspec.structs.replace(first, id=f"{first.id}.{n}", to=each) for n, each in enumerate(readers)]
    changes: list[dict[str, object]] = [
        {"contact": Contact("sms", "13900130002")},
        {"purpose": Purpose.COPY},
        {"purpose": Purpose.ATTEND},
        {"clock": ClockKind.VERIFY},
        {"clock": None},
        {"duty": ""},
        {"due_at": NOW - MINUTE},
        {"note": "另有说明"},
        {"measure": Measure.SITE_CHECK},
        {"created_at": first.created_at - 90 * MINUTE},
    ]
    return found + [msgspec.structs.replace(first, **each) for each in changes]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_told_what_belongs_to_another(kind: NoticeKind) -> None:
    what, first = scene(kind)
    shared = Renderer(lambda: DIRECTORY)
    tight = replace(SMS, max_chars=60)
    for each in variants(first):
        for abilities in (SMS, tight):
            anew = Renderer(lambda: DIRECTORY).render(what, each, abilities, NOW)
            assert shared.render(what, each, abilities, NOW) == anew, each


def test_people_of_one_post_share_what_is_said_and_nothing_outlives_its_moment() -> None:
    alike, made = Alike(), list[str]()

    def say(what: Incident, each: Notice, directory: Directory = DIRECTORY, now: int = NOW) -> Rendered:
        def make() -> Rendered:
            made.append(each.id)
            return Rendered(text=each.id)

        return alike.say(what, each, SMS, directory, now, make)

    what, first = incident(), notice()
    colleague = msgspec.structs.replace(first, id="n2", to=msgspec.structs.replace(first.to, person="zhao"))
    assert say(what, first) is say(what, colleague)
    assert made == [first.id]
    later = incident(version=what.version + 1)
    others: list[tuple[Incident, Directory, int]] = [
        (later, DIRECTORY, NOW),
        (what, OTHER_COUNTY, NOW),
        (what, DIRECTORY, NOW + 1),
        (what, DIRECTORY, NOW),
    ]
    for number, (state, directory, now) in enumerate(others, start=2):
        say(state, first, directory, now)
        assert len(made) == number
