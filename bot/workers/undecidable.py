"""What the rules cannot decide, or whose incident cannot be read, is kept, told, and keeps nobody else waiting.

An event goes into quarantine. A receipt and an answer leave a row in the incident's journal. That an incident as a
whole is stuck, so that its clocks stand still, is told to the fallback duty room and the maintainers once a day,
whatever runs into it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from hashlib import blake2s

import msgspec

from bot.intake.problems import FieldError
from bot.intake.reading import Unreadable
from bot.rendering.neutral import mask, visible
from bot.workers.quarantine import told_row
from bot.workers.strays import fallback_room
from escalation.calendar import local
from escalation.event import Event
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Entry, Receipt, Reply
from escalation.ledger.change import Change, Taken
from escalation.ledger.keys import US, partition_of_code
from escalation.ledger.states import Damaged
from escalation.ledger.turning import Claim
from escalation.notice import OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import Mode, Urgency

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Incident).decode


def why_of(error: Exception) -> str:
    """What went wrong, in a line without phone numbers."""
    return mask(visible(f"{type(error).__name__}: {error}"))[:200]


def undecidable_event(event: Event, why: str) -> Unreadable:
    """The quarantine's row of an event that was read and could not be decided."""
    what = (event.enterprise_name or event.enterprise or event.source, event.point_name or event.point)
    degree = event.level or event.severity
    gist = " ".join((event.type.value, *(visible(each) for each in what if each), *([degree.word] if degree else [])))
    try:
        raw, kept = _encode(event).decode(), event
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError):
        raw, kept = ascii(event), None
    return Unreadable(
        source=event.source,
        index=0,
        id=visible(event.id),
        problems=(FieldError("", f"无法处理：{why}", f"cannot be decided: {why}"),),
        received_at=event.received_at,
        body_hash=event.body_hash,
        raw=raw,
        mode=event.mode,
        gist=gist,
        event=kept,
    )


class Careful:
    """Decides one input after the other on one incident, so that the one that fails leaves the state as it was.

    Slower than deciding them in one go, and so done only after that has failed.
    """

    def __init__(self, incident: Incident | None) -> None:
        self._kept = None if incident is None else _encode(incident)

    def keep(self, decision: Decision, incident: Incident | None) -> None:
        """Remember the state after a decision; raises when anything of it could not be written."""
        _encode((decision.entries, decision.outbox))
        self._kept = None if incident is None else _encode(incident)

    def back(self) -> Incident | None:
        """The state before the decision that failed."""
        return None if self._kept is None else _decode(self._kept)


def stuck_incident(code: str, why: str, mode: Mode, partitions: int, ctx: Context, claimed_until: int) -> Change:
    """The word that an incident is stuck: a row of its journal and notices to people, once a day however often this is
    committed."""
    day = f"{local(ctx.now):%Y%m%d}"
    partition = partition_of_code(code, partitions)
    room = f"警情 {code} 的记录出现异常，系统无法继续计时、升级和登记答复，请人工跟进，可能是真实报警。"
    keeper = f"警情 {code} 无法处理，时限停走，请尽快检查：{why}"
    rows: dict[str, OutboxRow] = {}
    for who in fallback_room(ctx.directory, ctx.now):
        for row in told_row(f"x.{code}.{day}", who, f"{mode.mark}{room}", partition, ctx, Urgency.CRITICAL):
            rows.setdefault(row.notice, row)
    for who in maintainers(ctx.directory, ctx.maintainers, ctx.now):
        for row in told_row(f"x.{code}.{day}", who, f"{mode.mark}{keeper}", partition, ctx, Urgency.NORMAL):
            rows.setdefault(row.notice, row)
    return Change(
        partition=partition,
        now=ctx.now,
        takes=[Taken(f"x{US}{code}{US}{day}", "", b"")],
        entries=[Entry(at=ctx.now, reason="incident_stuck", incident=code, detail={"why": why})],
        outbox=list(rows.values()),
        claimed_until=claimed_until,
    )


def undecided_receipt(code: str, receipt: Receipt, why: str, partitions: int, now: int) -> Change:
    """The journal's row of a receipt that could not be recorded in its incident; the same receipt again writes none."""
    taken = Taken(_id(f"xr{US}{code}", _encode(receipt)), "", b"")
    entry = Entry(
        at=now,
        reason="receipt_undecided",
        incident=code,
        notice=receipt.notice,
        detail={
            "result": receipt.result,
            "vendor_id": receipt.vendor_id,
            "detail": receipt.detail,
            "tries": receipt.tries,
            "why": why,
        },
    )
    return Change(partition=partition_of_code(code, partitions), now=now, takes=[taken], entries=[entry])


def kept_words(code: str) -> str:
    """What somebody hears whose answer could not be recorded in its incident."""
    return f"{code} 的记录暂时无法处理，您的答复已登记并转告值班室，但没有生效，请同时电话联系值班室。"


def undecided_reply(
    code: str, reply: Reply, why: str, mode: Mode, taken: Taken, partition: int, ctx: Context, claimed_until: int
) -> Change:
    """An answer that could not be recorded in its incident: all its words in the journal, and the fallback duty room
    hears of it, since somebody may rely on it."""
    person = ctx.directory.people.get(reply.person)
    room = f"{ctx.directory.unit_name(reply.unit)}{reply.role.word if reply.role else ''}"
    said = f"{mode.mark}{person.name if person else room}答复 {code}“{reply.verb.word}”，系统无法登记，请人工记录。"
    rows: dict[str, OutboxRow] = {}
    for who in fallback_room(ctx.directory, ctx.now):
        stem = _id(f"xp.{code}", reply.id.encode(errors="replace")).replace(US, ".")
        for row in told_row(stem, who, said, partition, ctx, Urgency.NORMAL):
            rows.setdefault(row.notice, row)
    detail: dict[str, str | int | float | bool | None] = {
        "verb": reply.verb,
        "channel": reply.channel,
        "text": mask(reply.text),
        "cause": mask(reply.cause),
        "why": why,
    }
    actor = reply.person or f"{reply.unit}/{reply.role or ''}"
    entry = Entry(at=ctx.now, reason="reply_undecided", incident=code, actor=actor, detail=detail)
    return Change(
        partition=partition,
        now=ctx.now,
        takes=[taken],
        entries=[entry],
        outbox=list(rows.values()),
        claimed_until=claimed_until,
    )


def say_bare(claims: Iterable[Claim], damaged: Mapping[str, Damaged]) -> None:
    """What is owed about an incident that cannot be read is told all the same, with the little that is known."""
    for claim in claims:
        claim.rows[:] = [
            msgspec.structs.replace(row, text=_bare_words(damaged[row.incident])) if row.incident in damaged else row
            for row in claim.rows
        ]


def _bare_words(damaged: Damaged) -> str:
    """What a notice of an incident that cannot be read says, so that nobody who was to be told hears nothing."""
    return f"{damaged.mode.mark}警情 {damaged.code} 请立即核实：记录暂时无法读取，可能是真实报警，详情请询问值班室。"


def _id(stem: str, content: bytes) -> str:
    return f"{stem}{US}{blake2s(content, digest_size=12).hexdigest()}"
