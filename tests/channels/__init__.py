"""Drivers against vendors as strict as the real ones, over real sockets."""
