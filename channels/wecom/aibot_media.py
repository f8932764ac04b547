"""A picture that somebody sent to a WeCom intelligent robot: a sealed file that can be fetched for five minutes.

Each file has a key of its own: AES-256-CBC, its first 16 bytes the initial vector, PKCS7 with blocks of 32. Source of
the rules: the vendor's page path/100719.
"""

from __future__ import annotations

import base64
import binascii

from channels.callback import Media
from channels.exchange import TOO_LONG, Answer
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.callback_crypto import SealError, opened

BLOCK = 32


def read_key(key: str) -> bytes:
    """The 32 bytes of a file's key in base64, with or without what pads it. Raises ValueError for anything else."""
    try:
        found = base64.b64decode(key + "=" * (-len(key) % 4), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != BLOCK:
        raise ValueError("图片的 aeskey 不是 32 字节的 base64")
    return found


def unsealed(sealed: bytes, key: str) -> bytes:
    """The file inside. Raises ValueError where key and file do not belong together."""
    try:
        return opened(read_key(key), sealed)
    except SealError as error:
        raise ValueError(f"图片打不开：{error}") from error


def read_file(answer: Answer | Outcome, key: str, longest: int, *, over: bool) -> Media | Outcome:
    """The picture in the vendor's answer, or why there is none. ``over``: its address is no longer good, so that there
    will never be one."""
    again = OutcomeKind.REFUSED_CONTENT if over else OutcomeKind.TRANSIENT
    if isinstance(answer, Outcome):
        if TOO_LONG in answer.detail:
            return Outcome(OutcomeKind.REFUSED_CONTENT, f"图片超过 {longest} 字节")
        return Outcome(again, f"图片的下载地址已过期：{answer.detail}" if over else answer.detail)
    if answer.status != 200 or not answer.body:
        said = f"HTTP {answer.status}，没有文件"
        return Outcome(again, f"图片的下载地址已过期：{said}" if over else said)
    try:
        file = unsealed(answer.body, key)
    except ValueError as error:
        return Outcome(OutcomeKind.REFUSED_CONTENT, str(error))
    return Media(file) if len(file) <= longest else Outcome(OutcomeKind.REFUSED_CONTENT, f"图片超过 {longest} 字节")
