"""Who looks at the duty page, and what they may see: one unit's own incidents and those of everybody below it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

from bot.chat.rows import Sender
from bot.settings.accounts import Account
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.inputs import Reply, Rights
from escalation.ledger.sessions import Session
from escalation.replies import rights
from escalation.vocabulary import Verb


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who has logged in: the account's name and table, and the session (its id is known to them alone)."""

    name: str
    account: Account
    session_id: str
    session: Session

    @property
    def sender(self) -> Sender:
        """Whom an answer of this account comes from."""
        account = self.account
        return Sender(account.person, "", None) if account.person else Sender("", account.unit, account.post)

    @property
    def form_token(self) -> str:
        """What every form of this session carries, so that only a page given out to it can act."""
        return hmac.new(self.session_id.encode(), b"fenghuo-duty-form", sha256).hexdigest()

    def label(self, directory: Directory) -> str:
        """The account as people know it: 青河区应急管理局值班室, or 秦值班（青河区应急管理局）."""
        unit = directory.unit_name(self.account.unit)
        person = directory.people.get(self.account.person or "")
        return f"{person.name}（{unit}）" if person else f"{unit}{self.account.post.word if self.account.post else ''}"


def may_see(directory: Directory, unit: str, incident: Incident) -> bool:
    """Whether the unit stands on the incident's line of supervision: it is the enterprise, or above it."""
    return unit in directory.line(incident.enterprise).values()


def rights_of(directory: Directory, viewer: Viewer, incident: Incident) -> tuple[Rights, ...]:
    """From which posts of the account's own unit the viewer may act; empty for a wall and who has left the post."""
    if viewer.account.wall or (viewer.account.person or "") not in {"", *directory.people}:
        return ()
    sender = viewer.sender
    asked = Reply(
        id="",
        verb=Verb.QUERY,
        person=sender.person,
        unit=sender.unit,
        role=sender.role,
        channel="",
        at=0,
        only_unit=viewer.account.unit,
    )
    return rights(directory, incident, asked)
