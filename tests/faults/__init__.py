"""Faults on the wire between the hub and its store, and the hub and its vendors."""
