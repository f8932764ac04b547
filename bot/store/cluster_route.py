"""A batch over the nodes of a cluster: grouped by slot owner, one round trip a node, all nodes at once.

The library keeps the map of slots and the connections. Redirections are followed here rather than by its pipeline,
because WAITAOF has to follow a redirected command on the connection that finally took it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MaxConnectionsError,
    MovedError,
    RedisClusterException,
    RedisError,
    SlotNotCoveredError,
    TryAgainError,
)

from bot.store.errors import StoreUnavailableError, StrangerError
from bot.store.routes import LOST, Keeping, UnsentError, unavailable
from bot.store.slots import first_key, hash_tag, slot_of
from bot.store.wire import Command, Link, Result, WaitAof, judged, round_trip, with_fence

_ROUNDS = 8
_PAUSE = 0.05


class _Task:
    """One command on its way: where it goes next and what came back."""

    __slots__ = ("asking", "command", "key", "left", "lost", "result")

    def __init__(self, command: Command) -> None:
        key = first_key(command)
        if key is None:
            raise ValueError(f"{command[0]!r} has no key: in a cluster it needs Store.each_node")
        self.command = command
        self.key = key
        self.asking: ClusterNode | None = None
        self.left = False
        self.lost = False
        self.result: Result = None


class ClusterRoute(Keeping):
    """All primaries of one cluster."""

    whole = False

    def __init__(self, cluster: RedisCluster, address: str) -> None:
        self._cluster = cluster
        self._address = address

    async def send(self, commands: Sequence[Command], *, wait: WaitAof | None, again: bool) -> list[Result]:
        """See Route: commands of one node keep their order, commands of different nodes have none.

        Raises StoreUnavailableError when no node can be asked for the map of slots; ValueError for a command without
        a key. StrangerError is the result of commands for a node that it does not keep to.
        """
        tasks = [_Task(command) for command in commands]
        todo = tasks
        for number in range(_ROUNDS):
            if number:
                await asyncio.sleep(
                    0 if all(isinstance(task.result, MovedError | AskError) for task in todo) else _PAUSE * number
                )
            await self._know_slots()
            groups: dict[ClusterNode, list[_Task]] = defaultdict(list)
            for task in todo:
                try:
                    node = task.asking or self._owner(task)
                except SlotNotCoveredError as error:
                    task.result = unavailable(error, self._address, sent=False)
                    continue
                task.result = self._stranger(node.name)
                if task.result is None:
                    groups[node].append(task)
            await asyncio.gather(*(self._visit(node, group, wait) for node, group in groups.items()))
            todo = [task for task in todo if self._goes_on(task, again)]
            if not todo:
                break
            await self._follow(todo)
        for task in todo:
            if isinstance(task.result, MovedError | AskError | ClusterDownError):
                # The nodes do not agree yet who leads: nobody has taken it.
                task.result = unavailable(task.result, self._address, sent=task.lost)
        return [task.result for task in tasks]

    async def each(self, commands: Sequence[Command]) -> dict[str, list[Result]]:
        """See Route. Raises StoreUnavailableError when any primary does not answer."""
        await self._know_slots()
        nodes = self._cluster.get_primaries()
        answers = await asyncio.gather(*(self._on(node, commands) for node in nodes), return_exceptions=True)
        found: dict[str, list[Result]] = {}
        for node, answer in zip(nodes, answers, strict=True):
            self._stranger(node.name)
            if isinstance(answer, BaseException):
                await self._forget_slots(node)
                cause = answer.cause if isinstance(answer, UnsentError) else answer
                raise unavailable(
                    cause if isinstance(cause, Exception) else RedisError(str(cause)), node.name, sent=True
                )
            found[node.name] = answer
        return found

    async def aclose(self) -> None:
        """See Route."""
        await self._cluster.aclose()

    async def _know_slots(self) -> None:
        try:
            self._cluster = await self._cluster.initialize()
        except (*LOST, RedisError, RedisClusterException) as error:
            raise unavailable(error, self._address, sent=False) from error

    async def _forget_slots(self, failed: ClusterNode | None) -> None:
        """Read the map of slots again, first from others than the node that failed.

        The old map stays when nobody answers.
        """
        try:
            await self._cluster.nodes_manager.initialize(last_failed_node_name=failed.name if failed else None)
        except (*LOST, RedisError, RedisClusterException):
            return

    def _owner(self, task: _Task) -> ClusterNode:
        return self._cluster.nodes_manager.get_node_from_slot(slot_of(task.key))

    async def _visit(self, node: ClusterNode, group: list[_Task], wait: WaitAof | None) -> None:
        batch: list[Command] = []
        places: list[int] = []
        for task in group:
            if task.asking is not None:
                batch.append(("ASKING",))
            places.append(len(batch))
            batch.append(task.command)
            task.asking, task.left = None, True
        if wait is not None:
            # For the fence, whose slot may be on its way like that of the commands; harmless where it is not.
            batch.append(("ASKING",))
        try:
            tag = hash_tag(group[-1].key) if wait else None
            results = await self._on(node, with_fence(batch, wait, tag))
        except UnsentError as unsent:
            for task in group:
                task.left = False
                task.result = unavailable(unsent.cause, node.name, sent=task.lost)
            await self._forget_slots(node)
        except LOST as error:
            for task in group:
                task.lost = True
                task.result = unavailable(error, node.name, sent=True)
            await self._forget_slots(node)
        else:
            own = judged(results, wait)
            for task, place in zip(group, places, strict=True):
                task.result = own[place]

    async def _on(self, node: ClusterNode, commands: Sequence[Command]) -> list[Result]:
        try:
            connection = node.acquire_connection()
            link: Link = connection
        except MaxConnectionsError as error:
            raise UnsentError(error) from error
        try:
            try:
                await node.disconnect_if_needed(connection)
                if link.is_connected and await link.can_read():
                    await link.disconnect()
                await link.connect()
            except (RedisError, OSError) as error:
                raise UnsentError(error) from error
            return await round_trip(link, commands)
        finally:
            node.release(connection)

    @staticmethod
    def _goes_on(task: _Task, again: bool) -> bool:
        if isinstance(task.result, StrangerError):
            return False
        if isinstance(task.result, MovedError | AskError | TryAgainError | ClusterDownError):
            return True
        return isinstance(task.result, StoreUnavailableError) and (again or not task.left)

    async def _follow(self, tasks: list[_Task]) -> None:
        """Learn from the answers where the tasks go next."""
        manager = self._cluster.nodes_manager
        if any(isinstance(task.result, ClusterDownError) for task in tasks):
            await self._forget_slots(None)
        for task in tasks:
            error = task.result
            # The library's MovedError is an AskError as well.
            if isinstance(error, MovedError):
                await manager.move_slot(error)
            elif isinstance(error, AskError):
                task.asking = manager.get_node(host=error.host, port=error.port)
                if task.asking is None:
                    await self._forget_slots(None)
