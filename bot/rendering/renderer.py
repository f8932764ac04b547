"""From a notice to the message of one channel, within its limits and never empty.

What a message says is chosen by the notice's kind and the channel's form; the words stand in ``templates/``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bot.buttons import Buttons
from bot.rendering import feedback, parts, people, shorten, spoken, story, words
from bot.rendering.alike import Alike
from bot.rendering.card import bare_card, card_of
from bot.rendering.digest import Digest, Item, digest, overflow
from bot.rendering.engine import Engine
from bot.rendering.facts import GROUP_ANSWER, clean_for, facts, mail_facts, sms_wordings
from bot.rendering.fit import fit_names, fit_note
from bot.rendering.official import official_texts
from bot.rendering.plain import plain
from bot.rendering.rendered import Rendered, cut, fits
from channels.channel import Abilities, Card, Form
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import ClockKind, Kind, Mode, Purpose

_LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&*+,;=%-]+")

# What these say does not go into one SMS; they may use the channel's whole length.
_LONG = frozenset(
    {
        NoticeKind.REQUESTED,
        NoticeKind.PROGRESS,
        NoticeKind.PHONE_TASK,
        NoticeKind.PROPOSAL,
        NoticeKind.QUARANTINE,
        NoticeKind.ANSWER,
        NoticeKind.OFFICIAL,
    }
)
_SUBJECT_CHARS = 120


class Renderer:
    """Renders every notice, digest and answer. Safe to share; holds only compiled templates.

    ``directory_of`` gives the directory of now. ``link_for`` gives the personal page of a notice; it is asked only
    where exactly one person reads the address and the channel may carry links. ``group_answer`` tells readers of a
    group how to sign, since a group gets no acting link. ``source`` is the hub's CloudEvents source. ``buttons`` makes
    those of cards; without it there are none.
    """

    def __init__(
        self,
        directory_of: Callable[[], Directory],
        link_for: Callable[[Incident, Notice], str] | None = None,
        *,
        group_answer: str = GROUP_ANSWER,
        source: str = "/fenghuo",
        buttons: Callable[[], Buttons] | None = None,
    ) -> None:
        self._buttons = buttons
        self._directory_of = directory_of
        self._link_for = link_for
        self._group_answer = group_answer
        self._source = source
        self._engine = Engine()
        self._alike = Alike()

    def render(self, incident: Incident, notice: Notice, abilities: Abilities, now_ms: int) -> Rendered:
        """The message of ``notice`` for a channel with ``abilities`` at ``now_ms``. Never raises: what goes wrong is
        told in ``failed`` and ``error``, and the text then names mode, level, duty word and code."""
        try:
            link, trouble = self._link(incident, notice, abilities)
            made = self._render(incident, notice, abilities, now_ms, link)
        except Exception as error:  # noqa: BLE001 (an alarm must leave whatever a template does)
            return fallback(incident, notice, abilities, error, source=self._source)
        return replace(made, failed=True, error=trouble) if trouble else made

    def changed_card(self, incident: Incident, change: Notice, abilities: Abilities, now_ms: int) -> Card | None:
        """The card that the notice ``change`` changes, once more and without its buttons, for a vendor who wants that;
        None for every other vendor, and where the card's own notice has left the state. Never raises."""
        notice = incident.notices.get(change.card)
        if notice is None or abilities.card is None or not abilities.card.whole:
            return None
        try:
            it = facts(incident, notice, self._directory_of(), abilities, now_ms)
            return bare_card(self._engine, it, notice, abilities)
        except Exception:  # noqa: BLE001 (the driver says who acted, without the rest of the card)
            return None

    def render_digest(self, items: Sequence[Item], abilities: Abilities, now_ms: int) -> Digest:
        """One message that lists as many ``items`` as fit, the most urgent first; see :class:`Digest`.

        Raises ValueError for no items. What else goes wrong is told in ``rendered``, which then names the first item.
        """
        if not items:
            raise ValueError("a digest needs at least one item")
        try:
            directory = self._directory_of()
            return digest(self._engine, directory, items, abilities, now_ms, self._source, self._group_answer)
        except Exception as error:  # noqa: BLE001 (an alarm must leave whatever a template does)
            bare = fallback(*items[0], abilities, error, source=self._source)
            return Digest(bare, tuple(items[:1]), tuple(items[1:]))

    def render_overflow(self, codes: Sequence[str], abilities: Abilities, mode: Mode) -> Rendered:
        """What is sent when every window is exhausted: the critical codes, each of which stays due by itself."""
        return overflow(codes, abilities, mode, self._source)

    def plain(self, text: str, abilities: Abilities, mode: Mode = Mode.ACTUAL) -> Rendered:
        """A sentence of the hub's own (a bot's answer, a quarantine notice) as literal text in the channel's form."""
        return plain(text, abilities, mode, self._source)

    def _link(self, incident: Incident, notice: Notice, abilities: Abilities) -> tuple[str, str]:
        # A duty room's mailbox is read by many, whatever the channel is.
        one_reader = abilities.personal and notice.to.person
        allowed = one_reader and abilities.links and abilities.form in (Form.MAIL, Form.MARKDOWN, Form.TEXT)
        if not allowed or self._link_for is None or notice.purpose is not Purpose.ACT:
            return "", ""
        try:
            link = self._link_for(incident, notice)
        except Exception as error:  # noqa: BLE001 (without its link the message still says how to answer)
            return "", f"link: {error!r}"
        return (link, "") if not link or _LINK.fullmatch(link) else ("", f"link: {link[:80]!r} is no plain web address")

    def _render(self, incident: Incident, notice: Notice, abilities: Abilities, now: int, link: str) -> Rendered:
        directory = self._directory_of()
        if abilities.form is Form.SMS:
            make = partial(self._anew, incident, notice, abilities, directory, now, link)
            return self._alike.say(incident, notice, abilities, directory, now, make)
        return self._anew(incident, notice, abilities, directory, now, link)

    def _anew(
        self, incident: Incident, notice: Notice, abilities: Abilities, directory: Directory, now: int, link: str
    ) -> Rendered:
        it = facts(incident, notice, directory, abilities, now, link=link, group_answer=self._group_answer)
        if _asks_feedback(notice) and (made := self._official(it, incident, notice, abilities, now)):
            return made
        match abilities.form:
            case Form.SMS:
                made = self._sms(it, incident, notice, abilities, now)
                if notice.kind.value not in abilities.registered:
                    return made
                said = parts.of(it, incident, notice, now)
                return replace(made, topic=notice.kind.value, parts=said, complete=True)
            case Form.MARKDOWN:
                made = self._shortened(f"wecom/{notice.kind}.md", it, incident, notice, abilities)
                made = self._with_card(made, it, incident, notice, abilities)
                if abilities.personal or notice.purpose is not Purpose.ACT:
                    return made
                mentions = people.mentioned(directory, notice)
                return replace(made, mentions=mentions) if mentions else made
            case Form.TEXT:
                # The leading sentences are those of a mail: both are plain text with room for a whole one.
                it["lead"] = self._engine.render(f"mail/{notice.kind}.txt", it)
                made = self._shortened("text/_body.txt", it, incident, notice, abilities)
                return self._with_card(made, it, incident, notice, abilities)
            case Form.MAIL:
                mail_facts(it, incident, notice, directory, abilities, now)
                return self._mail(it, incident, notice, abilities)
            case Form.VOICE:
                said = parts.of(it, incident, notice, now)
                text = spoken.sentence(self._engine, it["mark"], said)
                return Rendered(text=text, topic=notice.kind.value, parts=spoken.aloud(said))
            case Form.JSON:
                line = self._engine.render("webhook/text.txt", it)
                return Rendered(text=feedback.body(incident, notice, directory, now, line, self._source))

    def _with_card(
        self, made: Rendered, it: dict[str, Any], incident: Incident, notice: Notice, abilities: Abilities
    ) -> Rendered:
        """The message as a card as well; where that goes wrong it stays the text, and maintainers hear why."""
        if self._buttons is None or abilities.card is None:
            return made
        try:
            return replace(made, card=card_of(self._engine, it, incident, notice, abilities, self._buttons()))
        except Exception as error:  # noqa: BLE001 (an alarm must leave whatever a template does)
            return replace(made, failed=True, error=f"card: {type(error).__name__}: {error}")

    def _official(
        self, it: dict[str, Any], incident: Incident, notice: Notice, abilities: Abilities, now: int
    ) -> Rendered | None:
        """The text to paste below its reminder, as long as the channel takes it; None where there is nothing to paste,
        or no room. Registered templates have none: their vendor takes no free text."""
        duty = story.duty_of(incident, notice)
        if duty is None or abilities.form in (Form.JSON, Form.VOICE) or notice.kind.value in abilities.registered:
            return None
        limits = replace(abilities, max_chars=abilities.max_chars or 500) if abilities.form is Form.SMS else abilities
        directory = self._directory_of()
        for text in official_texts(self._engine, incident, duty, directory, clean_for(abilities)):
            # A personal page cannot say that it was fed back, and a link below the text would be pasted with it.
            it["official"], it["link"] = text, ""
            if abilities.form is Form.MAIL:
                mail_facts(it, incident, notice, directory, abilities, now)
                made = self._mail(it, incident, notice, abilities, NoticeKind.OFFICIAL)
            else:
                template = "wecom/official.md" if abilities.form is Form.MARKDOWN else "sms/official.txt"
                made = Rendered(text=self._engine.render(template, it))
            if fits(made.text, limits):
                return made
        it["official"] = ""
        return None

    def _sms(self, it: dict[str, Any], incident: Incident, notice: Notice, abilities: Abilities, now: int) -> Rendered:
        wordings = sms_wordings(it, incident, now)
        template = f"sms/{notice.kind}.txt"
        whole = abilities.max_chars or 500
        first = min(abilities.first_chars or whole, whole)
        for limit in (whole,) if notice.kind in _LONG else (first, whole):
            if notice.kind in (NoticeKind.ANSWER, NoticeKind.QUARANTINE):
                text = fit_note(self._engine, template, wordings[0], limit)
            else:
                text = fit_names(self._engine, template, wordings, limit)
            if text is not None:
                return Rendered(text=text, complete=limit == first or notice.kind in _LONG)
        return Rendered(text=cut(fixed(incident, notice), abilities), complete=False)

    def _shortened(
        self, template: str, it: dict[str, Any], incident: Incident, notice: Notice, abilities: Abilities
    ) -> Rendered:
        """The template with everything, else with short names and without the details, else the fixed sentence."""
        text = self._engine.render(template, it)
        if not fits(text, abilities):
            short = {**it, "enterprise": shorten.within(it["short"], 12), "point": shorten.middle(it["point"], 16)}
            short |= {"equipment": "", "reasons": [], "flags": [], "remark": "", "note": shorten.within(it["note"], 60)}
            if it["deed"]:
                short["deed"] = it["deed"] | {"text": shorten.within(it["deed"]["text"], 60), "cause": ""}
            text = self._engine.render(template, short)
        if fits(text, abilities):
            return Rendered(text=text)
        return Rendered(text=cut(fixed(incident, notice), abilities), complete=False)

    def _mail(
        self,
        it: dict[str, Any],
        incident: Incident,
        notice: Notice,
        abilities: Abilities,
        kind: NoticeKind | None = None,
    ) -> Rendered:
        it["lead"] = self._engine.render(f"mail/{kind or notice.kind}.txt", it)
        it["rows"] = _rows(it)
        it["subject"] = shorten.within(self._engine.render("mail/_subject.txt", it), _SUBJECT_CHARS)
        text = self._engine.render("mail/_body.txt", it)
        if not fits(text, abilities):
            it["timeline"], it["told"] = it["timeline"][:3], []
            text = cut(self._engine.render("mail/_body.txt", it), abilities)
        return Rendered(
            text=text,
            subject=it["subject"],
            html=self._engine.render("mail/_body.html", it),
            thread=incident.code,
            thread_first=not any(
                other.contact == notice.contact and other.created_at < notice.created_at
                for other in incident.notices.values()
            ),
        )


def _rows(it: dict[str, Any]) -> list[tuple[str, str]]:
    point = f"{it['point']}（{it['equipment']}）" if it["equipment"] and it["point"] else it["point"]
    rows = [
        ("类别", f"{it['kind']}，{it['what']}"),
        ("企业", it["enterprise"]),
        ("点位", point),
        ("数值" if it["active"] else "最近数值", it["reading"]),
        ("原因", "；".join(it["reasons"])),
        ("发生", it["occurred"]),
        ("现状", "上游报警持续" if it["active"] else "上游已恢复"),
        ("共报警", f"{it['repeats']} 次" if it["repeats"] > 1 else ""),
        ("注意", "；".join(it["flags"])),
        ("说明", it["remark"]),
    ]
    return [row for row in rows if row[1]]


def _asks_feedback(notice: Notice) -> bool:
    """Whether it speaks of what is owed to the official system: then the text to paste belongs to it."""
    reminds = notice.kind is NoticeKind.REMIND and notice.clock is ClockKind.FEEDBACK
    return reminds or notice.kind is NoticeKind.OFFICIAL


def fixed(incident: Incident, notice: Notice) -> str:
    """The text that needs no template: mode mark, level by word, duty word and code."""
    what = words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING)
    return f"{incident.mode.mark}{what}，{notice.purpose.word}：编号{incident.code}，详情请问值班室。"


def fallback(
    incident: Incident, notice: Notice, abilities: Abilities, error: Exception, *, source: str = "/fenghuo"
) -> Rendered:
    """What leaves when rendering failed: :func:`fixed` in the channel's form, with the error for whoever mends it."""
    made = plain(fixed(incident, notice), abilities, incident.mode, source)
    return replace(made, thread=incident.code, complete=False, failed=True, error=f"{type(error).__name__}: {error}")
