"""The hub's workers, each a ``step(now)``: ``serve`` loops them, ``replay`` runs them to rest, tests push the clock."""
