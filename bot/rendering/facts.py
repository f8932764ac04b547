"""What a template may know: plain strings, numbers, lists and truth values, already neutral for the form they go to.

Templates get one dictionary named ``it``. It holds no object with behaviour, so a template can reach nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.rendering import neutral, people, shorten, story, words
from channels.channel import Abilities, Form
from escalation.deciding.upstream import CLOSED
from escalation.directory import Directory
from escalation.incident import Incident, IncidentState
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import ClockKind, Kind, Purpose, Role, Tier

Clean = Callable[[str], str]

_MOST_REASONS = 5
_LONGEST_UNIT = 12

# Kinds whose template says the note itself, or whose note is no text for people.
_NOTE_IS_TEXT = frozenset(
    {
        NoticeKind.PHONE_TASK,
        NoticeKind.PROPOSAL,
        NoticeKind.QUARANTINE,
        NoticeKind.ANSWER,
        NoticeKind.ANNOUNCE,
        NoticeKind.ESCALATED,
        NoticeKind.SIGNED,
        NoticeKind.REQUESTED,
        NoticeKind.TRANSFERRED,
        NoticeKind.URGED,
        NoticeKind.PROGRESS,
        NoticeKind.FEEDBACK,
    }
)

# Kinds that ask the reader to sign, verify or clear; the others inform, or ask for something of their own.
_ASKING = frozenset(
    {
        NoticeKind.RAISED,
        NoticeKind.ROSE,
        NoticeKind.REOPENED,
        NoticeKind.LOWERED,
        NoticeKind.RETURNED,
        NoticeKind.REMIND,
        NoticeKind.ANNOUNCE,
        NoticeKind.ESCALATED,
        NoticeKind.TRANSFERRED,
        NoticeKind.URGED,
        NoticeKind.PROGRESS,
    }
)

# How to sign where no answer comes back: a person phones, a duty room has its page. The second is the shortest form.
NO_REPLIES = ("请电话告知值班室", "电告值班室")
NO_REPLIES_ROOM = ("请在值班室页面签收", "页面签收")
GROUP_ANSWER = "本群不能签收。请在值班室页面签收，或用本人手机按短信提示回复，或电话报值班室。"
_GROUP_HEARS = "请在群里 @机器人 {reply}，算说话人本人的。"
"""How to answer in a group whose robot listens."""
GROUP_HEARS = _GROUP_HEARS.format(reply="回复“签收 编号”")


def clean_for(abilities: Abilities) -> Clean:
    """How text from outside is made neutral for a channel; phone numbers stay whole only where one person reads it."""
    sort = Form.SMS if abilities.form is Form.VOICE else abilities.form
    clean = {Form.SMS: neutral.sms, Form.MARKDOWN: neutral.markdown, Form.TEXT: neutral.text}.get(sort, neutral.plain)
    return clean if abilities.personal else lambda text: neutral.mask(clean(text))


def facts(
    incident: Incident,
    notice: Notice,
    directory: Directory,
    abilities: Abilities,
    now: int,
    *,
    link: str = "",
    group_answer: str = GROUP_ANSWER,
) -> dict[str, Any]:
    """The dictionary ``it`` for every template of every form. Times are words seen from ``now`` (milliseconds)."""
    clean = clean_for(abilities)
    full, short = people.enterprise(directory, incident)
    unit = clean(incident.unit) if len(incident.unit) <= _LONGEST_UNIT else ""
    duty = story.duty_of(incident, notice)
    clock = story.clock_of(duty, notice.clock)
    gone_by = story.lapsed(incident, notice) if notice.kind is NoticeKind.ESCALATED else None
    if gone_by and gone_by[0].unit != notice.to.unit:
        # What the tier below let lapse is not the reader's own limit.
        duty = next((duty for duty in incident.duties if duty.open and duty.unit == notice.to.unit), None)
        clock = story.clock_of(duty, None)
    due_at = clock.due_at if clock else 0 if gone_by else notice.due_at
    clock_kind = clock.kind if clock else ClockKind.SIGN if gone_by else notice.clock or ClockKind.SIGN
    overdue = bool(due_at and due_at <= now)
    acts = notice.purpose is Purpose.ACT and notice.kind in _ASKING
    unanswered = NO_REPLIES_ROOM if notice.to.role is Role.DUTY_ROOM else NO_REPLIES
    acting = "、".join(people.unit(directory, duty.unit) for duty in incident.duties if duty.open)
    it: dict[str, Any] = {
        "mark": incident.mode.mark,
        "code": clean(incident.code),
        "kind": incident.kind.word,
        "what": words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING),
        "colour": words.colour(incident),
        "purpose": notice.purpose.word,
        "act": acts,
        "attend": notice.purpose is Purpose.ATTEND,
        "enterprise": clean(full[:120]),
        "short": clean(short[:120]),
        "point": clean(people.place(incident)[:120]),
        "equipment": clean(incident.equipment[:120]),
        "reading": clean(words.reading(incident.value, incident.limit, unit)),
        "reasons": [clean(reason[:60]) for reason in incident.reasons[:_MOST_REASONS]],
        "flags": [flag.word for flag in incident.flags],
        "occurred": words.moment(incident.occurred_at, now),
        "repeats": incident.raises,
        "active": incident.active,
        "acting": clean(acting[:60]) or "责任单位",
        "due_at": due_at,
        "due": words.moment(due_at, now) if due_at else "",
        "overdue": overdue,
        "clock": clock_kind.word,
        "signed": bool(duty and duty.signed),
        "owes": bool(duty and duty.open),
        "released": any(duty.unit == notice.to.unit and not duty.open for duty in incident.duties),
        "ask": _ask(abilities, clock_kind, clean(incident.code), group_answer, link) or unanswered[0],
        "short_ask": words.SHORT_ASK_WORDS[clock_kind] if abilities.replies else unanswered[1],
        "link": link,
        "note": clean(notice.note[:300]),
        "remark": "" if notice.kind in _NOTE_IS_TEXT or notice.note.isascii() else clean(notice.note[:120]),
        "before": story.before(notice.note),
        "deed": story.deed_facts(directory, story.deed_of(incident, notice), now, clean),
        "ended": notice.kind is NoticeKind.FEEDBACK and notice.note.startswith(CLOSED),
        "closed": clean(words.closed_reason(incident.closed_reason or notice.note.removeprefix(CLOSED))[:60]),
        "official": "",
        "ended_word": "警情已关闭" if incident.state is IncidentState.CLOSED else "",
        "measure": notice.measure.word if notice.measure and notice.to.tier is not Tier.ENTERPRISE else "",
        "lapse": None,
        "up": None,
        "phone": [],
        "tight": 0,
        "extra": "",
    }
    if gone_by:
        late, let = gone_by
        it["lapse"] = {
            "unit": clean(people.unit(directory, late.unit)[:20]),
            "tier": late.tier.word,
            "clock": let.kind.word,
            "since": words.moment(let.due_at, now),
            "brief": words.moment(let.due_at, now, brief=True),
            "gone": let.due_at <= now,
        }
    if notice.kind is NoticeKind.ANNOUNCE:
        left, whom = story.next_up(directory, incident, duty, now)
        whom = whom or notice.note[:40]
        it["up"] = {"minutes": left, "whom": clean(whom)} if whom else None
    if notice.kind is NoticeKind.PHONE_TASK:
        show = neutral.plain if abilities.personal else neutral.hide
        it["phone"] = [
            {"name": clean(name[:20]), "post": clean(post[:40]), "number": neutral.plain(show(number))}
            for name, post, number in people.to_phone(directory, incident, notice)
        ]
    return it


def mail_facts(
    it: dict[str, Any], incident: Incident, notice: Notice, directory: Directory, abilities: Abilities, now: int
) -> None:
    """Add what only a mail has room for: the story so far, who else was told, the authority and 为什么收到."""
    clean = clean_for(abilities)
    plan = incident.plan
    it["timeline"] = story.timeline(directory, incident, notice, now, clean)
    it["told"] = story.told(directory, incident, notice, clean)
    it["basis"] = clean(" / ".join(part for part in (plan.profile, plan.rule, plan.basis) if part))
    it["why"] = clean(people.why(directory, incident, notice, it["acting"]))


def sms_wordings(it: dict[str, Any], incident: Incident, now: int) -> tuple[dict[str, Any], ...]:
    """``it`` in three wordings for an SMS: the ordinary one with extras, a tight one, and the shortest there is."""
    deed, up, lapse = it["deed"], it["up"], it["lapse"]
    ordinary = it | {
        "has_point": bool(it["point"]),
        "acting": shorten.within(it["acting"], 10),
        "extras": [extra for extra in (it["remark"], *it["reasons"]) if extra],
        "closed": shorten.within(it["closed"], 16),
        "short_note": shorten.within(it["note"], 40),
        "deed": deed
        and deed
        | {
            "who": shorten.within(deed["who"], 6),
            "post": shorten.within(deed["post"], 14),
            "text": shorten.within(deed["text"] or deed["cause"], 20),
        },
        "up": up and up | {"whom": shorten.within(up["whom"], 12)},
        "lapse": lapse and lapse | {"unit": shorten.within(lapse["unit"], 8)},
    }
    unit = neutral.sms(incident.unit) if len(incident.unit) <= _LONGEST_UNIT else ""
    value, limit = incident.value, incident.limit
    tight = ordinary | {
        "tight": 1,
        "extras": [],
        "reading": neutral.sms(words.tight_reading(value, limit, unit)),
    }
    shortest = tight | {
        "tight": 2,
        "what": incident.level.word if incident.level else incident.severity.word if incident.severity else "级别不明",
        "reading": words.tight_reading(value, limit, "", rough=True),
        "due": words.moment(it["due_at"], now, brief=True) if it["due_at"] else "",
        "ask": it["short_ask"],
    }
    return ordinary, tight, shortest


def _ask(abilities: Abilities, clock: ClockKind, code: str, group_answer: str, link: str) -> str:
    in_group = abilities.form is Form.MARKDOWN and not abilities.personal
    if in_group and not abilities.hears:
        return neutral.admin_markdown(group_answer)
    if abilities.form is Form.VOICE:
        keyed = abilities.key and clock is ClockKind.SIGN
        return f"签收请按{abilities.key}" if keyed else "请查看文字消息并办理"
    if clock is ClockKind.FEEDBACK:
        return words.ASK_WORDS[clock] if abilities.form is Form.SMS else f"请{words.ASK_WORDS[clock]}"
    tail = {ClockKind.SIGN: "", ClockKind.VERIFY: " 核查结果", ClockKind.CLEAR: " 原因"}[clock]
    reply = f"回复“{clock.word} {code}{tail}”"
    if in_group:
        return _GROUP_HEARS.format(reply=reply)
    if link:
        page = "请打开下面的本人专用页面"
        return f"{page}，或{reply}" if abilities.form in (Form.TEXT, Form.MAIL) and abilities.replies else page
    if not abilities.replies:
        return ""
    return words.ASK_WORDS[clock] if abilities.form is Form.SMS else reply
