"""A mail that answers a mail of the hub's, as mail programs write them."""

from __future__ import annotations

import itertools
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

_numbers = itertools.count(1)


def reply(raw: bytes, words: str, *, sender: str = "", identity: str = "", proven: bool = True) -> bytes:
    """The addressee of the mail ``raw`` (or ``sender``) answers it with ``words`` above the quotation; not ``proven``:
    without anything that was in it. ``identity`` is what stands left of the @ in its Message-ID."""
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
