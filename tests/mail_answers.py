"""What mail servers send back to a mail of the hub's."""

from __future__ import annotations

import itertools
from email import message_from_bytes
from email.policy import default

_numbers = itertools.count(1)


def bounce(raw: bytes, action: str = "failed", status: str = "5.1.1") -> bytes:
    """The addressee's server gives the mail back."""
    mail = message_from_bytes(raw, policy=default)
    head = raw.partition(b"\r\n\r\n")[0]
    lines = [
        "From: MAILER-DAEMON@mx.example.cn",
        f"To: {mail['From']}",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        f"Message-ID: <bounce-{next(_numbers)}@mx.example.cn>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B1"',
        "",
        "--B1",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.cn",
        "",
        f"Final-Recipient: rfc822; {mail['To']}",
        f"Action: {action}",
        f"Status: {status}",
        "",
        "--B1",
        "Content-Type: text/rfc822-headers",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + head + b"\r\n--B1--\r\n"
