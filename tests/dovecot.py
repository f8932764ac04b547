"""Debian's Dovecot on a free port of its own: one mailbox in a Maildir, by TLS, STARTTLS or in clear."""

from __future__ import annotations

import asyncio
import getpass
import itertools
import os
import pwd
import shutil
import signal
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts import DOVECOT
from tests.ports import free_port

USER, PASSWORD = "fenghuo@example.cn", 'fake 邮箱 "password" \\'
PATIENCE = 20.0
LOOK = 0.02
TLS = Path(__file__).parent / "channels" / "tls"
_counter = itertools.count(1)

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
auth_failure_delay = 0
disable_plaintext_auth = {demand}
auth_mechanisms = {mechanisms}
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/cert.pem
mail_location = maildir:{folder}/mail
mailbox_list_index = no
maildir_very_dirty_syncs = no
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
{more}
"""


@dataclass
class Dovecot:
    """A running server. ``mail`` is its Maildir."""

    folder: Path
    port: int
    tls_port: int
    uid: int
    gid: int
    more: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def deliver(self, raw: bytes) -> str:
        """Put a mail into the mailbox, as a delivery agent does; the name of its file."""
        name = f"{time.time_ns()}.{next(_counter)}.test"
        there = self.mail / "tmp" / name
        there.write_bytes(raw)
        os.chown(there, self.uid, self.gid)
        there.rename(self.mail / "new" / name)
        return name

    def seen(self) -> list[str]:
        """The files of mails that are marked as read."""
        return sorted(each.name for each in (self.mail / "cur").iterdir() if "S" in each.name.partition(":2,")[2])

    def unread(self) -> list[str]:
        """The files of mails that are not."""
        files = [*(self.mail / "cur").iterdir(), *(self.mail / "new").iterdir()]
        return sorted(each.name for each in files if "S" not in each.name.partition(":2,")[2])

    async def until_seen(self, count: int) -> None:
        last = time.monotonic() + PATIENCE
        while len(self.seen()) < count:
            assert time.monotonic() < last, f"only {self.seen()} are marked; {self.unread()} are not\n{self.log}"
            await asyncio.sleep(LOOK)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(str(DOVECOT), "-F", "-c", str(self.folder / "dovecot.conf")),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )
        last = time.monotonic() + PATIENCE
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                assert time.monotonic() < last, self.log
                await asyncio.sleep(LOOK)
                continue
            writer.close()
            return

    async def stop(self) -> None:
        """Every connection breaks."""
        if self.process is not None:
            # Asked to end, it takes its time to say goodbye to whoever waits.
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
            self.process = None


def _folder() -> Path:
    """A folder that the mail process, which has an identity of its own, can reach."""
    folder = Path(tempfile.mkdtemp(prefix="fh-dovecot-"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def dovecot(
    *, clear: bool = True, mechanisms: str = "plain login", password: str = PASSWORD, more: str = ""
) -> AsyncIterator[Dovecot]:
    """A server until the block ends. ``clear``: it takes passwords without encryption. ``more``: further settings."""
    folder = _folder()
    root = os.geteuid() == 0
    names = ("dovecot", "dovecot", "dovenull") if root else (getpass.getuser(),) * 3
    whose = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
    server = Dovecot(folder, free_port(), free_port(), whose.pw_uid, whose.pw_gid, more)
    try:
        for each in ("cur", "new", "tmp"):
            (server.mail / each).mkdir(parents=True)
        for there in (server.mail, *server.mail.iterdir()):
            os.chown(there, server.uid, server.gid)
        shutil.copy(TLS / "loopback.pem", folder / "cert.pem")
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{password}\n", "utf-8")
        text = _CONFIGURATION.format(
            folder=folder,
            internal=names[0],
            group=names[1],
            login=names[2],
            demand="no" if clear else "yes",
            mechanisms=mechanisms,
            port=server.port,
            tls_port=server.tls_port,
            uid=server.uid,
            gid=server.gid,
            more=more,
        )
        (folder / "dovecot.conf").write_text(text, "utf-8")
        await server.start()
        yield server
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)
