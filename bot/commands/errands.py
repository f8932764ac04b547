"""What commands have in common that list things, show one, and let a person decide about it (``dead``,
``quarantine``)."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Errand(NamedTuple):
    """One sub-command. ``decides``: something is done to the one that is named, by somebody and for a reason that the
    journal keeps; ``needs_why``: the reason must be given; ``or_channel`` is the help of ``--channel``, which may stand
    in place of the one."""

    name: str
    help: str
    decides: bool = False
    needs_why: bool = False
    or_channel: str = ""


LIST = "list"
"""The errand that names no single thing."""


def errand_arguments(
    parser: argparse.ArgumentParser, dest: str, errands: Sequence[Errand], item: str, item_help: str
) -> None:
    """The sub-commands and their arguments; ``item`` is what all but ``list`` name."""
    asked = parser.add_subparsers(required=True, metavar=dest.upper(), dest=dest)
    for errand in errands:
        made = asked.add_parser(errand.name, help=errand.help, description=errand.help)
        made.add_argument("--config", type=Path, default=Path("config.toml"), help="配置文件（默认 config.toml）")
        made.add_argument("--json", action="store_true", help="以 JSON 输出（docs/schema/）")
        if errand.or_channel:
            made.add_argument(item, nargs="?", default="", help=f"{item_help}；或用 --channel")
            made.add_argument("--channel", default="", help=errand.or_channel)
        elif errand.name != LIST:
            made.add_argument(item, help=item_help)
        if errand.decides:
            made.add_argument("--by", default="", help="谁办理（默认当前系统用户），记入台账")
            made.add_argument("--why", default="", required=errand.needs_why, help="理由，记入台账")


def by_whom(given: str) -> str:
    """Who decides: as given, else the user of the system, where it has a name."""
    if given.strip():
        return given.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def not_there(said: str) -> int:
    """Nothing is called so: said, and the command's end."""
    print(said, file=sys.stderr)
    return 1
