"""Tests of events out of Redis streams."""
