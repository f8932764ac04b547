"""The parts of a decision, each pure: opening, changing, lapsing, receipts, closing, and what is still needed."""
