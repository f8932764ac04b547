"""From notices to messages: neutral text, within limits, in the words of ``templates/``."""

from __future__ import annotations
