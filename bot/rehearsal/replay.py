"""``fenghuo replay``: a file of events and answers through the whole engine, on a store that is thrown away.

Each line is a CloudEvent (extension ``receivedtime`` where it arrived later than it happened) or an answer,
``{"reply": "签收", "by": "<person id>", "at": "<RFC 3339>"}``, optionally with ``"about": "<event id>"`` in place of a
code. What a source with a mapping sends stands as ``{"source": "gateway", "receivedtime": "<RFC 3339>", "body": …}``,
its own JSON as the body. Nothing is sent; time jumps from one due moment to the next.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import orjson

from bot.chat.rows import Sender
from bot.clock import PushedClock
from bot.door import Door
from bot.engine import Engine
from bot.gate import source_rules
from bot.incident_words import state_word
from bot.intake.body import parse
from bot.intake.gate import ItemVerdict
from bot.intake.items import read_items
from bot.intake.problems import Refused
from bot.intake.reading import ReadingRules, Unreadable, read
from bot.rehearsal.recording import recordings
from bot.rehearsal.told import Told, reader_of, told_of
from bot.rules import Rules
from bot.settings.models import Settings
from bot.store.supervisor import Supervisor
from bot.storehouse import SHARDS
from channels.channel import Letter, Uplink
from escalation.calendar import local
from escalation.event import Event
from escalation.incident import Incident
from escalation.inputs import Entry
from escalation.ledger.keys import partition_keys
from escalation.ledger.meta import open_meta
from escalation.vocabulary import Purpose, Role, Tier

_MOST = 10_000
"""Items in one body of a line."""


class BadLine(ValueError):
    """A line of the file that cannot be replayed; says which and why."""


class Answer(msgspec.Struct, kw_only=True):
    """An answer of the file: ``reply`` is what was typed, ``by`` a person of the directory."""

    reply: str
    by: str
    at: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, with the moment at which it arrives (milliseconds)."""

    number: int
    at: int
    item: Event | Unreadable | Answer


class EventVerdict(msgspec.Struct, kw_only=True):
    """What intake would have answered. ``at`` is the arrival."""

    line: int
    at: str
    id: str
    verdict: str
    code: str = ""
    reason: str = ""
    flags: list[str] = []


class AnswerVerdict(msgspec.Struct, kw_only=True):
    """What the bot would have answered."""

    line: int
    at: str
    by: str
    reply: str
    answer: str


class IncidentSummary(msgspec.Struct, kw_only=True):
    """How an incident stands at the end of the replay."""

    code: str
    kind: str
    mode: str
    enterprise: str
    enterprise_name: str
    point: str
    point_name: str
    level: str
    severity: str
    state: str
    state_word: str
    active: bool
    opened: str
    closed: str
    closed_reason: str
    raises: int
    flags: list[str]
    signed: list[str]
    rule: str


class Replayed(msgspec.Struct, kw_only=True):
    """The whole result, each list in order of time."""

    until: str
    events: list[EventVerdict]
    answers: list[AnswerVerdict]
    incidents: list[IncidentSummary]
    told: list[Told]


def read_lines(path: Path, settings: Settings) -> list[Line]:
    """The file's lines in order of arrival. Raises BadLine, OSError."""
    zone = ZoneInfo(settings.hub.zone)
    known = {
        name: source_rules(name, table, settings, honour_received=True).reading
        for name, table in settings.sources.items()
    }
    lines: list[Line] = []
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        if raw.strip():
            lines += _lines(number, raw, known, zone)
    return sorted(lines, key=lambda line: line.at)


def _lines(number: int, raw: bytes, known: Mapping[str, ReadingRules], zone: ZoneInfo) -> list[Line]:
    try:
        table = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadLine(f"第 {number} 行不是 JSON：{error} / line {number} is no JSON: {error}") from None
    if not isinstance(table, dict):
        raise BadLine(f"第 {number} 行应为一个对象 / line {number} must be an object")
    if "reply" in table:
        try:
            answer = msgspec.convert(table, Answer)
            return [Line(number, _moment(answer.at, zone), answer)]
        except (msgspec.ValidationError, ValueError) as error:
            raise BadLine(f"第 {number} 行的答复有误：{error} / line {number}: {error}") from None
    arrival = table.get("receivedtime") or table.get("time")
    if not isinstance(arrival, str):
        raise BadLine(f"第 {number} 行缺少 time / line {number} has no time")
    try:
        at = _moment(arrival, zone)
        source = str(table.get("source") or "replay").rstrip("/").rpartition("/")[2] or "replay"
        rules = known.get(source) or ReadingRules(zone=zone, honour_received=True)
        if rules.mapping is not None and "body" in table:
            document = parse(orjson.dumps(table["body"]), _MOST)
            return [Line(number, at, item) for item in read_items(document, source, rules, at)]
        return [Line(number, at, read(parse(raw, 1), source, rules, at)[0])]
    except (ValueError, Refused) as error:
        raise BadLine(f"第 {number} 行的事件有误：{error} / line {number}: {error}") from None


def _moment(text: str, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return round(aware.timestamp() * 1000)


async def replay(settings: Settings, lines: list[Line], until: int | None) -> Replayed:
    """Run the lines, then let time pass up to ``until`` (default: the last line's moment)."""
    with tempfile.TemporaryDirectory(prefix="fenghuo-replay-") as folder:
        supervisor = Supervisor(Path(folder))
        await supervisor.start()
        try:
            async with supervisor.store() as store:
                return await replay_on(Door(store), settings, lines, until)
        finally:
            await supervisor.stop()


async def replay_on(door: Door, settings: Settings, lines: list[Line], until: int | None) -> Replayed:
    """The same on an empty store that is there already."""
    start = min((line.at for line in lines), default=until or 0)
    clock = PushedClock(start)
    sent: list[tuple[int, str, str]] = []

    def heard(channel: str, letter: Letter) -> None:
        sent.append((clock.now(), letter.id, channel))

    rules = Rules.of(settings, recordings(settings, heard))
    meta = await open_meta(door, store_id="replay", partitions=settings.hub.partitions, shards=SHARDS, now=start)
    with tempfile.TemporaryDirectory() as journal:
        engine = Engine(door, meta, rules, clock, journal_folder=Path(journal))
        result = Replayed(until="", events=[], answers=[], incidents=[], told=[])
        codes: dict[str, str] = {}
        for line in lines:
            await engine.advance(line.at)
            if isinstance(line.item, Answer):
                result.answers.append(await _answer(engine, line, line.item, codes))
            else:
                result.events.append(await _event(engine, line, line.item, codes))
        end = max([until or 0, *(line.at for line in lines)])
        await engine.advance(end)
        result.until = _shown(end)
        await _gather(engine, door, result)
        return result


async def _event(engine: Engine, line: Line, item: Event | Unreadable, codes: dict[str, str]) -> EventVerdict:
    verdict = (await engine.take([item]))[0]
    await engine.rest()
    if not isinstance(verdict, ItemVerdict):
        return EventVerdict(
            line=line.number, at=_shown(line.at), id=verdict.id, verdict="conflict", reason=verdict.reason
        )
    if verdict.code:
        codes[verdict.id] = verdict.code
    return EventVerdict(
        line=line.number,
        at=_shown(line.at),
        id=verdict.id,
        verdict=verdict.verdict.value,
        code=verdict.code,
        reason=verdict.reason,
        flags=[flag.value for flag in verdict.flags],
    )


async def _answer(engine: Engine, line: Line, answer: Answer, codes: dict[str, str]) -> AnswerVerdict:
    person = engine.rules.directory.people.get(answer.by)
    if person is None:
        raise BadLine(f"第 {line.number} 行：人员 {answer.by} 不在配置中 / line {line.number}: no person {answer.by}")
    text = f"{answer.reply} {codes[answer.about]}" if answer.about in codes else answer.reply
    digest = hashlib.sha256(f"{line.number}\x1f{answer.by}\x1f{answer.reply}".encode()).hexdigest()[:16]
    contact = person.contacts[0] if person.contacts else None
    uplink = Uplink(
        channel=contact.channel if contact else "replay",
        message_id=f"replay-{digest}",
        sender=contact.address if contact else answer.by,
        text=text,
        at=line.at,
    )
    said = await engine.answering.answer(uplink, engine.clock.now(), sender=Sender(person=answer.by))
    await engine.rest()
    return AnswerVerdict(line=line.number, at=_shown(line.at), by=answer.by, reply=answer.reply, answer=said)


async def _gather(engine: Engine, door: Door, result: Replayed) -> None:
    """Incidents from the ledger, notices from their journals, so that none is missing that the state has forgotten."""
    for partition in range(engine.partitions):
        codes = [code.decode() for code in await door.execute("HKEYS", partition_keys(partition).incidents)]
        for incident in await engine.ledger.get_many(sorted(codes)) if codes else []:
            if incident is not None:
                result.incidents.append(_summary(incident))
                result.told += await _notices(engine, incident)
    result.incidents.sort(key=lambda each: (each.opened, each.code))
    result.told.sort(key=lambda each: (each.at, each.incident))


async def _notices(engine: Engine, incident: Incident) -> list[Told]:
    rows = await engine.journal.rows(incident.code)
    sent: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.entry.reason in ("receipt_submitted", "receipt_uncertain"):
            sent[row.entry.notice].append(row.entry.at)
    lines: dict[str, Told] = {}
    why = ""
    for row in rows:
        entry = row.entry
        if entry.reason == "shares_a_send":
            if entry.notice in lines:
                lines[entry.notice].also.append(reader_of(entry, engine.rules.directory))
        elif not entry.reason.startswith("told"):
            why = entry.reason
        elif entry.reason == "told" and entry.notice in sent:
            lines[entry.notice] = _from_journal(engine, incident, entry, sent[entry.notice][0], why, sent=True)
        else:
            lines[entry.notice] = _from_journal(engine, incident, entry, entry.at, why, sent=False)
    return list(lines.values())


def _from_journal(engine: Engine, incident: Incident, entry: Entry, at: int, why: str, *, sent: bool) -> Told:
    detail = entry.detail
    purpose = Purpose(str(detail["purpose"]))
    return told_of(
        incident_code=incident.code,
        opened_at=incident.opened_at,
        kind=str(detail["kind"]),
        purpose=(purpose.value, purpose.word),
        tier=Tier(str(detail["tier"])),
        unit=str(detail["unit"]),
        role=Role(str(detail["role"])),
        person=entry.actor.rpartition("/")[2],
        name=str(detail["name"]),
        channel=str(detail["channel"]),
        directory=engine.rules.directory,
        at=at,
        why=why,
        sent=sent,
    )


def _summary(incident: Incident) -> IncidentSummary:
    return IncidentSummary(
        code=incident.code,
        kind=incident.kind.value,
        mode=incident.mode.value,
        enterprise=incident.enterprise,
        enterprise_name=incident.enterprise_name or incident.enterprise,
        point=incident.point,
        point_name=incident.point_name,
        level=incident.level.value if incident.level else "",
        severity=incident.severity.value if incident.severity else "",
        state=incident.state.value,
        state_word=state_word(incident),
        active=incident.active,
        opened=_shown(incident.opened_at),
        closed=_shown(incident.closed_at) if incident.closed_at else "",
        closed_reason=incident.closed_reason,
        raises=incident.raises,
        flags=[flag.value for flag in incident.flags],
        signed=[f"{duty.signed.name} {_shown(duty.signed.at)}" for duty in incident.duties if duty.signed],
        rule=incident.plan.rule,
    )


def _shown(ms: int) -> str:
    return local(ms).isoformat(timespec="seconds")
