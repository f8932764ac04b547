"""邮件 (mail) by SMTP: settings, message, connections and driver."""

from __future__ import annotations

from channels.mail.driver import Driver
from channels.mail.settings import Settings

__all__ = ["Driver", "Settings"]
