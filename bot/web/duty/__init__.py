"""The duty page ``/duty``: log-in, the board of open incidents, and an incident's whole story."""
