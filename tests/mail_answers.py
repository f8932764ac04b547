"""What people and mail servers send back to a mail of the hub's."""

from __future__ import annotations

import itertools
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

_numbers = itertools.count(1)


def reply(raw: bytes, words: str, *, sender: str = "", identity: str = "", proven: bool = True) -> bytes:
    """The addressee of a mail answers it, as mail programs do; not ``proven``: without anything that was in it."""
    mail = message_from_bytes(raw, policy=default)
    answer = EmailMessage(policy=SMTP)
    answer["From"] = f"收信人 <{sender or mail['To']}>"
    answer["To"] = str(mail["Reply-To"] or mail["From"])
    answer["Subject"] = f"回复：{mail['Subject']}"
    answer["Message-ID"] = f"<{identity or f'reply-{next(_numbers)}'}@example.cn>"
    quoted = ""
    if proven:
        answer["In-Reply-To"] = str(mail["Message-ID"])
        answer["References"] = f"{mail['References'] or ''} {mail['Message-ID']}".strip()
        plain = mail.get_body(("plain",))
        lines = plain.get_content().splitlines() if plain is not None else []
        quoted = "\n".join(f"> {line}" for line in lines)
    text = f"{words}\n\n在 2026年11月21日，02:00，{mail['From']} 写道：\n{quoted}\n"
    answer.set_content(text, charset="gb18030", cte="base64")
    return answer.as_bytes()


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
