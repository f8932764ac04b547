"""The store: supervised, external, clustered; and the real servers that other tests borrow."""

from __future__ import annotations
