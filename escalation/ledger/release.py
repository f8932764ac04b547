"""What a dead hub held is free again at once, where its successor knows for certain that it is dead.

Whoever holds a data folder's lock knows that the hub that held it before is gone. On a supervised store that hub was
the only one that claimed: so a new hub need not wait for the ends of leases that nobody will keep, else every address
that a crash met would be silent until then. On a shared store it ends what its own predecessor was sending; the hubs
of other folders know nothing for certain of each other, and wait.
"""

from __future__ import annotations

from escalation.ledger.door import Call, Store
from escalation.ledger.keys import partition_keys
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.scripts import register

LONGEST = 600_000
"""How far away the end of a claim may be, in milliseconds: more than any lease, so that not all that waits for a time
has to be looked at."""


async def release_claims(store: Store, *, partitions: int, shards: int, now: int, sends: bool = True) -> int:
    """For whoever is alone on the store: end all claims on due rows, outbox and inbox, and with ``sends`` those on
    mailboxes; how many there were.

    A send that was under way counts as one whose end nobody knows. Raises the store's error; may be done again.
    """
    register(store, "claims_release")
    calls: list[Call] = []
    for keys in map(partition_keys, range(partitions)):
        calls += [("claims_release", (key,), (now, now + LONGEST)) for key in (keys.due, keys.outbox, keys.inbox)]
    count = 0
    for reply in await store.run_scripts(calls):
        if isinstance(reply, Exception):
            raise reply
        count += reply
    return count + (await Mailboxes(store, shards).release(now=now) if sends else 0)


async def release_sends(store: Store, owner: str, *, shards: int, now: int) -> int:
    """For whoever knows that ``owner`` is gone: end its claims on mailboxes; how many there were. Raises the store's
    error; may be done again."""
    return await Mailboxes(store, shards).release(now=now, owner=owner)
