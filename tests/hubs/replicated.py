"""A real cluster of three primaries, each with a replica, on loopback; all of the same server binary."""

from __future__ import annotations

from pathlib import Path

from bot.store.slots import slot_of
from tests.hubs.sentinels import Server, until
from tests.ports import free_port
from tests.store.three_nodes import SLOTS

NODE_TIMEOUT = 1000
"""After how many milliseconds without an answer the others call a node down."""


class Pair:
    """A third of the store: who leads now, and who follows."""

    def __init__(self, leader: Server, follower: Server) -> None:
        self.leader = leader
        self.follower = follower

    def isolate(self) -> None:
        """The follower gets nothing any more, and does not know it yet."""
        self.follower.stop_in_its_tracks()
        self.leader.client.client_kill_filter(_type="replica")

    def fall_back(self) -> None:
        """The isolated follower leads: what its leader had meanwhile is gone."""
        self.leader.kill()
        self.follower.go_on()
        self._lead()

    def fail_over(self) -> None:
        """Kill the leader, and return when its follower leads."""
        self.leader.kill()
        self._lead()

    def freeze(self) -> None:
        """Stop the leader in its tracks, and return when its follower leads; the former one goes on later."""
        self.leader.stop_in_its_tracks()
        self._lead()

    def _lead(self) -> None:
        until(lambda: self.follower.info("role") == "master")
        self.leader, self.follower = self.follower, self.leader

    def restart(self) -> None:
        """Bring the one that was killed back, as the follower; return when it has everything."""
        self.follower.restart()
        until(lambda: self.follower.info("master_link_status") == "up")

    def follow(self) -> None:
        """The one that was frozen goes on, and learns that it leads no more; return when it has everything."""
        self.follower.go_on()
        until(lambda: self.follower.info("master_link_status") == "up")


class Replicated:
    """The store: ``pairs`` hold a third of the slots each."""

    def __init__(self, folder: Path) -> None:
        self._servers: list[Server] = []
        try:
            nodes = [self._add(_node(folder / f"node{number}")) for number in range(6)]
            for number, node in enumerate(nodes):
                node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            for number, node in enumerate(nodes[:3]):
                begin, end = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
                node.client.execute_command("CLUSTER ADDSLOTSRANGE", begin, end)
            for node in nodes[1:]:
                nodes[0].client.execute_command("CLUSTER MEET", "127.0.0.1", node.port)
            until(lambda: all(_sees(node, "cluster_known_nodes:6") for node in nodes))
            self.pairs = [Pair(*both) for both in zip(nodes[:3], nodes[3:], strict=True)]
            for pair in self.pairs:
                leader = pair.leader.client.execute_command("CLUSTER MYID").decode()
                pair.follower.client.execute_command("CLUSTER REPLICATE", leader)
            until(lambda: all(pair.follower.info("master_link_status") == "up" for pair in self.pairs))
            until(lambda: all(_sees(node, "cluster_state:ok", f"cluster_slots_ok:{SLOTS}") for node in nodes))
        except BaseException:
            self.close()
            raise

    def _add(self, server: Server) -> Server:
        self._servers.append(server)
        until(server.answers)
        return server

    @property
    def url(self) -> str:
        """As the `store` setting names it."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{each.port}" for each in self._servers)

    def pair_of(self, key: bytes) -> Pair:
        """Where a key lies."""
        return self.pairs[next(n for n in range(3) if slot_of(key) < SLOTS * (n + 1) // 3)]

    def close(self) -> None:
        for each in self._servers:
            each.close()


def _node(folder: Path) -> Server:
    settings = {
        "cluster-enabled": "yes",
        "cluster-node-timeout": NODE_TIMEOUT,
        # However long a replica lacked its primary: which of them may lead is what the tests are about.
        "cluster-replica-validity-factor": 0,
    }
    arguments = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
    return Server(folder, *arguments, port=free_port(beside=10_000))


def _sees(node: Server, *facts: str) -> bool:
    info = node.client.execute_command("CLUSTER INFO")
    said = [f"{key}:{value}" for key, value in info.items()] if isinstance(info, dict) else info.decode().split()
    return set(facts) <= set(said)
