"""The phone page behind a signed personal link: look by GET, answer by a POST of the page's own form.

Mail scanners, previews and prefetching fetch links, so GET and HEAD change nothing. The form's token is made of the
link, and its nonce of the page view: a double tap is one answer.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from aiohttp import web

from bot.chat import saying
from bot.chat.accidents import accident_words
from bot.chat.folding import folded
from bot.chat.grammar import understand
from bot.chat.rows import Sender
from bot.chat.verbs import CAUSES
from bot.engine import Engine
from bot.rendering import words
from bot.rendering.neutral import visible
from bot.web.guards import own_origin
from bot.web.house import House
from bot.web.links import LINK_PATH, LinkFacts
from bot.web.pages import page
from bot.web.phone_view import incident_view
from channels.channel import Uplink
from escalation.incident import Incident
from escalation.inputs import Reply, Rights
from escalation.ledger.keys import read_code
from escalation.ledger.states import Damaged
from escalation.replies import rights
from escalation.vocabulary import Role, Verb

log = logging.getLogger(__name__)

CHANNEL = "link"
VERBS = (Verb.SIGN, Verb.VERIFY, Verb.DISPOSE)
"""What a link may do. Clearing and 误报 are asked for where the sender is known by more than a link."""
LINK_CAUSES = tuple(cause for cause, _ in CAUSES if cause != Verb.FALSE_ALARM.word)
_NONCE = re.compile(r"[0-9a-f]{24}")
_MOST_TEXT = 300


class PhonePage:
    """GET and POST of ``/a/{token}``."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def show(self, request: web.Request) -> web.Response:
        """The page as it is now; nothing is changed by looking."""
        found = await self._open(request)
        return found if isinstance(found, web.Response) else self._page(request, *found)

    async def act(self, request: web.Request) -> web.Response:
        """One answer from the page's form; says what was recorded and what is still owed."""
        found = await self._open(request)
        if isinstance(found, web.Response):
            return found
        facts, incident, engine = found
        token = request.match_info["token"]
        form = {name: str(value) for name, value in (await request.post()).items()}
        expected = self._house.links.form_token(token)
        genuine = hmac.compare_digest(form.get("form", "").encode("utf-8", "replace"), expected.encode())
        public_url = self._house.rules.settings.hub.public_url
        if not genuine or not own_origin(request, public_url) or not _NONCE.fullmatch(form.get("nonce", "")):
            lines = ["这次提交不是从本页发出的，没有记录。", "请重新打开消息里的链接再试。"]
            return self._message("没有记录", lines, 403)
        if form.get("verb", "") not in VERBS:
            lines = ["本页只能签收、核查、处置。", "消警或误报请用短信回复，或电话报值班室。"]
            return self._message("没有记录", lines, 400)
        verb, text, cause = Verb(form["verb"]), visible(form.get("text", ""))[:_MOST_TEXT], form.get("cause", "")
        wrong = _wrong(verb, text, cause)
        if wrong:
            return self._page(request, *found, status=422, wrong=wrong, open_form=verb, given=(cause, text))
        reply = Reply(
            id="\x1f".join((CHANNEL, sha256(token.encode()).hexdigest()[:32], verb, form["nonce"])),
            verb=verb,
            person=facts.person,
            unit=facts.unit,
            role=Role(facts.role),
            channel=CHANNEL,
            at=engine.clock.now(),
            text=text if verb is not Verb.SIGN else "",
            cause=cause if verb is Verb.VERIFY else "",
        )
        try:
            said = [await _report_accident(engine, reply), await engine.decider.reply(facts.code, reply, reply.at)]
        except Exception:
            log.exception("an answer by link to %s could not be written", facts.code)
            return self._busy()
        engine.stir()
        after = (await engine.ledger.get_many([facts.code]))[0] or incident
        return self._page(request, facts, after, engine, recorded=[each for each in said if each])

    async def _open(self, request: web.Request) -> web.Response | tuple[LinkFacts, Incident, Engine]:
        """What the link leads to, or the page that says why it leads nowhere."""
        facts = self._house.links.read(request.match_info["token"])
        if facts is None or read_code(facts.code) is None or facts.role not in set(Role):
            return self._message("链接无效", ["链接不完整或已被改动。请从原消息重新打开。"], 404)
        engine = self._house.engine
        if engine is None or self._house.not_ready:
            return self._busy()
        if engine.clock.now() > facts.until:
            return self._message("链接已过期", ["请查看最近的消息，或向值班室询问。"], 410)
        try:
            incident = (await engine.ledger.find_many([facts.code]))[0]
        except Exception:
            log.exception("%s could not be loaded for its page", facts.code)
            return self._busy()
        if isinstance(incident, Damaged):
            lines = [saying.damaged(facts.code), f"也可回复“签收 {facts.code}”，系统会登记并转告值班室。"]
            return self._message("记录暂时无法读取", lines, 503)
        if incident is None:
            return self._message("链接已过期", ["请查看最近的消息，或向值班室询问。"], 410)
        return facts, incident, engine

    def _page(
        self,
        request: web.Request,
        facts: LinkFacts,
        incident: Incident,
        engine: Engine,
        *,
        status: int = 200,
        recorded: Sequence[str] = (),
        wrong: str = "",
        open_form: str = "",
        given: tuple[str, str] = ("", ""),
    ) -> web.Response:
        token = request.match_info["token"]
        now = engine.clock.now()
        context: dict[str, Any] = {
            "it": incident_view(incident, self._rights(facts, incident), self._house.rules.directory, now),
            "action": LINK_PATH + token,
            "form_token": self._house.links.form_token(token),
            "nonce": secrets.token_hex(12),
            "causes": LINK_CAUSES,
            "recorded": recorded,
            "wrong": wrong,
            "open": open_form,
            "given": {"cause": given[0], "text": given[1]},
            "emergency": self._house.rules.settings.hub.emergency,
            "seen_at": words.moment(now, now),
        }
        return page("phone.html", context, status)

    def _rights(self, facts: LinkFacts, incident: Incident) -> tuple[Rights, ...]:
        who = Reply(
            id="", verb=Verb.QUERY, person=facts.person, unit=facts.unit, role=Role(facts.role), channel=CHANNEL, at=0
        )
        directory = self._house.rules.directory
        return rights(directory, incident, who) if not facts.person or facts.person in directory.people else ()

    def _busy(self) -> web.Response:
        answer = self._message("暂时打不开", ["系统尚未就绪，您的答复没有记录。请过一会儿再试。"], 503)
        answer.headers["Retry-After"] = "5"
        return answer

    def _message(self, title: str, lines: list[str], status: int) -> web.Response:
        emergency = self._house.rules.settings.hub.emergency
        return page("message.html", {"title": title, "lines": lines, "emergency": emergency}, status)


async def _report_accident(engine: Engine, reply: Reply) -> str:
    """Accident words in what was written go the way of every message and reach the county at once; '' without any.

    The form has already said what is meant, so a word in the text that would act (消警) is not read as one.
    """
    found = accident_words(folded(reply.text))
    if not found:
        return ""
    text = reply.text if understand(reply.text).verb is None else "、".join(found)
    sender = Sender(reply.person, reply.unit, reply.role)
    uplink = Uplink(channel=CHANNEL, message_id=f"{reply.id}\x1faccident", sender=sender.actor, text=text, at=reply.at)
    return await engine.answering.answer(uplink, reply.at, sender=sender, reply_by_channel=False)


def _wrong(verb: Verb, text: str, cause: str) -> str:
    """What the form lacks, in words; '' when nothing."""
    if verb is Verb.VERIFY and cause not in LINK_CAUSES:
        return "请选择核查结果，再提交。"
    if verb is Verb.DISPOSE and not text:
        return "请写明采取了什么措施，再提交。"
    return ""
