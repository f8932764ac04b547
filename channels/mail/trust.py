"""Whom a mail connection trusts: the machine's own authorities, and one of the office's own where a file names it."""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime
from typing import Protocol


class Trusting(Protocol):
    """The settings of a connection by TLS."""

    @property
    def ca_file(self) -> str: ...

    @property
    def verify_certificate(self) -> bool: ...


class WrongTrustError(ValueError):
    """``ca_file`` cannot be used; the words say why, in Chinese, and hold no secret."""


def context_of(settings: Trusting) -> ssl.SSLContext:
    """The client's side of TLS. Raises :class:`WrongTrustError`."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        zh, _ = _words(settings.ca_file, error)
        raise WrongTrustError(zh) from error
    if not settings.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trouble(ca_file: str, now: int) -> tuple[str, str] | None:
    """What is wrong with such a file at ``now`` (ms), in Chinese and in English; None where nothing is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:
        return _words(ca_file, error)
    ends = [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]
    if not ends or max(ends) * 1000 > now:
        return None
    day = f"{datetime.fromtimestamp(max(ends), UTC):%Y-%m-%d}"
    return f"{ca_file} 里的 CA 证书已于 {day} 过期", f"the CA's certificate in {ca_file} ended on {day}"


def _words(ca_file: str, error: OSError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLError):
        return f"{ca_file} 里没有可用的证书（应为 PEM）", f"{ca_file} holds no certificate (PEM is wanted)"
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return f"读不了 {ca_file}：{why}", f"cannot read {ca_file}: {why}"
