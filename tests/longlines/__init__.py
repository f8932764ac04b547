"""Long lines to vendors: heard once, whatever dies in between, and one at a time."""
