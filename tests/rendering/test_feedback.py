"""What a webhook carries: CloudEvents by their published schema, naming what people did and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bot.rendering.renderer import Renderer
from escalation.deed import Deed
from escalation.incident import IncidentState
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Mode, Purpose, Verb
from tests.rendering.cast import DIRECTORY, KINDS, MINUTE, NOW, WEBHOOK, deed, duty, incident, notice, scene

SCHEMA = Path(__file__).parents[2] / "docs" / "schema"
RENDERER = Renderer(lambda: DIRECTORY)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = orjson.loads((SCHEMA / "feedback.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def feedback(told_of: Deed | None, note: str = "") -> Notice:
    return notice(NoticeKind.FEEDBACK, Purpose.COPY, deed=told_of, note=note or (told_of.verb if told_of else ""))


def closing(by: Deed | None, reason: str) -> Notice:
    return feedback(by, f"closed:{reason}")


def told(validator: Draft202012Validator, text: str) -> Any:
    event = orjson.loads(text)
    validator.validate(event)
    return event


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        (Verb.SIGN, "incident.signed"),
        (Verb.VERIFY, "incident.verified"),
        (Verb.DISPOSE, "incident.disposed"),
        (Verb.CLEAR, "incident.clear_requested"),
        (Verb.FALSE_ALARM, "incident.false_alarm_requested"),
        (Verb.PHONED, "incident.phoned"),
        (Verb.FED_BACK, "incident.fed_back"),
        (Verb.TRANSFER, "incident.transferred"),
        (Verb.EXTEND, "incident.extension_requested"),
        (Verb.APPROVE, "incident.request_approved"),
        (Verb.REFUSE, "incident.request_refused"),
        (Verb.UNDO, "incident.undone"),
        (Verb.URGE, "incident.urged"),
    ],
)
def test_each_deed_has_its_type(validator: Draft202012Validator, verb: Verb, kind: str) -> None:
    made = incident(deeds=[deed(at=NOW - MINUTE)])
    sent = feedback(deed(verb, text="已核实"))

    event = told(validator, RENDERER.render(made, sent, WEBHOOK, NOW).text)

    assert event["type"] == kind
    assert event["data"]["deed"]["verb"] == verb
    assert event["data"]["deed"]["post"]["unit_name"] == "示例木业有限公司"
    assert event["data"]["active"] is True


def test_what_is_told_late_is_what_was_done_then(validator: Draft202012Validator) -> None:
    """The deed was taken back meanwhile, and another was done; the message of then stays as it was."""
    made = incident(deeds=[deed(Verb.DISPOSE, at=NOW + MINUTE)])

    event = told(validator, RENDERER.render(made, feedback(deed()), WEBHOOK, NOW + 2 * MINUTE).text)

    assert event["type"] == "incident.signed"
    assert event["data"]["deed"]["at"] == "2026-11-22T02:12:30+08:00"
    assert event["time"] == "2026-11-22T02:13:00+08:00"


def test_a_close_says_when_and_why_and_by_whom(validator: Draft202012Validator) -> None:
    made = incident(state=IncidentState.CLOSED, active=False, closed_at=NOW, closed_reason="accepted_clear")
    asked = deed(Verb.CLEAR, at=NOW)

    event = told(validator, RENDERER.render(made, closing(asked, "accepted_clear"), WEBHOOK, NOW + MINUTE).text)

    assert event["type"] == "incident.closed"
    assert event["data"]["closed_at"] == "2026-11-22T02:13:00+08:00"
    assert event["data"]["closed_reason"] == "accepted_clear"
    assert event["data"]["closed_by"]["name"] == "张安"
    assert "已关闭" in event["data"]["text"]


def test_a_close_by_upstreams_own_word_names_nobody(validator: Draft202012Validator) -> None:
    made = incident(state=IncidentState.CLOSED, active=False, closed_at=NOW, closed_reason="cleared_upstream")

    event = told(validator, RENDERER.render(made, closing(None, "cleared_upstream"), WEBHOOK, NOW).text)

    assert event["type"] == "incident.closed"
    assert (event["data"]["closed_by"], event["data"]["deed"]) == (None, None)


def test_a_close_that_is_told_after_the_next_raise_is_still_that_close(validator: Draft202012Validator) -> None:
    event = told(validator, RENDERER.render(incident(), closing(deed(), "accepted_clear"), WEBHOOK, NOW).text)

    assert (event["type"], event["data"]["state"]) == ("incident.closed", "closed")
    assert event["data"]["closed_reason"] == "accepted_clear"


def test_an_answer_to_the_hub_is_not_a_feedback_in_the_official_system(validator: Draft202012Validator) -> None:
    answered = incident(duties=[duty(signed=deed(), verified=deed(Verb.VERIFY), disposed=deed(Verb.DISPOSE))])
    given = incident(duties=[duty(signed=deed(), fed_back=deed(Verb.FED_BACK, name="王值班"))])

    before = told(validator, RENDERER.render(answered, feedback(deed(Verb.DISPOSE)), WEBHOOK, NOW).text)
    after = told(validator, RENDERER.render(given, feedback(deed(Verb.FED_BACK)), WEBHOOK, NOW).text)

    assert before["data"]["fed_back"] == []
    assert [each["name"] for each in after["data"]["fed_back"]] == ["王值班"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_the_schema(validator: Draft202012Validator, kind: NoticeKind) -> None:
    made, sent = scene(kind)

    event = told(validator, RENDERER.render(made, sent, WEBHOOK, NOW).text)

    assert event["subject"] == made.code
    assert event["id"] == sent.id


def test_digests_sentences_and_the_last_resort_fit_the_schema(validator: Draft202012Validator) -> None:
    items = [scene(kind) for kind in KINDS]
    digest = told(validator, RENDERER.render_digest(items, WEBHOOK, NOW).rendered.text)
    sentence = told(validator, RENDERER.plain("查询不到编号A9999", WEBHOOK, Mode.TEST).text)
    overflow = told(validator, RENDERER.render_overflow(["A0001", "A0002"], WEBHOOK, Mode.ACTUAL).text)
    broken = incident(value="no number")
    last = RENDERER.render(broken, notice(), WEBHOOK, NOW)

    assert len(digest["data"]["items"]) == len(items)
    assert sentence["data"]["text"] == "【测试】查询不到编号A9999"
    assert "A0002" in overflow["data"]["text"]
    assert last.failed
    assert "A0231" in told(validator, last.text)["data"]["text"]


def test_the_example_is_what_the_hub_makes(validator: Draft202012Validator) -> None:
    example = told(validator, (SCHEMA / "examples" / "feedback.json").read_text(encoding="utf-8"))

    assert example == orjson.loads(RENDERER.render(*scene(NoticeKind.FEEDBACK), WEBHOOK, NOW).text)


def test_phone_numbers_do_not_go_upstream() -> None:
    text = RENDERER.render(incident(), feedback(deed(text="请回电13800130001")), WEBHOOK, NOW).text

    assert "13800130001" not in text
    assert "138xxxx0001" in text
