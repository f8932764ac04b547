"""The heart: pure rules about who must hear, who signed and what is owed next, and the ledger that keeps them true."""
