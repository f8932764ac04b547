"""TOML to types: what an administrator writes, what is found wrong with it, and when a change is taken."""
