"""Batches form from what has arrived, every caller gets its own results, nothing taken is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.batcher import Batcher, Closed, Full


class Bench:
    """Work that a test lets through one batch at a time; an item's result is its square."""

    def __init__(self, held: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.error: Exception | None = None
        self._held = held
        self._started: asyncio.Queue[None] = asyncio.Queue()
        self._go: asyncio.Queue[None] = asyncio.Queue()

    async def work(self, items: list[int]) -> Sequence[int]:
        self.batches.append(items)
        self._started.put_nowait(None)
        if self._held:
            await self._go.get()
        if self.error:
            raise self.error
        return [item * item for item in items]

    async def started(self) -> None:
        await self._started.get()

    def go(self) -> None:
        self._go.put_nowait(None)


async def test_what_comes_in_the_same_turn_is_one_batch() -> None:
    bench = Bench(held=False)
    batcher = Batcher(bench.work, limit=10)
    one, none, other = await asyncio.gather(batcher.submit([1, 2]), batcher.submit([]), batcher.submit([3]))
    assert (one, none, other) == ([1, 4], [], [9])
    assert bench.batches == [[1, 2, 3]]


async def test_while_one_batch_is_written_the_next_collects_up_to_the_limit() -> None:
    bench = Bench()
    batcher = Batcher(bench.work, limit=3)
    first = asyncio.create_task(batcher.submit([1]))
    await bench.started()
    rest = [asyncio.create_task(batcher.submit([number, number + 10])) for number in (2, 3)]
    await asyncio.sleep(0)
    assert (bench.batches, batcher.waiting) == ([[1]], 4)
    bench.go()
    assert await first == [1]
    await bench.started()
    bench.go()
    assert await rest[0] == [4, 144]
    await bench.started()
    bench.go()
    assert await rest[1] == [9, 169]
    assert bench.batches == [[1], [2, 12, 3], [13]]
    assert await _served(bench, batcher, 5) == [25]


async def _served(bench: Bench, batcher: Batcher[int, int], item: int) -> list[int]:
    """One more item, let through at once."""
    serving = asyncio.create_task(batcher.submit([item]))
    await bench.started()
    bench.go()
    return await serving


async def test_an_error_reaches_everybody_in_the_batch_and_nobody_else() -> None:
    bench = Bench(held=False)
    batcher = Batcher(bench.work, limit=2)
    bench.error = OSError("no disk")
    failed = await asyncio.gather(batcher.submit([1]), batcher.submit([2]), return_exceptions=True)
    assert [str(error) for error in failed] == ["no disk", "no disk"]
    bench.error = None
    assert await batcher.submit([3]) == [9]


async def test_work_that_loses_an_answer_is_an_error_not_a_wrong_answer() -> None:
    async def short(items: list[int]) -> Sequence[int]:
        return items[1:]

    with pytest.raises(RuntimeError, match="2 items were given, 1 results"):
        await Batcher(short, limit=5).submit([1, 2])


async def test_a_caller_that_leaves_takes_nothing_back() -> None:
    bench = Bench()
    batcher = Batcher(bench.work, limit=5)
    first = asyncio.create_task(batcher.submit([1]))
    await bench.started()
    leaving, staying = asyncio.create_task(batcher.submit([2])), asyncio.create_task(batcher.submit([3]))
    await asyncio.sleep(0)
    leaving.cancel()
    first.cancel()
    bench.go()
    await bench.started()
    bench.go()
    assert await staying == [9]
    assert bench.batches == [[1], [2, 3]]
    assert leaving.cancelled()
    assert first.cancelled()


async def test_there_is_room_for_so_many_and_a_call_is_taken_whole_or_not_at_all() -> None:
    bench = Bench()
    batcher = Batcher(bench.work, limit=100, room=3)
    running = asyncio.create_task(batcher.submit([1]))
    await bench.started()
    large = asyncio.create_task(batcher.submit([2, 3]))
    await asyncio.sleep(0)
    assert batcher.has_room(1)
    assert not batcher.has_room(2)
    with pytest.raises(Full):
        await batcher.submit([4, 5])
    assert batcher.waiting == 2
    bench.go()
    bench.go()
    assert (await running, await large) == ([1], [4, 9])
    bench.go()
    assert await batcher.submit(list(range(9))) == [number * number for number in range(9)]


async def test_closing_finishes_what_was_taken_and_takes_no_more() -> None:
    bench = Bench()
    batcher = Batcher(bench.work, limit=1)
    waiting = [asyncio.create_task(batcher.submit([number])) for number in (1, 2)]
    await bench.started()
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(Closed):
        await batcher.submit([3])
    bench.go()
    bench.go()
    await closing
    assert [await task for task in waiting] == [[1], [4]]
    await batcher.close()


@pytest.mark.parametrize("early", [True, False])
async def test_nobody_waits_for_work_that_was_cancelled(early: bool) -> None:
    bench = Bench()
    batcher = Batcher(bench.work, limit=1)
    waiting = [asyncio.create_task(batcher.submit([number])) for number in (1, 2)]
    # In the first turn the callers put their items down; the worker has not begun.
    await asyncio.sleep(0)
    if not early:
        await bench.started()
    [worker] = [task for task in asyncio.all_tasks() if task.get_name() == "batcher"]
    worker.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Closed, Closed]
    assert len(bench.batches) == (0 if early else 1)
    assert await _served(bench, batcher, 3) == [9]


def test_limits_below_one_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Batcher(Bench().work, limit=0)


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=5), st.integers(0, 3), st.booleans()), max_size=12),
    st.integers(1, 4),
)
def test_every_caller_gets_its_own_results_in_order_whoever_leaves(
    calls: list[tuple[list[int], int, bool]], limit: int
) -> None:
    async def story() -> None:
        done: list[int] = []

        async def work(items: list[int]) -> Sequence[int]:
            assert 0 < len(items) <= limit
            await asyncio.sleep(0)
            done.extend(items)
            return [-item for item in items]

        batcher = Batcher(work, limit)

        async def caller(items: list[int], turns: int) -> list[int]:
            for _ in range(turns):
                await asyncio.sleep(0)
            return await batcher.submit(items)

        tasks = [asyncio.create_task(caller(items, turns)) for items, turns, _ in calls]
        for _ in range(5):
            await asyncio.sleep(0)
        for task, (_, _, leaves) in zip(tasks, calls, strict=True):
            if leaves:
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await batcher.close()
        for result, (items, _, leaves) in zip(results, calls, strict=True):
            assert result == [-item for item in items] or (leaves and isinstance(result, asyncio.CancelledError))
        assert sorted(done) == sorted(item for items, _, _ in calls for item in items)

    asyncio.run(story())


async def test_an_items_own_error_reaches_its_caller_and_nobody_else() -> None:
    async def work(items: list[int]) -> list[int | Exception]:
        return [OSError(f"no disk for {item}") if item % 2 else item * item for item in items]

    batcher: Batcher[int, int] = Batcher(work, limit=10)
    good, bad, other = await asyncio.gather(
        batcher.submit([2, 4]), batcher.submit([6, 3, 8]), batcher.submit([10]), return_exceptions=True
    )
    assert (good, other) == ([4, 16], [100])
    assert isinstance(bad, OSError)
    assert str(bad) == "no disk for 3"
