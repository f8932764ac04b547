"""Fixtures of the store's own tests."""

from __future__ import annotations

from tests.store.real_server import store, store_socket
from tests.store.three_nodes import three_nodes

__all__ = ["store", "store_socket", "three_nodes"]
