"""All open incidents at hand, kept fresh by asking the store only for what has another version: for pages that show
everything and are looked at all night."""

from __future__ import annotations

from typing import Any

from escalation.incident import Incident, IncidentState
from escalation.ledger.commit import Ledger
from escalation.ledger.door import Command, Store
from escalation.ledger.keys import partition_keys
from escalation.ledger.states import Damaged

AT_ONCE = 100
"""How many incidents are loaded in one round trip."""


class Watching:
    """The open incidents of one store as they were at the last :meth:`look`."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._keys = [partition_keys(number) for number in range(ledger.partitions)]
        self._seen: dict[str, tuple[int, Incident]] = {}
        self._damaged: dict[str, Damaged] = {}

    @property
    def incidents(self) -> dict[str, Incident]:
        """By code. To be read, never changed."""
        return {code: incident for code, (_, incident) in self._seen.items()}

    @property
    def damaged(self) -> list[Damaged]:
        """The open incidents whose states cannot be read, by code."""
        return [self._damaged[code] for code in sorted(self._damaged)]

    async def look(self) -> set[str]:
        """Bring :attr:`incidents` up to date; the codes that came, changed or went. What cannot be read is asked for
        at every look: somebody may have mended it by hand. Raises the store's error."""
        open_now = await self._open()
        versions = await self._versions(open_now)
        stale = [code for code, version in versions.items() if self._seen.get(code, (-1,))[0] != version]
        changed = {code for code in self._seen if code not in versions}
        for code in changed:
            del self._seen[code]
        gone = self._damaged.keys() - versions.keys()
        changed |= gone
        for code in gone:
            del self._damaged[code]
        for start in range(0, len(stale), AT_ONCE):
            codes = stale[start : start + AT_ONCE]
            for code, found in zip(codes, await self._ledger.find_many(codes), strict=True):
                if isinstance(found, Damaged):
                    if self._damaged.get(code) != found:
                        changed.add(code)
                    self._seen.pop(code, None)
                    self._damaged[code] = found
                    continue
                changed.add(code)
                self._damaged.pop(code, None)
                if found is None or found.state is IncidentState.CLOSED:
                    self._seen.pop(code, None)
                else:
                    self._seen[code] = (found.version, found)
        return changed

    async def _open(self) -> list[list[bytes]]:
        commands: list[Command] = [("ZRANGE", keys.open, 0, -1) for keys in self._keys]
        return await self._asked(commands)

    async def _versions(self, open_now: list[list[bytes]]) -> dict[str, int]:
        asked = [(keys, codes) for keys, codes in zip(self._keys, open_now, strict=True) if codes]
        commands: list[Command] = [("HMGET", keys.versions, *codes) for keys, codes in asked]
        replies = await self._asked(commands) if commands else []
        return {
            code.decode(): int(version.partition(b" ")[0])
            for (_, codes), found in zip(asked, replies, strict=True)
            for code, version in zip(codes, found, strict=True)
            if version is not None
        }

    async def _asked(self, commands: list[Command]) -> list[Any]:
        replies = await self._store.pipeline(commands)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies
