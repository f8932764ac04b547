"""The interactive cards that DingTalk keeps: made of a template's variables, delivered to one member, changed by their
id. Source of the rules: the vendor's pages on createAndDeliver and on updating a card.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

_SPACE = "dtv1.card//IM_ROBOT."
_BUTTONS = (1, 2, 3)


class RefusedError(Exception):
    """The vendor's refusal: its code, its words, and the HTTP status it comes under."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code = code
        self.status = status


@dataclass(slots=True)
class DingCard:
    """A card on one member's phone: its template's variables. ``lost``: it could not be delivered."""

    id: str
    member: str
    shown: dict[str, str]
    lost: bool = False

    @property
    def buttons(self) -> dict[str, str]:
        """What the buttons bring back when they are pressed, by their words."""
        pairs = ((self.shown.get(f"button{n}", ""), self.shown.get(f"code{n}", "")) for n in _BUTTONS)
        return {words: code for words, code in pairs if words}

    @property
    def replaced(self) -> str:
        """What stands in the place of the buttons."""
        return self.shown.get("state", "")

    @property
    def text(self) -> str:
        """The card as the phone shows it."""
        lines = [self.shown.get(name, "") for name in ("title", "summary", "body", "rows")]
        lines.append("　".join(f"［{words}］" for words in self.buttons))
        opening = " ".join(filter(None, (self.shown.get("link_words", ""), self.shown.get("link", ""))))
        return "\n".join(line for line in [*lines, opening] if line)

    def code(self, words: str) -> str:
        """What the button below these words brings back. Raises KeyError where there is none, or no longer."""
        return self.buttons[words]


class DingCards:
    """The cards of an app, by their ids; ``templates`` are those drawn for it."""

    def __init__(self, templates: Iterable[str]) -> None:
        self.cards: dict[str, DingCard] = {}
        self._templates = frozenset(templates)

    def create(self, body: dict[str, Any], members: Collection[str]) -> DingCard:
        """Keep a new card. Raises the vendor's refusal."""
        identity, space = body.get("outTrackId"), str(body.get("openSpaceId", ""))
        if body.get("cardTemplateId") not in self._templates:
            raise RefusedError("param.cardTemplateId.notExist", "cardTemplateId")
        if not isinstance(identity, str) or not 0 < len(identity) <= 200:
            raise RefusedError("param.outTrackId.invalid", "outTrackId")
        if identity in self.cards:
            raise RefusedError("param.outTrackId.exist", "outTrackId")
        if not space.startswith(_SPACE) or body.get("imRobotOpenDeliverModel") != {"spaceType": "IM_ROBOT"}:
            raise RefusedError("param.openSpaceId.invalid", "openSpaceId")
        if body.get("callbackType") not in ("STREAM", "HTTP"):
            raise RefusedError("param.callbackType.invalid", "callbackType")
        if body["callbackType"] == "HTTP" and not body.get("callbackRouteKey"):
            raise RefusedError("param.callbackRouteKey.empty", "callbackRouteKey")
        member = space.removeprefix(_SPACE)
        card = DingCard(identity, member, _variables(body), lost=member not in members)
        if not card.lost:
            self.cards[identity] = card
        return card

    def change(self, body: dict[str, Any]) -> DingCard:
        """Put other variables on a card. Raises the vendor's refusal."""
        card = self.cards.get(str(body.get("outTrackId")))
        if card is None:
            raise RefusedError("param.outTrackId.notExist", "outTrackId")
        fresh, options = _variables(body), body.get("cardUpdateOptions")
        by_key = isinstance(options, dict) and options.get("updateCardDataByKey") is True
        card.shown = {**card.shown, **fresh} if by_key else fresh
        return card

    def forget(self) -> None:
        self.cards.clear()


def _variables(body: dict[str, Any]) -> dict[str, str]:
    data = body.get("cardData")
    found = data.get("cardParamMap") if isinstance(data, dict) else None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise RefusedError("param.cardData.invalid", "cardParamMap values must be strings")
    return dict(found)
