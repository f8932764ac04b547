"""How a message leaves the hub and how an answer comes in: one folder or module a vendor, discovered, never listed."""
