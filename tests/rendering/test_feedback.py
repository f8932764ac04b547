"""What a webhook carries: CloudEvents by their published schema, naming what people did and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bot.rendering.renderer import Renderer
from escalation.incident import IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import Mode, Purpose, Verb
from tests.rendering.cast import DIRECTORY, MINUTE, NOW, WEBHOOK, deed, incident, notice, scene

SCHEMA = Path(__file__).parents[2] / "docs" / "schema"
RENDERER = Renderer(lambda: DIRECTORY)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = orjson.loads((SCHEMA / "feedback.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


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
    made = incident(deeds=[deed(at=NOW - MINUTE), deed(verb, text="已核实")])

    event = told(validator, RENDERER.render(made, notice(NoticeKind.FEEDBACK, Purpose.COPY), WEBHOOK, NOW).text)

    assert event["type"] == kind
    assert event["data"]["deed"]["verb"] == verb
    assert event["data"]["deed"]["post"]["unit_name"] == "示例木业有限公司"
    assert event["data"]["active"] is True


def test_a_later_deed_does_not_change_what_a_notice_tells(validator: Draft202012Validator) -> None:
    made = incident(deeds=[deed(at=NOW - MINUTE), deed(Verb.DISPOSE, at=NOW + MINUTE)])

    event = told(validator, RENDERER.render(made, notice(NoticeKind.FEEDBACK), WEBHOOK, NOW + 2 * MINUTE).text)

    assert event["type"] == "incident.signed"


def test_a_close_says_when_and_why(validator: Draft202012Validator) -> None:
    made = incident(state=IncidentState.CLOSED, active=False, closed_at=NOW, closed_reason="cleared", deeds=[deed()])

    event = told(validator, RENDERER.render(made, notice(NoticeKind.FEEDBACK), WEBHOOK, NOW).text)

    assert event["type"] == "incident.closed"
    assert event["data"]["closed_at"] == "2026-11-22T02:13:00+08:00"
    assert event["data"]["closed_reason"] == "cleared"


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_fits_the_schema(validator: Draft202012Validator, kind: NoticeKind) -> None:
    made, sent = scene(kind)

    event = told(validator, RENDERER.render(made, sent, WEBHOOK, NOW).text)

    assert event["subject"] == made.code
    assert event["id"] == sent.id


def test_digests_sentences_and_the_last_resort_fit_the_schema(validator: Draft202012Validator) -> None:
    items = [scene(kind) for kind in NoticeKind]
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
    made = incident(deeds=[deed(text="请回电13800130001")])

    text = RENDERER.render(made, notice(NoticeKind.FEEDBACK), WEBHOOK, NOW).text

    assert "13800130001" not in text
    assert "138xxxx0001" in text
