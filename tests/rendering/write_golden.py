"""The golden messages: a representative set, as readers get them.

``python -m tests.rendering.write_golden`` writes them anew; read the difference before keeping it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson

from bot.rendering.renderer import Renderer
from channels.channel import Abilities, Form
from escalation.event import Flag
from escalation.incident import Incident
from escalation.notice import Contact, Notice, NoticeKind
from escalation.vocabulary import Mode, Purpose
from tests.rendering.cast import (
    APP,
    CALL,
    CHANNELS,
    DIRECTORY,
    GROUP,
    KINDS,
    MAIL,
    MINUTE,
    NOW,
    SMS,
    incident,
    notice,
    scene,
    warning,
)

FOLDER = Path(__file__).parent / "golden"
_MAIL_KINDS = (NoticeKind.RAISED, NoticeKind.ESCALATED, NoticeKind.SIGNED, NoticeKind.OFFICIAL)


def messages() -> Iterator[tuple[str, str]]:
    """Every golden message as (file name, content)."""
    renderer = Renderer(lambda: DIRECTORY, lambda _incident, _notice: "https://hub.example/p/0123456789abcdef")
    for kind in KINDS:
        made, told = scene(kind)
        yield f"sms/{kind}.txt", renderer.render(made, told, SMS, NOW).text
        yield f"wecom/{kind}.md", renderer.render(made, told, GROUP, NOW).text
        yield f"text/{kind}.txt", renderer.render(made, _to_a_person(told), APP, NOW).text
    for kind in _MAIL_KINDS:
        made, told = _with_a_past(*scene(kind))
        out = renderer.render(made, told, MAIL, NOW)
        yield f"mail/{kind}.txt", f"Subject: {out.subject}\n\n{out.text}"
        yield f"mail/{kind}.html", out.html
    for kind in (NoticeKind.REMIND, NoticeKind.ESCALATED):
        yield f"voice/{kind}.txt", renderer.render(*scene(kind), CALL, NOW).text
    yield from _variants(renderer)
    feedback = renderer.render(*scene(NoticeKind.FEEDBACK), CHANNELS["webhook"], NOW).text
    yield "webhook/feedback.json", orjson.dumps(orjson.loads(feedback), option=orjson.OPT_INDENT_2).decode()
    items = [(warning(), notice(purpose=Purpose.ATTEND, id="w")), scene(NoticeKind.REMIND), scene(NoticeKind.SIGNED)]
    for name, channel in (
        ("sms/digest.txt", SMS),
        ("wecom/digest.md", GROUP),
        ("text/digest.txt", APP),
        ("mail/digest.txt", MAIL),
    ):
        yield name, renderer.render_digest(items, channel, NOW).rendered.text
    yield "sms/overflow.txt", renderer.render_overflow(["A0231", "A0232"], SMS, Mode.ACTUAL).text
    yield "sms/plain.txt", renderer.plain("您有2条未签收：A0231、W0045。请回复1加编号", SMS, Mode.EXERCISE).text


def _variants(renderer: Renderer) -> Iterator[tuple[str, str]]:
    drill = incident(mode=Mode.EXERCISE)
    odd = incident(flags=(Flag.CLOCK_SKEWED, Flag.UNKNOWN_POINT), raises=3)
    long = incident(
        mode=Mode.EXERCISE,
        enterprise_name="示例省示例市示例精密金属制品制造有限责任公司",
        point_name="2号干式除尘器灰斗内部上层左侧靠近检修口温度",
    )
    cases: list[tuple[str, Incident, Notice, Abilities]] = [
        ("raised_exercise", drill, notice(), SMS),
        ("raised_attend", incident(), notice(purpose=Purpose.ATTEND), SMS),
        ("raised_copy", incident(), notice(purpose=Purpose.COPY), SMS),
        ("raised_warning", warning(), notice(), SMS),
        ("raised_long_names", long, notice(), SMS),
        ("raised_odd", odd, notice(), SMS),
        ("raised_exercise", drill, notice(), GROUP),
        ("raised_attend", incident(), notice(purpose=Purpose.ATTEND), GROUP),
        ("raised_warning", warning(), notice(), GROUP),
        ("raised_odd", odd, notice(), GROUP),
    ]
    for name, made, told, channel in cases:
        folder, ending = ("sms", "txt") if channel.form is Form.SMS else ("wecom", "md")
        yield f"{folder}/{name}.{ending}", renderer.render(made, told, channel, NOW).text


def _with_a_past(made: Incident, told: Notice) -> tuple[Incident, Notice]:
    first = notice(id="first", created_at=NOW - MINUTE, submitted_at=NOW - MINUTE)
    mail = Contact(channel="mail", address="room@example.com")
    return msgspec.structs.replace(made, notices={"first": first}), msgspec.structs.replace(told, contact=mail)


def _to_a_person(told: Notice) -> Notice:
    """The same notice to somebody by name, who gets a link of their own."""
    return (
        told if told.to.person else msgspec.structs.replace(told, to=msgspec.structs.replace(told.to, person="zhang"))
    )


def write() -> None:
    """Replace the folder's files by what is rendered now."""
    for old in FOLDER.rglob("*.*"):
        old.unlink()
    for name, text in messages():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
