"""The parts of a decision, each pure: opening, changing, lapsing, replying, receipts, closing."""
