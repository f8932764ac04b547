"""From claims to letters: asked again, rendered within limits, frozen where a repeat must be identical."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2s

import msgspec

from bot.rendering.rendered import Rendered
from bot.rendering.renderer import Renderer
from channels.channel import Abilities, Letter
from escalation.decide import still_needed
from escalation.deciding.cards import CARD_BOX
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.ledger.keys import US
from escalation.ledger.trials import TRIAL
from escalation.ledger.turning import Claim
from escalation.notice import Notice, NoticeKind, OutboxRow
from escalation.roster import belongs, standing
from escalation.vocabulary import Mode, Purpose, Urgency

TRIAL_LIFE = 15 * 60_000
"""A test message that could not leave for so long is not sent any more (ms): nobody wants it at night."""


class FrozenLetter(msgspec.Struct, array_like=True):
    """One message of a digest as it was frozen: its text and the (incident, notice) pairs that stand in it. ``changes``
    is the handle of the card that it changes, where it is no message of its own."""

    id: str
    text: str
    subject: str
    html: str
    notices: list[tuple[str, str]]
    mode: Mode
    changes: str = ""


class FrozenDigest(msgspec.Struct, array_like=True):
    """A digest as it was frozen: its messages, and what was left out of it as (incident, notice, reason)."""

    letters: list[FrozenLetter]
    dropped: list[tuple[str, str, str]]


_read_frozen = msgspec.json.Decoder(FrozenDigest).decode


@dataclass(slots=True)
class Parcel:
    """What one claim came to: letters to send, each with the (incident, notice) pairs it carries, and what was dropped.

    ``troubles`` are rendering failures that maintainers must hear of; the letters are then plain but true. ``plainer``
    makes the plainest form of a letter by its id, for a vendor that refuses its text.
    """

    letters: list[tuple[Letter, list[tuple[str, str]]]] = field(default_factory=list)
    dropped: list[tuple[str, str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    plainer: dict[str, Callable[[], Letter]] = field(default_factory=dict)


def drop_reason(row: OutboxRow, incident: Incident | None, directory: Directory, now: int) -> str | None:
    """None when the row must still go out; else why not (:func:`escalation.decide.still_needed`). Of a row that brings
    its own words nobody can say that it is not."""
    if row.notice.startswith(TRIAL) and now - row.created_at > TRIAL_LIFE:
        return "test_too_old"
    if not row.incident or row.text:
        return None
    notice = incident.notices.get(row.notice) if incident is not None else None
    at_post: frozenset[str] | None = None
    if notice is not None and incident is not None:
        to = notice.to
        if to.person and not notice.also and not belongs(directory, to.unit, to.role, to.person, incident.point):
            # Taken out of the configuration while this waited: an enterprise's affairs are no longer theirs.
            gone = "off_duty" if notice.purpose is Purpose.ACT else "left_post"
            return still_needed(incident, row.notice, None) or gone
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
            rendered = self._renderer.plain(row.text, abilities, _mode_of(row.text))
            rendered = replace(rendered, subject=row.subject or rendered.subject)
        elif notice.kind is NoticeKind.CARD:
            shown = Rendered(text=notice.note, card=self._renderer.changed_card(incident, notice, abilities, now))
            letter = _letter(row.notice, row, shown, now, changes=notice.handle)
            parcel.letters.append((letter, [(row.incident, row.notice)]))
            return parcel
        else:
            rendered = self._renderer.render(incident, notice, abilities, now)
            bare = _bare(incident, notice)
            parcel.plainer[row.notice] = partial(self._plainer, row.notice, row, bare, incident.mode, abilities, now)
        if rendered.failed:
            parcel.troubles.append(rendered.error)
        parcel.letters.append((_letter(row.notice, row, rendered, now), [(row.incident, row.notice)]))
        return parcel

    def _plainer(self, identity: str, row: OutboxRow, text: str, mode: Mode, abilities: Abilities, now: int) -> Letter:
        return _letter(identity, row, self._renderer.plain(text, abilities, mode), now)

    def overflow(
        self, claim: Claim, incidents: dict[str, Incident], abilities: Abilities, directory: Directory, now: int
    ) -> Parcel:
        """The one message that lists the critical codes when the vendor's window has a single token left: those that
        must still be told, of one mode only, the actual ones first."""
        live = [
            (row, incident)
            for row in claim.rows
            if (incident := incidents.get(row.incident)) is not None
            and drop_reason(row, incident, directory, now) is None
        ]
        mode = next((mode for mode in Mode if any(incident.mode is mode for _, incident in live)), None)
        if mode is None:
            return Parcel()
        codes = dict.fromkeys(incident.code for _, incident in live if incident.mode is mode)
        rendered = self._renderer.render_overflow(list(codes), abilities, mode)
        return Parcel(letters=[(_letter(_identity(claim), claim.rows[0], rendered, now), [])])

    def digest(
        self, claim: Claim, incidents: dict[str, Incident], abilities: Abilities, directory: Directory, now: int
    ) -> tuple[list[str], bytes, set[str]]:
        """One message of a digest's items that are still needed, as many as its limit allows, as bytes to be frozen;
        the rendering failures on the way; and the notices that did not fit into it or are of another mode. It took one
        token, so it is one message."""
        troubles: list[str] = []
        dropped: list[tuple[str, str, str]] = []
        items: list[tuple[Incident, Notice]] = []
        loose: list[OutboxRow] = []
        changes: list[FrozenLetter] = []
        for row in claim.rows:
            incident = incidents.get(row.incident)
            reason = drop_reason(row, incident, directory, now)
            if reason is not None:
                dropped.append((row.incident, row.notice, reason))
            elif incident is None:
                loose.append(row)
            elif row.kind is NoticeKind.CARD:
                changes.append(_frozen_change(incident, incident.notices[row.notice]))
            else:
                items.append((incident, incident.notices[row.notice]))
        letters = changes
        if items:
            made = self._renderer.render_digest(items, abilities, now)
            carried = [(incident.code, notice.id) for incident, notice in made.taken]
            letters.append(_frozen(claim, made.rendered, carried, made.taken[0][0].mode))
            if made.rendered.failed:
                troubles.append(made.rendered.error)
        elif loose:
            mode, rendered, rows = self._sentences(loose, abilities)
            letters.append(_frozen(claim, rendered, [(row.incident, row.notice) for row in rows], mode))
        told = {notice for letter in letters for _, notice in letter.notices} | {notice for _, notice, _ in dropped}
        left = {row.notice for row in claim.rows} - told
        return troubles, msgspec.json.encode(FrozenDigest(letters, dropped)), left

    def _sentences(self, rows: list[OutboxRow], abilities: Abilities) -> tuple[Mode, Rendered, list[OutboxRow]]:
        """Rows without an incident, as many of the first mode as one message holds."""
        mode = next(mode for mode in Mode if any(_mode_of(row.text) is mode for row in rows))
        these = [row for row in rows if _mode_of(row.text) is mode]
        count = len(these)
        while not (made := self._together(these[:count], abilities, mode)).complete and count > 1:
            count -= 1
        return mode, made, these[:count]

    def _together(self, rows: list[OutboxRow], abilities: Abilities, mode: Mode) -> Rendered:
        text = "\n".join(row.text.removeprefix(mode.mark) for row in rows)
        return self._renderer.plain(text, abilities, mode)

    def thaw(
        self,
        content: bytes,
        claim: Claim,
        incidents: dict[str, Incident],
        abilities: Abilities,
        directory: Directory,
        now: int,
    ) -> Parcel:
        """The letters of frozen bytes, the same text on every repeat; without those of which nobody need hear anything
        any more, because an earlier try got through, or all of it was done meanwhile."""
        frozen = _read_frozen(content)
        parcel = Parcel(dropped=frozen.dropped)
        rows = {row.notice: row for row in claim.rows}
        for each in frozen.letters:
            why = [drop_reason(rows[notice], incidents.get(code), directory, now) for code, notice in each.notices]
            if None not in why:
                parcel.dropped += [
                    (*pair, reason) for pair, reason in zip(each.notices, why, strict=True) if reason is not None
                ]
                continue
            rendered = Rendered(text=each.text, subject=each.subject, html=each.html, thread=each.id)
            row = claim.rows[0]
            parcel.letters.append((_letter(each.id, row, rendered, now, changes=each.changes), each.notices))
            codes = dict.fromkeys(code for code, _ in each.notices if code)
            if codes and not each.changes:
                bare = f"汇总{len(codes)}起：{'、'.join(codes)}"
                parcel.plainer[each.id] = partial(self._plainer, each.id, row, bare, each.mode, abilities, now)
        return parcel


def _frozen(claim: Claim, rendered: Rendered, carried: list[tuple[str, str]], mode: Mode) -> FrozenLetter:
    return FrozenLetter(f"{_identity(claim)}.0", rendered.text, rendered.subject, rendered.html, carried, mode)


def _identity(claim: Claim) -> str:
    """The id of a message that stands for several notices: no other mailbox's, and of letters, digits, full stops and
    hyphens, since vendors write it into their reports and servers into returned mails."""
    whose = blake2s(US.join(claim.mailbox).encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{claim.member.strip(US).replace(US, '-').replace('#', '')}-{whose}"


def _frozen_change(incident: Incident, notice: Notice) -> FrozenLetter:
    return FrozenLetter(
        notice.id, notice.note, "", "", [(incident.code, notice.id)], incident.mode, changes=notice.handle
    )


def _letter(identity: str, row: OutboxRow, rendered: Rendered, now: int, *, changes: str = "") -> Letter:
    return Letter(
        id=identity,
        address=row.address.removesuffix(CARD_BOX),
        text=rendered.text,
        at=now,
        subject=rendered.subject,
        html=rendered.html,
        thread=rendered.thread,
        thread_first=rendered.thread_first,
        mentions=rendered.mentions,
        topic=rendered.topic,
        parts=rendered.parts,
        card=rendered.card,
        changes=changes,
        critical=row.urgency is Urgency.CRITICAL,
    )


def _mode_of(text: str) -> Mode:
    """The mode whose mark stands first in a sentence of the hub's own."""
    return next((mode for mode in Mode if mode.mark and text.startswith(mode.mark)), Mode.ACTUAL)


def _bare(incident: Incident, notice: Notice) -> str:
    """The plainest true sentence, for a vendor that refused the full text."""
    name = incident.short_name or incident.enterprise_name
    what = incident.level.word if incident.level else (incident.severity.word if incident.severity else "报警")
    return f"{what}{notice.purpose.word} {name} 编号{incident.code}"
