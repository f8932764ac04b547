"""Pages and doors of the hub's web side."""
