"""Nobody at the post when it was needed: whoever keeps the hub running hears it too, so that the roster is mended."""

from __future__ import annotations

from collections.abc import Iterable

from escalation.incident import Incident
from escalation.inputs import Context, Decision
from escalation.notice import Addressee, NoticeKind
from escalation.reach import maintainers
from escalation.telling import next_stage, tell
from escalation.vocabulary import Level, Purpose, Role, Urgency


def vacant(unit: str, roles: Iterable[Role], instead: Iterable[Addressee], ctx: Context) -> str:
    """One empty post in words: where nobody stood, and who hears instead."""
    names = "、".join(dict.fromkeys(who.name for who in instead))
    post = f"{ctx.directory.unit_name(unit)}{'、'.join(role.word for role in roles)}"
    return f"{post}岗位此刻无人，{f'已转由{names}接收' if names else '暂无人可接收'}，请补上值班安排"


def tell_vacancies(decision: Decision, incident: Incident, ctx: Context, found: Iterable[str]) -> None:
    """Tell the maintainers of the posts that were ``found`` empty for orange, red or critical; nothing where none was.
    Whoever hears instead is told apart from this."""
    note = "；".join(dict.fromkeys(found))
    grave = incident.urgency is Urgency.CRITICAL or incident.level in (Level.RED, Level.ORANGE)
    if not note or not grave:
        return
    tell(
        decision,
        incident,
        ctx,
        maintainers(ctx.directory, ctx.maintainers, ctx.now),
        kind=NoticeKind.QUARANTINE,
        purpose=Purpose.ATTEND,
        stage=next_stage(incident, NoticeKind.QUARANTINE),
        note=note,
    )
