"""Rehearsals on the real rules: ``explain`` (pure) and ``replay`` (the whole engine on a store that is thrown away)."""
