"""Answers and returned mails out of the channels' mailboxes, each mailbox read by one hub at a time."""
