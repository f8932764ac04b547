"""The examples of what commands print with ``--json`` and the API gives, each from a real run.

``python -m tests.rehearsal.write_examples`` writes them anew; read the difference before keeping it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from bot.chat.preview import read_as
from bot.door import Door
from bot.inquiry import Verification
from bot.moments import moment
from bot.rehearsal.replay import read_lines, replay_on
from bot.rules import Rules
from bot.settings.load import load
from bot.settings.models import Settings
from bot.store.client import Store
from bot.store.supervisor import Supervisor
from bot.story import story_of
from escalation.ledger.chain import Head
from escalation.ledger.commit import Ledger
from escalation.ledger.journal import Journal, Sealer
from escalation.ledger.keys import partition_keys, partition_of_code
from escalation.ledger.presence import Outage
from escalation.ledger.verify import verify
from tests.rehearsal.conftest import county_in
from tests.rehearsal.operated import kept_and_restored, operated
from tests.rehearsal.sending import sent
from tests.rehearsal.stage import explained

EXAMPLES = Path(__file__).parents[2] / "docs" / "schema" / "examples"
UNDERSTOOD = "收到W45；延期a231到明早8点，等备件"
UNTIL = "2026-11-21T03:00"
OUTAGE = ("2026-11-21T02:05:10", "2026-11-21T02:05:50")


class Forgetful:
    """An anchor that remembers nothing: the example is about the chain."""

    async def save(self, heads: Mapping[int, Head]) -> None:
        return None

    async def meet(self, heads: Mapping[int, Head]) -> None:
        return None


async def examples(door: Door, settings: Settings, folder: Path) -> dict[str, msgspec.Struct]:
    """The examples by command, from a run on an empty store; ``folder`` for the journal's files."""
    made: dict[str, msgspec.Struct] = {"explain": explained(settings)}
    made["understand"] = read_as(UNDERSTOOD, moment("2026-11-21T02:00"), ["A0231", "W0045"])
    lines = read_lines(EXAMPLES / "replay.jsonl", settings)
    replayed = made["replay"] = await replay_on(door, settings, lines, moment(UNTIL))
    partitions = settings.hub.partitions
    code = replayed.incidents[0].code
    (incident,) = await Ledger(door, partitions).get_many([code])
    assert incident is not None
    rows = await Journal(door, partitions, folder).rows(code)
    outage = Outage(*(moment(each) for each in OUTAGE))
    made["show"] = story_of(incident, rows, [outage], Rules.of(settings, {}).directory)
    await Sealer(door, partitions, Forgetful()).step(moment(UNTIL))
    # Somebody has changed what is kept of the second row.
    hashes = partition_keys(partition_of_code(code, partitions)).hashes
    await door.execute("HSET", hashes, 2, b"\0" * 32)
    made["verify"] = Verification.of(await verify(door, partitions, folder))
    return made


def written(example: msgspec.Struct) -> bytes:
    """An example as it is committed."""
    return msgspec.json.format(msgspec.json.encode(example), indent=2) + b"\n"


async def _made(folder: Path) -> dict[str, msgspec.Struct]:
    settings = load(county_in(folder / "county")).settings
    assert settings is not None
    made = await kept_and_restored(folder)
    runs: dict[str, Callable[[Store], Awaitable[dict[str, msgspec.Struct]]]] = {
        "printed": lambda store: examples(Door(store), settings, folder),
        "operated": lambda store: operated(store, folder / "operated"),
        "sent": lambda store: sent(store, folder / "sent"),
    }
    for name, run in runs.items():
        supervisor = Supervisor(folder / name / "store")
        await supervisor.start()
        try:
            async with supervisor.store() as store:
                made |= await run(store)
        finally:
            await supervisor.stop()
    return made


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fenghuo-examples-") as temporary:
        for what, example in asyncio.run(_made(Path(temporary))).items():
            (EXAMPLES / f"{what}.json").write_bytes(written(example))
