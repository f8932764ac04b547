"""Tests of the durable steps, against a real server."""
