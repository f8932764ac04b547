"""What every claim shares: a reply for each part of the store, and parts that do not answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Part = TypeVar("Part")
_log = logging.getLogger("fenghuo.ledger")


def answered(parts: Iterable[Part], replies: list[Any]) -> Iterator[tuple[Part, Any]]:
    """Each part with its reply, without the parts that failed: what was claimed must be worked on though another server
    is away; the others are claimed again later. Raises the first error when no part answered."""
    errors = [reply for reply in replies if isinstance(reply, Exception)]
    if errors:
        if len(errors) == len(replies):
            raise errors[0]
        _log.warning("%d of %d parts of the store did not answer: %s", len(errors), len(replies), errors[0])
    return ((part, reply) for part, reply in zip(parts, replies, strict=True) if not isinstance(reply, Exception))
