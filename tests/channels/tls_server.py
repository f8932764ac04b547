"""Certificates made on the spot, and a TLS server that shows one of them and hands on what comes in."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Certificates:
    """Files: the authority that is trusted, and a server's certificate with its key."""

    authority: Path
    server: Path

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts the authority and nobody else."""
        return ssl.create_default_context(cafile=str(self.authority))


def made(folder: Path, *, ended: timedelta = -YEAR, address: str = "127.0.0.1") -> Certificates:
    """An authority and a certificate for ``address`` that ended so long ago (negative: it holds still)."""
    now = datetime.now(UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority of {folder.name}"[:64])])
    begin = x509.CertificateBuilder().issuer_name(issuer).not_valid_before(now - 3 * YEAR)
    root = (
        begin.subject_name(issuer)
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_after(now + YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        begin.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_after(now - ended)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    found = Certificates(folder / "authority.pem", folder / "server.pem")
    found.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    found.server.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + private)
    return found


@dataclass
class TlsServer:
    """``hellos`` counts the clients that were shown the certificate, ``let_in`` those that went on."""

    port: int = 0
    hellos: int = 0
    let_in: int = 0


@asynccontextmanager
async def before(port: int, certificates: Certificates) -> AsyncIterator[TlsServer]:
    """A TLS server in front of the plain one on ``port`` of the loopback (0: nobody is there)."""
    counts = TlsServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)

    def hello(_: ssl.SSLObject, __: str | None, ___: ssl.SSLContext) -> None:
        counts.hellos += 1

    context.sni_callback = hello
    visits: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counts.let_in += 1
        visits.add(asyncio.current_task())
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_carry(reader, there_writer), _carry(there_reader, writer))
        finally:
            for each in (writer, there_writer):
                each.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    counts.port = server.sockets[0].getsockname()[1]
    try:
        yield counts
    finally:
        server.close()
        for visit in visits:
            if visit is not None:
                visit.cancel()
        await asyncio.gather(*(visit for visit in visits if visit is not None), return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
