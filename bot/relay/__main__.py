"""The courier process: ``python -m bot.relay FD``, started by the hub and of no use without it."""

from __future__ import annotations

import sys

from bot.relay.child import main

if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
