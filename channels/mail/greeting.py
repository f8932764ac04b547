"""Logging in to the mailbox that answers and returned mails come into, without touching a mail."""

from __future__ import annotations

from channels.greeting import Greeting, Standing, barrier
from channels.mail.imap import Connection, ImapError, LoginRefusedError, RefusedError
from channels.mail.settings import Imap
from channels.mail.trust import WrongTrustError
from channels.masking import Masker


async def greet_mailbox(settings: Imap) -> Greeting:
    """Connect, log in, look whether the folder is there. Never raises for what server or network do."""
    connection = Connection(settings)
    try:
        await connection.open()
        await connection.look()
    except LoginRefusedError as error:
        return Greeting(Standing.WRONG_KEY, str(error), ("password",))
    except ImapError as error:
        beneath = error.__cause__
        if isinstance(beneath, WrongTrustError):
            return Greeting(Standing.CERTIFICATE, str(error), ("ca_file",))
        if isinstance(beneath, OSError):
            found = barrier(beneath, Masker(()))
            return Greeting(found.standing, str(error)) if found.standing is not Standing.CERTIFICATE else found
        return Greeting(Standing.REFUSED if isinstance(error, RefusedError) else Standing.UNCLEAR, str(error))
    finally:
        await connection.close()
    return Greeting(Standing.WELL, f"已登录，邮件夹 {settings.folder} 打得开")
