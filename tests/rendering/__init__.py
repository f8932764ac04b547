"""Messages: what they say, that they fit, and that nothing can be written into them from outside."""

from __future__ import annotations
