"""Commit: all or nothing, once, and only on the version that was decided on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.store.client import Store
from escalation.incident import IncidentState
from escalation.inputs import Entry
from escalation.ledger.change import AlreadyTaken, Change, Committed, Conflict, Failed, Lookup, Recorded
from escalation.ledger.commit import Ledger
from escalation.ledger.door import Command
from escalation.ledger.keys import partition_keys
from escalation.ledger.meta import OtherShapeError, open_meta, read_meta
from tests.ledger.doors import Lossy, StoreDoor
from tests.ledger.things import MINUTE, NOW, incident, opening, row, taken

N = 4


@pytest.fixture
def ledger(door: StoreDoor) -> Ledger:
    return Ledger(door, N)


async def test_an_opened_incident_is_found_by_correlation_by_code_and_by_its_event(ledger: Ledger) -> None:
    (code,) = await ledger.take_codes([(2, "A")])
    change = opening(code, 2, "1")
    assert change.incident is not None

    (outcome,) = await ledger.commit([change])

    assert outcome == Committed(1, [])
    by_correlation, by_code = await ledger.load(
        [
            Lookup(partition=2, inputs=((taken("1").input_id, "body"),), correlation=change.incident.correlation),
            Lookup(partition=2, code=code),
        ]
    )
    assert by_correlation.recorded == [Recorded(b"created", False)]
    assert by_correlation.incident == by_code.incident == change.incident
    assert by_code.incident is not None
    assert by_code.incident.version == 1
    assert await ledger.get_many(["a0" + code[1:], "A9999"]) == [change.incident, None]
    assert await ledger.open_codes(2) == [code]
    assert await ledger.count_open() == 1


async def test_a_batch_over_all_partitions_is_loaded_and_committed_in_order(ledger: Ledger) -> None:
    wanted = [(number % N, "A" if number % 3 else "W") for number in range(40)]
    codes = await ledger.take_codes(wanted)
    changes = [opening(code, place, code) for code, (place, _) in zip(codes, wanted, strict=True)]

    assert await ledger.commit(list(changes)) == [Committed(1, [])] * 40

    found = await ledger.get_many(codes)
    assert [one.code for one in found if one is not None] == codes


async def test_a_commit_whose_reply_was_lost_gives_the_recorded_result_when_repeated(
    ledger: Ledger, door: StoreDoor
) -> None:
    lossy = Lossy(door.store)
    behind = Ledger(lossy, N)
    lossy.lose = True
    with pytest.raises(ConnectionError):
        await behind.commit([opening("A0010", 2, "1", outbox=[row("n1", "A0010")])])
    assert lossy.lost == 1
    before = await door.dump()

    (again,) = await ledger.commit([opening("A0010", 2, "1", outbox=[row("n1", "A0010")])])

    assert again == AlreadyTaken([Recorded(b"created", False)])
    assert await door.dump() == before


async def test_the_same_id_with_another_body_is_told_apart(ledger: Ledger) -> None:
    await ledger.commit([opening("A0010", 2, "1")])

    (again,) = await ledger.commit([opening("A0014", 2, "x", takes=[taken("0"), taken("1", body="another")])])

    assert again == AlreadyTaken([None, Recorded(b"created", True)])


async def test_results_may_hold_any_bytes(ledger: Ledger) -> None:
    result = bytes(range(256))
    await ledger.commit([Change(partition=0, now=NOW, takes=[taken("1", result=result)])])

    (loaded,) = await ledger.load([Lookup(partition=0, inputs=((taken("1").input_id, "body"),))])

    assert loaded.recorded == [Recorded(result, False)]


REFUSED = {
    "an input that was taken before": (opening("A0018", 2, "1"), AlreadyTaken([Recorded(b"created", False)])),
    "a version that has passed": (
        opening("A0010", 2, "2", incident=incident("A0010", 2), expected_version=0),
        Conflict(1),
    ),
    "a version that is not there yet": (opening("A0010", 2, "2", expected_version=2), Conflict(1)),
    "a correlation that another incident has": (
        opening("A0018", 2, "2", incident=incident("A0018", 2, correlation=incident("A0010", 2).correlation)),
        Conflict(-1),
    ),
    "a tombstone for a correlation that has an incident": (
        Change(
            partition=2,
            now=NOW,
            takes=[taken("2")],
            correlation=incident("A0010", 2).correlation,
            tombstone=NOW,
            entries=[Entry(at=NOW, reason="cleared_before_raise")],
        ),
        Conflict(-1),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_guard_that_fails_leaves_every_key_as_it_was(ledger: Ledger, door: StoreDoor, case: str) -> None:
    assert await ledger.commit([opening("A0010", 2, "1", outbox=[row("n1", "A0010")])]) == [Committed(1, [])]
    before = await door.dump()
    change, expected = REFUSED[case]

    (outcome,) = await ledger.commit([change])

    assert outcome == expected
    assert await door.dump() == before


async def test_of_two_decisions_on_one_version_one_wins(ledger: Ledger) -> None:
    await ledger.commit([opening("A0010", 2, "1")])
    rivals = [opening("A0010", 2, f"rival {number}", expected_version=1) for number in range(8)]

    outcomes = [outcome for (outcome,) in await asyncio.gather(*(ledger.commit([rival]) for rival in rivals))]

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Committed"] + ["Conflict"] * 7
    assert all(outcome == Conflict(2) for outcome in outcomes if isinstance(outcome, Conflict))


async def test_of_two_hubs_that_open_the_same_alarm_one_wins(ledger: Ledger) -> None:
    rivals = [
        opening(code, 2, code, incident=incident(code, 2, correlation="actual\x1fplant\x1falarm\x1fT1"))
        for code in ("A0010", "A0014", "A0018")
    ]

    outcomes = [outcome for (outcome,) in await asyncio.gather(*(ledger.commit([rival]) for rival in rivals))]

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Committed", "Conflict", "Conflict"]
    assert await ledger.count_open() == 1


async def test_a_clear_before_its_raise_is_remembered_until_the_raise(ledger: Ledger) -> None:
    raised = incident("A0010", 2)
    where = Lookup(partition=2, correlation=raised.correlation)
    cleared = Change(
        partition=2, now=NOW, takes=[taken("clear")], correlation=raised.correlation, tombstone=NOW - MINUTE
    )
    assert await ledger.commit([cleared]) == [Committed(0, [])]
    (loaded,) = await ledger.load([where])
    assert (loaded.incident, loaded.tombstone) == (None, NOW - MINUTE)

    unaware = opening("A0014", 2, "raise", incident=incident("A0014", 2, correlation=raised.correlation))
    assert await ledger.commit([unaware]) == [Conflict(-1)]
    aware = opening("A0010", 2, "raise", incident=raised, tombstone_was=NOW - MINUTE)
    assert await ledger.commit([aware]) == [Committed(1, [])]

    (loaded,) = await ledger.load([where])
    assert (loaded.incident, loaded.tombstone) == (raised, None)


async def test_a_closed_incident_leaves_the_lists_and_a_later_raise_finds_its_code(
    ledger: Ledger, door: StoreDoor
) -> None:
    one = incident("A0010", 2, due=NOW + MINUTE)
    await ledger.commit([opening("A0010", 2, "1", incident=one)])
    assert await door.execute("ZSCORE", partition_keys(2).due, "A0010") == str(NOW + MINUTE).encode()

    one.state = IncidentState.CLOSED
    assert await ledger.commit([Change(partition=2, now=NOW, incident=one, expected_version=1)]) == [Committed(2, [])]

    assert await ledger.open_codes(2) == []
    assert await door.execute("ZCARD", partition_keys(2).due) == 0
    (loaded,) = await ledger.load([Lookup(partition=2, correlation=one.correlation)])
    assert loaded.incident is not None
    assert (loaded.incident.code, loaded.incident.state) == ("A0010", IncidentState.CLOSED)


async def test_a_lapse_without_an_id_commits_once_however_often_it_is_sent(ledger: Ledger) -> None:
    await ledger.commit([opening("A0010", 2, "1")])
    lapse = Change(partition=2, now=NOW, incident=incident("A0010", 2), expected_version=1)

    assert await ledger.commit([lapse]) == [Committed(2, [])]
    assert await ledger.commit([lapse]) == [Conflict(2)]


async def test_quarantine_rows_are_kept(ledger: Ledger) -> None:
    odd = Change(partition=1, now=NOW, takes=[taken("odd")], quarantine=[("odd", b'{"what":"?"}')])

    assert await ledger.commit([odd]) == [Committed(0, [])]

    assert await ledger.quarantined(1) == {"odd": b'{"what":"?"}'}
    assert await ledger.quarantined(0) == {}


async def test_one_change_that_the_store_refuses_does_not_stop_the_others(ledger: Ledger, door: StoreDoor) -> None:
    await door.execute("SET", partition_keys(1).seen, "not a hash")

    bad, good = await ledger.commit([opening("A0013", 1, "1"), opening("A0010", 2, "1")])

    assert isinstance(bad, Failed)
    assert good == Committed(1, [])


async def test_codes_are_never_given_twice_whoever_asks(door: StoreDoor) -> None:
    hubs = [Ledger(door, N) for _ in range(3)]
    wanted = [(number % N, letter) for number in range(6) for letter in "AW"]

    batches = await asyncio.gather(*(hub.take_codes(wanted) for _ in range(25) for hub in hubs))
    after_restart = await Ledger(door, N).take_codes(wanted)

    codes = [code for batch in batches for code in batch] + after_restart
    assert len(set(codes)) == len(codes) == 76 * 12
    assert [(int(code[1:]) % N, code[0]) for code in after_restart] == wanted


class Watched(StoreDoor):
    """Notes who asked it for codes: ``here`` or ``ahead`` of need; ``down`` fails whoever asks ahead."""

    down = False

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.asked: list[str] = []

    async def pipeline(self, commands: list[Command]) -> list[Any]:
        task = asyncio.current_task()
        ahead = task is not None and task.get_name() == "codes ahead"
        self.asked.append("ahead" if ahead else "here")
        if ahead and self.down:
            raise ConnectionError("away")
        return await super().pipeline(commands)


@pytest.mark.parametrize("down", [False, True])
async def test_in_a_storm_no_incident_waits_for_its_code(door: StoreDoor, down: bool) -> None:
    """But for the first fifteen of each; where nothing can be fetched ahead, codes are asked for as they are needed."""
    watched = Watched(door.store)
    watched.down = down
    hub = Ledger(watched, N)
    codes: list[str] = []
    for number in range(300):
        codes += await hub.take_codes([(number % 2, "A")])
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "codes ahead"))
    assert len(set(codes)) == 300
    assert codes[::2] == sorted(codes[::2], key=lambda code: int(code[1:]))
    assert watched.asked.count("here") == (18 if down else 8), "blocks of 1, 2, 4, 8, and so on up to 32"
    assert watched.asked.count("ahead") > 0


async def test_a_quiet_hub_wastes_no_codes(door: StoreDoor) -> None:
    first = [await Ledger(door, N).take_codes([(3, "A")]) for _ in range(3)]

    assert first == [["A0007"], ["A0011"], ["A0015"]]


async def test_the_stores_shape_is_fixed_by_whoever_makes_it(door: StoreDoor) -> None:
    assert await read_meta(door) is None

    made = await open_meta(door, store_id="s1", partitions=16, shards=8, now=NOW)
    again = await open_meta(door, store_id="s2", partitions=16, shards=8, now=NOW + 1)

    assert made == again == await read_meta(door)
    assert (made.store, made.created) == ("s1", NOW)
    with pytest.raises(OtherShapeError, match="16 partitions and 8"):
        await open_meta(door, store_id="s1", partitions=32, shards=8, now=NOW)
    with pytest.raises(ValueError, match="shards"):
        await open_meta(door, store_id="s1", partitions=32, shards=0, now=NOW)
