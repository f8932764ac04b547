"""A real cluster of three nodes on loopback, made of the same server binary.

`three_nodes` is a running cluster for the whole test session; `nodes.empty()` clears it, `nodes.url` is its address.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from bot.store.server import binary
from tests.ports import free_port

SLOTS = 16384


@dataclass
class Node:
    """One node: its port, its process, and an administrator's client."""

    port: int
    process: subprocess.Popen[bytes]
    client: Any

    @property
    def node_id(self) -> str:
        return str(self.client.execute_command("CLUSTER MYID").decode())


class ThreeNodes:
    """The cluster."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [_start(folder / str(number)) for number in range(3)]
        try:
            first, *others = self.nodes
            for number, node in enumerate(self.nodes):
                node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
                begin, end = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
                node.client.execute_command("CLUSTER ADDSLOTSRANGE", begin, end)
            for node in others:
                first.client.execute_command("CLUSTER MEET", "127.0.0.1", node.port)
            for node in self.nodes:
                _until(lambda node=node: _sees_all(node))
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """As the `store` setting names it."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def empty(self) -> None:
        """Remove every key and script."""
        for node in self.nodes:
            node.client.flushall()
            node.client.script_flush()

    def owner(self, slot: int) -> Node:
        """The node that serves a slot."""
        return next(node for node in self.nodes if _owner(node, slot) == node.port)

    def after(self, node: Node) -> Node:
        """Another node."""
        return self.nodes[(self.nodes.index(node) + 1) % 3]

    def move_slot(self, slot: int, source: Node, target: Node) -> None:
        """Give an empty slot to another node; clients learn of it by MOVED."""
        target.client.execute_command("CLUSTER SETSLOT", slot, "NODE", target.node_id)
        source.client.execute_command("CLUSTER SETSLOT", slot, "NODE", target.node_id)
        _until(lambda: all(_owner(node, slot) == target.port for node in (source, target)))

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.client.close()
            node.process.kill()
            node.process.wait()


def _start(folder: Path) -> Node:
    folder.mkdir()
    for _ in range(20):
        port = free_port(beside=10_000)
        settings = {
            "port": port,
            "bind": "127.0.0.1",
            "dir": str(folder),
            "cluster-enabled": "yes",
            "cluster-node-timeout": 5000,
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "logfile": str(folder / "log"),
        }
        arguments = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
        process = subprocess.Popen([str(binary()), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client = Redis(host="127.0.0.1", port=port, socket_timeout=5)
        deadline = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
            except RedisError:
                time.sleep(0.01)
            else:
                return Node(port, process, client)
        client.close()
        process.kill()
        process.wait()
    raise AssertionError("no node came up")


def _until(holds: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the cluster did not come together"
        time.sleep(0.02)


def _sees_all(node: Node) -> bool:
    info = node.client.execute_command("CLUSTER INFO")
    text = info.decode() if isinstance(info, bytes) else "\r\n".join(f"{key}:{value}" for key, value in info.items())
    return "cluster_state:ok" in text and "cluster_known_nodes:3" in text and f"cluster_slots_ok:{SLOTS}" in text


def _owner(node: Node, slot: int) -> int:
    for begin, end, primary, *_ in _slots(node):
        if begin <= slot <= end:
            return int(primary[1])
    return 0


def _slots(node: Node) -> list[Any]:
    """CLUSTER SLOTS without the library's folding."""
    connection = node.client.connection_pool.get_connection()
    try:
        connection.send_command("CLUSTER", "SLOTS")
        reply: list[Any] = connection.read_response()
        return reply
    finally:
        node.client.connection_pool.release(connection)


@pytest.fixture(scope="session")
def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeNodes]:
    """One cluster for the test session."""
    nodes = ThreeNodes(tmp_path_factory.mktemp("three_nodes"))
    yield nodes
    nodes.stop()
