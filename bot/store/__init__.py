"""The store: the supervised Valkey, the door to external stores, and the anchor that remembers what must be in it."""

from __future__ import annotations
