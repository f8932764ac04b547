"""The demonstration: its parts, and the whole first story in a real browser."""

from __future__ import annotations
