"""Telephone calls: a message spoken, and a key that signs. One module a vendor."""
