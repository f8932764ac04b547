"""What the string codes of DingTalk's open platform mean; they stand in the body of an answer that is no success.

The vendor writes them with a class before a full stop (``invalidParameter.userIds.invalid``); the longest entry that a
code begins with counts. What the vendor's documents name is in ``DOCUMENTED``; ``ASSUMED`` is known from hearsay and
may be set anew in the TOML (``codes``). Whatever is not named is transient: in doubt it is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from channels.outcome import OutcomeKind

DOCUMENTED: Mapping[str, OutcomeKind] = MappingProxyType(
    {
        "bot.stopped": OutcomeKind.MISCONFIGURED,
        "template.stopped": OutcomeKind.MISCONFIGURED,
        "throttling.api": OutcomeKind.THROTTLED,
    }
)

ASSUMED: Mapping[str, OutcomeKind] = MappingProxyType(
    {
        "invalidParameter": OutcomeKind.REFUSED_CONTENT,
        "invalidParameter.robotCode": OutcomeKind.MISCONFIGURED,
        "invalidParameter.openConversationId": OutcomeKind.MISCONFIGURED,
        "invalidParameter.userIds": OutcomeKind.REFUSED_RECIPIENT,
        "param.cardTemplateId": OutcomeKind.MISCONFIGURED,
        "param": OutcomeKind.REFUSED_CONTENT,
        "robot.notExist": OutcomeKind.MISCONFIGURED,
        "resource.not.found": OutcomeKind.MISCONFIGURED,
        "staffId.notExisted": OutcomeKind.REFUSED_RECIPIENT,
        "invalidClientIdOrSecret": OutcomeKind.MISCONFIGURED,
        "Forbidden": OutcomeKind.MISCONFIGURED,
        "Throttling": OutcomeKind.THROTTLED,
        "ServiceUnavailable": OutcomeKind.TRANSIENT,
        "SystemError": OutcomeKind.TRANSIENT,
        "unknownError": OutcomeKind.TRANSIENT,
    }
)
_TOKEN_REFUSED = ("invalidauthentication", "invalidaccesstoken")


def meaning(code: str, meanings: Mapping[str, OutcomeKind]) -> OutcomeKind | None:
    """The class of a code, None where none is known; upper and lower case are one."""
    said = code.lower()
    found = [name for name in meanings if said == name.lower() or said.startswith(f"{name.lower()}.")]
    return meanings[max(found, key=len)] if found else None


def refuses_token(code: str) -> bool:
    """Whether the vendor says that the access token does not hold: one login, one repeat."""
    return code.lower().startswith(_TOKEN_REFUSED)
