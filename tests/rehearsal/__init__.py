"""``explain`` and ``replay``: what would happen is what does happen."""
