"""A hub that starts its store, writes, and is killed: run as a child process by tests.

python -m tests.store.doomed_hub FOLDER: prints the server's pid and its own last acknowledged write, then waits to be
killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.store.supervisor import Supervisor


async def _live(folder: Path) -> None:
    supervisor = Supervisor(folder)
    await supervisor.start()
    async with supervisor.store() as store:
        await store.execute("SET", "said", "yes")
        print(supervisor.pid, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_live(Path(sys.argv[1])))
