"""Pages and doors over real HTTP, on a hub with a real store."""

from __future__ import annotations
