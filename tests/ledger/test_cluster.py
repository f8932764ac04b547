"""The core of the ledger on a cluster of three nodes: the same calls, one round trip for each node."""

from __future__ import annotations

from pathlib import Path

from bot.store.external import connect
from escalation.ledger.change import Committed, Lookup
from escalation.ledger.commit import Ledger
from escalation.ledger.due import Due
from escalation.ledger.filing import Filer
from escalation.ledger.inbox import Arrived, Inbox
from escalation.ledger.journal import Sealer
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.meta import open_meta, read_meta
from escalation.ledger.outbox import Outbox
from escalation.ledger.prune import DAY, Pruner
from escalation.ledger.turning import Settlement
from escalation.ledger.verify import verify
from escalation.ledger.windows import Limits
from tests.ledger.doors import StoreDoor
from tests.ledger.test_journal import Kept
from tests.ledger.things import NOW, incident, opening, row
from tests.store.three_nodes import ThreeNodes

N, SHARDS = 8, 4


async def test_the_whole_way_over_three_nodes(three_nodes: ThreeNodes, files: Path) -> None:
    three_nodes.empty()
    async with connect(three_nodes.url) as store:
        door, anchor = StoreDoor(store), Kept()
        assert not door.whole
        assert await open_meta(door, store_id="s", partitions=N, shards=SHARDS, now=NOW) == await read_meta(door)
        ledger, outbox, boxes, due = Ledger(door, N), Outbox(door, N), Mailboxes(door, SHARDS), Due(door, N)
        codes = await ledger.take_codes([(number % N, "A") for number in range(32)])
        changes = [
            opening(
                code,
                number % N,
                code,
                incident=incident(code, number % N, due=NOW + 1),
                outbox=[row(f"n{number}", code, partition=number % N, address=f"1380013{number:04d}")],
            )
            for number, code in enumerate(codes)
        ]
        assert await ledger.commit(list(changes)) == [Committed(1, [])] * 32
        loaded = await ledger.load([Lookup(partition=number % N, code=code) for number, code in enumerate(codes)])
        assert [one.incident.code for one in loaded if one.incident is not None] == codes

        items = await outbox.claim(range(N), now=NOW, lease=1000)
        assert all(await boxes.put(items, now=NOW))
        assert all((await outbox.acknowledge(items, now=NOW)).held)
        ready = await boxes.ready(now=NOW)
        claims = await boxes.claim([(box, Limits()) for box in ready], now=NOW)
        assert sorted(one.incident for claim in claims for one in claim.rows) == sorted(codes)
        assert all(await boxes.settle([Settlement(claim) for claim in claims], now=NOW))
        assert await boxes.next_at() is None

        assert len(await due.claim(range(N), now=NOW + 1, lease=1000)) == 32
        inbox = Inbox(door, N)
        assert all(await inbox.put([Arrived("sms", "m", f"1390013{n:04d}", b"1") for n in range(16)], now=NOW))
        assert all(await inbox.settle(await inbox.claim(range(N), now=NOW, lease=1000), now=NOW))

        sealing = await Sealer(door, N, anchor).step(NOW)
        assert sum(head.count for head in sealing.heads.values()) == 32
        assert await Filer(door, N, files, hub="a", keep=1, segment=2).step(NOW) == N
        assert all(finding.fault is None for finding in await verify(door, N, files, anchor.heads))
        assert await Pruner(door, N, SHARDS).step(NOW + 90 * DAY) == 32 + 16 + 32
