"""Buttons of the duty page: each press is a durable reply of the account, decided and committed like any answer."""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import dataclass

from aiohttp import web

from bot.chat.rows import Order
from bot.engine import Engine
from bot.rendering.neutral import visible
from bot.unreadable import line_of_unreadable
from bot.web.duty.viewer import Viewer, may_see, rights_of
from bot.web.guards import own_origin
from channels.channel import Uplink
from escalation.deciding.phoning import RESULTS
from escalation.incident import Incident
from escalation.ledger.keys import read_code
from escalation.ledger.states import Damaged
from escalation.vocabulary import Verb

log = logging.getLogger(__name__)

CHANNEL = "duty"
VERBS = (Verb.SIGN, Verb.URGE, Verb.PHONED)
_NONCE = re.compile(r"[0-9A-Za-z-]{16,64}")
_MOST_NAME = 40
_MOST_TEXT = 200


class NotDone(Exception):
    """Why nothing was recorded, in Chinese, with the status that says so to programs."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asked for, checked."""

    order: Order
    nonce: str


async def visible_incident(engine: Engine, viewer: Viewer, text: str) -> Incident:
    """The incident of this code, if the viewer's unit may see it. Raises :class:`NotDone`: one that may not be seen
    looks like one that is not there; of one that cannot be read, nobody can say whose it is."""
    code = read_code(text)
    incident = (await engine.ledger.find_many([code]))[0] if code else None
    if isinstance(incident, Damaged):
        raise NotDone(503, f"{line_of_unreadable(incident).todo}本次没有记录。")
    if incident is None or not may_see(engine.rules.directory, viewer.account.unit, incident):
        raise NotDone(404, "没有这条警情，或不归本单位管。")
    return incident


async def act(request: web.Request, engine: Engine, viewer: Viewer, form: dict[str, str], public_url: str) -> str:
    """Do what the form asks for; the sentence that says what was recorded. A repeat of one press is one act and gets
    the same sentence. Raises :class:`NotDone`, and what the store raises: then the press may be repeated safely."""
    genuine = hmac.compare_digest(form.get("form", "").encode("utf-8", "replace"), viewer.form_token.encode())
    if not genuine or not own_origin(request, public_url):
        raise NotDone(403, "这次提交不是从本页发出的，没有记录。请刷新页面再试。")
    if viewer.account.wall:
        raise NotDone(403, "大屏账号只能看，不能操作。")
    incident = await visible_incident(engine, viewer, form.get("code", ""))
    asked = _read(form, incident.code, viewer)
    if not rights_of(engine.rules.directory, viewer, incident):
        raise NotDone(403, f"{incident.code} 不属于您的岗位，没有记录。")
    now = engine.clock.now()
    # The same press has the same id, from whatever page and however often it comes.
    message = f"{viewer.name}:{asked.order.verb}:{incident.code}:{asked.nonce}"
    uplink = Uplink(channel=CHANNEL, message_id=message, sender=viewer.name, text=asked.order.text, at=now)
    said = await engine.answering.answer(uplink, now, sender=viewer.sender, reply_by_channel=False, pressed=asked.order)
    engine.stir()
    return said


def _read(form: dict[str, str], code: str, viewer: Viewer) -> Asked:
    nonce = form.get("nonce", "")
    if form.get("verb", "") not in VERBS or not _NONCE.fullmatch(nonce):
        raise NotDone(400, "本页没有这个操作。")
    verb = Verb(form["verb"])
    text, cause = "", ""
    if verb is Verb.PHONED:
        name, cause = visible(form.get("name", ""))[:_MOST_NAME], form.get("result", "")
        note = visible(form.get("text", ""))[:_MOST_TEXT]
        if not name:
            raise NotDone(422, "请写明通知了谁，再提交。")
        if cause not in RESULTS:
            raise NotDone(422, "请选择通话结果，再提交。")
        text = f"{name}，{note}" if note else name
    order = Order(
        verb=verb,
        codes=(code,),
        text=text,
        cause=cause,
        only_unit=viewer.account.unit,
        notice=form.get("notice", "")[:200] if verb is Verb.PHONED else "",
    )
    return Asked(order, nonce)
