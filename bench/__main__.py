"""``python -m bench [--brief] [--alone] [--case CASE]... [--folder FOLDER]``: measure, and print two tables."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import tempfile
from pathlib import Path

from bench import bare, cases, table, theirs, whole, whole_table
from bench.ours import StartOurs
from bench.processes import receiver
from bench.subject import Start
from bot.store.server import binary

PEER = "peer"
"""The cases of the first table, beside Alertmanager."""


def main() -> None:
    """Run every case."""
    wanted = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    wanted.add_argument("--brief", action="store_true", help="a tenth of everything, to see whether it works")
    wanted.add_argument("--alone", action="store_true", help="without Alertmanager")
    wanted.add_argument("--folder", type=Path, help="where data folders are made (its disk is the one measured)")
    wanted.add_argument(
        "--case", action="append", choices=(PEER, *whole_table.CASES), help="only this one, and others named so"
    )
    options = wanted.parse_args()
    chosen = frozenset(options.case or (PEER, *whole_table.CASES))
    loads = whole.BRIEF if options.brief else whole.Loads()
    sizes = cases.BRIEF if options.brief else cases.Sizes()
    peer = "" if options.alone else theirs.installed()
    absent = "left out" if options.alone else "not installed"
    starts: list[Start] = [
        StartOurs(),
        StartOurs(apart=True),
        bare.StartBare(),
        *([theirs.StartTheirs()] if peer else []),
    ]
    store = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="fenghuo-bench-", dir=options.folder) as folder, receiver() as port:
        lines = table.machine(Path(folder), f"Valkey {store.partition('v=')[2].split()[0]}")
        if PEER in chosen:
            found = asyncio.run(cases.side_by_side(starts, sizes, port, Path(folder)))
            grown = asyncio.run(cases.growth(StartOurs(), sizes, port, Path(folder)))
            lines += ["", table.markdown(table.rows(found, grown, sizes, absent), peer)]
        if rows := whole_table.rows(asyncio.run(whole_table.measured(chosen, loads, port, Path(folder))), loads):
            lines += ["", whole_table.markdown(rows)]
        print("\n".join(lines))


if __name__ == "__main__":
    main()
