"""Cards with buttons: once somebody has signed, or there is newer word, they say so in the place of their buttons.

What the vendor wants to be shown for a change (the *handle*) came with the card, or with the last press on it, and is
good for one change only. So a change takes it out of the state, and travels as a notice of its own through outbox and
mailbox: it is repeated after a crash, and one that fails leaves nothing but its receipt in the journal.
"""

from __future__ import annotations

from escalation.deciding.acts import minute
from escalation.deed import Deed
from escalation.incident import Duty, Incident, IncidentState
from escalation.inputs import Context, Decision, Entry, Reply
from escalation.notice import Contact, Notice, NoticeKind
from escalation.telling import next_stage, notice_id, outbox_row
from escalation.vocabulary import ClockKind, Purpose, Verb

CARD_BOX = "#card"
"""Changes wait in a mailbox beside their reader's, under the address with this ending: nobody's message waits for them,
they are part of no digest, and they take nothing from what the vendor lets one reader be told."""

_LONGEST_NAME = 12
MOST_CARDS = 32
"""Cards beyond this many can no longer be changed, oldest first."""
_DONE = {
    Verb.SIGN: "已签收",
    Verb.VERIFY: "已核查",
    Verb.DISPOSE: "已处置",
    Verb.CLEAR: "请求消警",
    Verb.FALSE_ALARM: "申报误报",
}


def is_stale(reply: Reply, duty: Duty | None) -> bool:
    """Whether the button stood on a card from before the duty had to be signed for anew: whoever presses it may not
    know what they would sign for."""
    return duty is not None and 0 < reply.card_at < _asked_at(duty)


def _asked_at(duty: Duty) -> int:
    """Since when the duty's present signature is asked for, in ms: a rise starts its clocks afresh."""
    return max((clock.started_at for clock in duty.clocks if clock.kind is ClockKind.SIGN), default=duty.opened_at)


def keep_handle(incident: Incident, notice: str, handle: str) -> None:
    """Remember by what the card of a notice can be changed; the newest handle is the one that counts. On trial nothing
    was sent, so there is nothing to change."""
    if not handle or notice not in incident.notices or incident.plan.trial:
        return
    incident.cards.pop(notice, None)
    incident.cards[notice] = handle
    while len(incident.cards) > MOST_CARDS:
        del incident.cards[next(iter(incident.cards))]


def change_cards(decision: Decision, incident: Incident, ctx: Context) -> None:
    """Change every card whose buttons are over, after whatever has just been decided. Costs nothing without cards."""
    for key, handle in list(incident.cards.items()):
        notice = incident.notices.get(key)
        words = _words(incident, notice, ctx) if notice is not None else ""
        if notice is None or words:
            del incident.cards[key]
        if notice is not None and words:
            _change(decision, incident, notice, handle, words, ctx)


def _words(incident: Incident, notice: Notice, ctx: Context) -> str:
    """What stands in the place of the buttons; '' while they are still good."""
    if incident.state is IncidentState.CLOSED:
        return f"{minute(incident.closed_at, ctx)} 已关闭"
    duty = next((each for each in incident.duties if each.id == notice.duty), None)
    if duty is None or not duty.open:
        return "不再由本单位处置"
    if notice.created_at < _asked_at(duty):
        return "又有新情况，请看新消息"
    deed = _done(duty, notice.created_at)
    return f"{deed.name[:_LONGEST_NAME]} {minute(deed.at, ctx)} {_DONE.get(deed.verb, '已签收')}" if deed else ""


def _done(duty: Duty, since: int) -> Deed | None:
    """What was done for the duty since the card was made: the signature first."""
    deeds = (deed for deed in (duty.signed, duty.verified, duty.disposed) if deed is not None)
    return next((deed for deed in deeds if deed.at >= since), None)


def _change(decision: Decision, incident: Incident, card: Notice, handle: str, words: str, ctx: Context) -> None:
    stage = next_stage(incident, NoticeKind.CARD)
    contact = Contact(card.contact.channel, f"{card.contact.address}{CARD_BOX}")
    notice = Notice(
        id=notice_id(incident, stage, contact),
        kind=NoticeKind.CARD,
        purpose=Purpose.COPY,
        stage=stage,
        to=card.to,
        contact=contact,
        created_at=ctx.now,
        duty=card.duty,
        note=words,
        handle=handle,
        card=card.id,
    )
    incident.notices[notice.id] = notice
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason="card_change",
            incident=incident.code,
            actor=card.to.key,
            notice=notice.id,
            detail={"card": card.id, "channel": contact.channel, "text": words},
        )
    )
    decision.outbox.append(outbox_row(incident, notice))
