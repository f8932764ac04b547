"""A picture that a member sent: its file by ``/cgi-bin/media/get``, which the vendor keeps for three days.

The file itself is the answer's body; a refusal is JSON there, under HTTP 200. Source of the rules: the vendor's page
path/90254.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from channels.callback import Media
from channels.exchange import TOO_LONG, Answer, rest_given
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.app_errors import TOKEN_REFUSED

NO_SUCH_FILE = 40007
"""The vendor has no such file, or no longer (known from hearsay, like what ``codes`` of the TOML may set anew)."""


def read_file(
    answer: Answer | Outcome, at: int, mask: Masker, meanings: Mapping[int, OutcomeKind], longest: int
) -> Media | Outcome | None:
    """The file in the vendor's answer, or why there is none; None where it refuses the token. ``refused_content`` says
    that there will never be one; every other outcome may be asked for again."""
    if isinstance(answer, Outcome):
        if TOO_LONG in answer.detail:
            return Outcome(OutcomeKind.REFUSED_CONTENT, f"图片超过 {longest} 字节")
        # Asking for a file changes nothing, so nothing about it is uncertain.
        return Outcome(OutcomeKind.TRANSIENT, answer.detail)
    said = _json(answer.body)
    code = said.get("errcode") if isinstance(said, dict) else None
    if isinstance(said, dict) and isinstance(code, int) and not isinstance(code, bool):
        if code in TOKEN_REFUSED:
            return None
        detail = mask(f"{code} {said.get('errmsg', '')}")
        if code == NO_SUCH_FILE:
            return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
        kind = meanings.get(code, OutcomeKind.TRANSIENT)
        return Outcome(OutcomeKind.TRANSIENT if kind is OutcomeKind.ACCEPTED else kind, detail)
    if answer.status != 200 or not answer.body:
        return Outcome(OutcomeKind.TRANSIENT, f"HTTP {answer.status}，没有文件", retry_after=rest_given(answer, at))
    return Media(answer.body)


def _json(body: bytes) -> object:
    if not body.startswith(b"{"):
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
