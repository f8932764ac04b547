"""A real primary with a replica and three Sentinels on loopback, all of the same server binary."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from bot.store.server import binary
from tests.ports import free_port

NAME = "county"
HELLO = 100
"""How often a Sentinel asks its servers about themselves and tells the others what it sees, in milliseconds."""
DOWN_AFTER = 1000
"""After how many milliseconds without an answer a Sentinel calls the primary down."""


class Server:
    """One server of the store, or one Sentinel: a process on a port, and an administrator's client."""

    def __init__(self, folder: Path, *arguments: str, sentinel: bool = False, port: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self._arguments = list(arguments)
        self._sentinel = sentinel
        self.client: Any = Redis(host="127.0.0.1", port=self.port, socket_timeout=5)
        self.process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        if self._sentinel:
            config = self.folder / "sentinel.conf"
            config.write_text(
                f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n" + "\n".join(self._arguments) + "\n"
            )
            command = [str(binary()), str(config), "--sentinel"]
        else:
            common = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
            safe = ["--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"]
            command = [str(binary()), *common, *safe, *self._arguments]
        with (self.folder / "log").open("ab") as said:
            return subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=said)

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop_in_its_tracks(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start it again on its data."""
        self.process = self._begin()
        until(self.answers)

    def info(self, name: str) -> Any:
        return self.client.info("replication").get(name)

    def close(self) -> None:
        self.client.close()
        with contextlib.suppress(OSError):
            self.go_on()
        self.kill()


class Sentinels:
    """The store: ``primary`` and ``replica`` are as they were made, whoever leads now."""

    def __init__(self, folder: Path) -> None:
        self._servers: list[Server] = []
        try:
            self.primary = self._add(Server(folder / "one"))
            self.replica = self._add(Server(folder / "two", "--replicaof", "127.0.0.1", str(self.primary.port)))
            until(lambda: self.replica.info("master_link_status") == "up")
            watch = (
                f"sentinel monitor {NAME} 127.0.0.1 {self.primary.port} 2",
                f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}",
                f"sentinel failover-timeout {NAME} 6000",
            )
            self.watchers = [self._add(Server(folder / f"watch{n}", *watch, sentinel=True)) for n in range(3)]
            for each in self.watchers:
                # How often they tell each other of themselves; after how long one is down stays as it is.
                each.client.execute_command("SENTINEL DEBUG", "PUBLISH-PERIOD", HELLO, "INFO-PERIOD", HELLO)
            until(lambda: all(self._sees_all(each) for each in self.watchers))
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
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{each.port}" for each in self.watchers) + f"/{NAME}"

    def _sees_all(self, watcher: Server) -> bool:
        found = watcher.client.sentinel_master(NAME)
        return bool(found["num-slaves"] == 1 and found["num-other-sentinels"] == 2)

    def fail_over(self) -> None:
        """Kill the primary, and return when every Sentinel names the replica."""
        self.primary.kill()
        until(lambda: all(self._named(each) == self.replica.port for each in self.watchers))
        until(lambda: self.replica.info("role") == "master")

    def _named(self, watcher: Server) -> int:
        return int(watcher.client.sentinel_get_master_addr_by_name(NAME)[1])

    def close(self) -> None:
        for each in self._servers:
            each.close()


def until(holds: Callable[[], Any], seconds: float = 40.0) -> None:
    """Look until it holds; nothing announces what other processes agree upon."""
    last = time.monotonic() + seconds
    while True:
        with contextlib.suppress(RedisError):
            if holds():
                return
        assert time.monotonic() < last, "the servers did not agree"
        time.sleep(0.02)
