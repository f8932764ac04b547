"""Answers and returned mails out of a mailbox: taken once, whatever dies in between."""
