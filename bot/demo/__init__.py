"""The demo: simulated vendors, a clock that can be pushed, and a wall of phones; never part of real use."""
