"""From claims to letters: asked again, rendered within limits, frozen where a repeat must be identical."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec

from bot.rendering.rendered import Rendered
from bot.rendering.renderer import Renderer
from channels.channel import Abilities, Letter
from escalation.decide import still_needed
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.ledger.mailbox import Claim
from escalation.notice import Notice, OutboxRow
from escalation.roster import standing
from escalation.vocabulary import Urgency


class FrozenLetter(msgspec.Struct, array_like=True):
    """One message of a digest as it was frozen: its text and the notices that stand in it."""

    id: str
    text: str
    subject: str
    html: str
    notices: list[tuple[str, str]]


_read_frozen = msgspec.json.Decoder(list[FrozenLetter]).decode


@dataclass(slots=True)
class Parcel:
    """What one claim came to: letters to send, each with the (incident, notice) pairs it carries, and what was dropped.

    ``troubles`` are rendering failures that maintainers must hear of; the letters are then plain but true. ``plainer``
    makes the plainest form of a single letter, for a vendor that refuses its text.
    """

    letters: list[tuple[Letter, list[tuple[str, str]]]] = field(default_factory=list)
    dropped: list[tuple[str, str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    plainer: Callable[[], Letter] | None = None


def drop_reason(row: OutboxRow, incident: Incident | None, directory: Directory, now: int) -> str | None:
    """None when the row must still go out; else why not (:func:`escalation.decide.still_needed`)."""
    if not row.incident:
        return None
    notice = incident.notices.get(row.notice) if incident is not None else None
    at_post: frozenset[str] | None = None
    if notice is not None and incident is not None:
        posts = directory.posts_at(notice.to.unit, notice.to.role)
        if notice.to.person and posts and all(post.roster and not post.people for post in posts):
            people = standing(directory, notice.to.unit, notice.to.role, now)
            at_post = frozenset(each.key for each in people)
    return still_needed(incident, row.notice, at_post)


class Letters:
    """Makes letters out of claims."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def single(
        self, row: OutboxRow, incident: Incident | None, abilities: Abilities, directory: Directory, now: int
    ) -> Parcel:
        """The letter of one row, or why it need not be sent."""
        parcel = Parcel()
        reason = drop_reason(row, incident, directory, now)
        if reason is not None:
            parcel.dropped.append((row.incident, row.notice, reason))
            return parcel
        notice = incident.notices.get(row.notice) if incident is not None else None
        if incident is None or notice is None:
            rendered = self._renderer.plain(row.text, abilities)
        else:
            rendered = self._renderer.render(incident, notice, abilities, now)
            parcel.plainer = partial(self._plainer, row, _bare(incident, notice), abilities, now)
        if rendered.failed:
            parcel.troubles.append(rendered.error)
        parcel.letters.append((_letter(row.notice, row, rendered, now), [(row.incident, row.notice)]))
        return parcel

    def _plainer(self, row: OutboxRow, text: str, abilities: Abilities, now: int) -> Letter:
        return _letter(row.notice, row, self._renderer.plain(text, abilities), now)

    def overflow(self, claim: Claim, incidents: dict[str, Incident], abilities: Abilities, now: int) -> Parcel:
        """The one message that lists the critical codes when the vendor's window has a single token left."""
        codes = [row.incident for row in claim.rows if row.incident]
        first = incidents.get(codes[0]) if codes else None
        if first is None:
            return Parcel()
        rendered = self._renderer.render_overflow(codes, abilities, first.mode)
        return Parcel(letters=[(_letter(claim.member, claim.rows[0], rendered, now), [])])

    def digest(
        self, claim: Claim, incidents: dict[str, Incident], abilities: Abilities, directory: Directory, now: int
    ) -> tuple[Parcel, bytes]:
        """All of a digest's items that are still needed, in as few messages as the limit allows, and their bytes."""
        parcel = Parcel()
        items: list[tuple[Incident, Notice]] = []
        loose: list[OutboxRow] = []
        for row in claim.rows:
            incident = incidents.get(row.incident)
            reason = drop_reason(row, incident, directory, now)
            if reason is not None:
                parcel.dropped.append((row.incident, row.notice, reason))
            elif incident is None:
                loose.append(row)
            else:
                items.append((incident, incident.notices[row.notice]))
        frozen: list[FrozenLetter] = []
        while items:
            made = self._renderer.render_digest(items, abilities, now)
            carried = [(incident.code, notice.id) for incident, notice in made.taken]
            frozen.append(self._frozen(claim, len(frozen), made.rendered, carried))
            if made.rendered.failed:
                parcel.troubles.append(made.rendered.error)
            items = list(made.left)
        for row in loose:
            rendered = self._renderer.plain(row.text, abilities)
            frozen.append(self._frozen(claim, len(frozen), rendered, [("", row.notice)]))
        return parcel, msgspec.json.encode(frozen)

    def thaw(
        self, content: bytes, claim: Claim, incidents: dict[str, Incident], now: int
    ) -> list[tuple[Letter, list[tuple[str, str]]]]:
        """The letters of frozen bytes, the same text on every repeat; without those an earlier try got through."""
        row = claim.rows[0]
        return [
            (
                Letter(
                    id=each.id,
                    address=row.address,
                    text=each.text,
                    at=now,
                    subject=each.subject,
                    html=each.html,
                    thread=each.id,
                ),
                each.notices,
            )
            for each in _read_frozen(content)
            if any(not _went_out(incidents.get(code), notice) for code, notice in each.notices)
        ]

    def _frozen(self, claim: Claim, number: int, rendered: Rendered, carried: list[tuple[str, str]]) -> FrozenLetter:
        return FrozenLetter(f"{claim.member}.{number}", rendered.text, rendered.subject, rendered.html, carried)


def _went_out(incident: Incident | None, notice: str) -> bool:
    kept = incident.notices.get(notice) if incident is not None else None
    return kept is not None and kept.state.reached_vendor


def _letter(identity: str, row: OutboxRow, rendered: Rendered, now: int) -> Letter:
    return Letter(
        id=identity,
        address=row.address,
        text=rendered.text,
        at=now,
        subject=rendered.subject,
        html=rendered.html,
        thread=rendered.thread,
        thread_first=rendered.thread_first,
        mentions=rendered.mentions,
        critical=row.urgency is Urgency.CRITICAL,
    )


def _bare(incident: Incident, notice: Notice) -> str:
    """The plainest true sentence, for a vendor that refused the full text."""
    name = incident.short_name or incident.enterprise_name
    what = incident.level.word if incident.level else (incident.severity.word if incident.severity else "报警")
    return f"{what}{notice.purpose.word} {name} 编号{incident.code}"
