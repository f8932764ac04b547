"""What whoever looks after the machine relies on: service manager, log, backup, bundle."""
