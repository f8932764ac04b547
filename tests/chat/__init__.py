"""Tests of answering: the grammar by tables and properties, the stories on a real store."""

from __future__ import annotations
