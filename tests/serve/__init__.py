"""The real process: ``fenghuo serve`` and the commands, over real HTTP, with vendors that outlive every hub."""
