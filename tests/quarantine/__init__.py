"""Tests of the quarantine's desk."""
