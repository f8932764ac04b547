"""The hub killed wherever it can be: what was accepted is told, nothing is told twice but what was in flight."""
