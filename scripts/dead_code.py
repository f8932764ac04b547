"""Name the functions, methods, classes and imports that nothing uses (``make dead-code``).

Vulture reads the Python; the words that templates use count as used too. Fields of records and members of enumerations
are left out: what is serialised or looked up by value is used without being named. Unused arguments are ruff's.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parent.parent
BY_VALUE = frozenset({"attribute", "variable"})


def main() -> int:
    """Print one line per finding; return 1 where there is one, else 0."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["vulture"]
    vulture = Vulture(ignore_names=config["ignore_names"], ignore_decorators=config["ignore_decorators"])
    vulture.scavenge([str(ROOT / room) for room in config["paths"] if (ROOT / room).exists()])
    for template in (ROOT / "templates").rglob("*.j2"):
        for word in re.findall(r"[A-Za-z_]\w*", template.read_text("utf-8")):
            vulture.used_names.add(word)
    found = [
        item for item in vulture.get_unused_code(min_confidence=config["min_confidence"]) if item.typ not in BY_VALUE
    ]
    for item in found:
        where = Path(item.filename).relative_to(ROOT)
        print(f"{where}:{item.first_lineno}: nothing uses {item.typ} {item.name!r} ({item.confidence} % sure)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
