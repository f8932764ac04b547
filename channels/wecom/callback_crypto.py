"""How WeCom seals its call-backs: a SHA-1 signature over sorted parts, and AES-256-CBC around a framed message. Pure.

Source of the rules: the vendor's page path/90930 and what it links to. Inside the cipher text stand 16 random bytes,
the message's length (4 bytes, big-endian), the message, and the receiver's id; PKCS7 with blocks of 32.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32
_RANDOM = 16
_HEAD = _RANDOM + 4
_AES_BLOCK = 16
_AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}", re.ASCII)


class SealError(ValueError):
    """What came was not sealed by whoever shares our secrets; the words are fit for a log and hold none of it."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The secrets of one call-back address: its ``token``, its key, and ``receiver`` (the corpid of a company's own
    app, empty for an intelligent robot)."""

    token: str = field(repr=False)
    key: bytes = field(repr=False)
    receiver: str

    @classmethod
    def of(cls, token: str, encoding_aes_key: str, receiver: str) -> Seal:
        """``encoding_aes_key`` as the vendor's page shows it: 43 characters. Raises ValueError for anything else."""
        return cls(token, read_key(encoding_aes_key), receiver)

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        """What the vendor writes into ``msg_signature``."""
        parts = sorted(part.encode("utf-8", "surrogatepass") for part in (self.token, timestamp, nonce, sealed))
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, sealed: str) -> str:
        """The message inside ``sealed``, once signature, padding, length and receiver are right.

        Raises :class:`SealError`.
        """
        right = self.signature(timestamp, nonce, sealed)
        if not hmac.compare_digest(right.encode(), signature.encode("utf-8", "surrogatepass")):
            raise SealError("签名不符：请核对回调的 Token")
        try:
            cipher = base64.b64decode(sealed.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise SealError("密文不是 base64") from None
        return self._message(opened(self.key, cipher))

    def close(self, message: str, timestamp: str, nonce: str, random: bytes) -> tuple[str, str]:
        """``message`` sealed, and its signature. ``random``: 16 fresh bytes. Raises ValueError for another number."""
        if len(random) != _RANDOM:
            raise ValueError(f"{_RANDOM} random bytes are needed, not {len(random)}")
        body = message.encode()
        framed = random + len(body).to_bytes(4, "big") + body + self.receiver.encode()
        missing = _BLOCK - len(framed) % _BLOCK
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.key[:_AES_BLOCK])).encryptor()
        cipher = encryptor.update(framed + bytes([missing]) * missing) + encryptor.finalize()
        sealed = base64.b64encode(cipher).decode("ascii")
        return sealed, self.signature(timestamp, nonce, sealed)

    def _message(self, framed: bytes) -> str:
        if len(framed) < _HEAD:
            raise SealError("明文过短")
        length = int.from_bytes(framed[_RANDOM:_HEAD], "big")
        if length > len(framed) - _HEAD:
            raise SealError("明文长度与内容不符：请核对 EncodingAESKey")
        if not hmac.compare_digest(framed[_HEAD + length :], self.receiver.encode()):
            raise SealError("接收方不是本企业：请核对 corpid")
        try:
            return framed[_HEAD : _HEAD + length].decode("utf-8")
        except UnicodeDecodeError:
            raise SealError("明文不是 UTF-8") from None


def read_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes of a key of 43 characters. Raises ValueError for anything else."""
    if not _AES_KEY.fullmatch(encoding_aes_key):
        raise ValueError("EncodingAESKey 应为 43 个字母或数字，照企业微信后台原样复制")
    # The vendor's keys may leave bits in the last character that base64 has no use for.
    return base64.b64decode(encoding_aes_key + "=")


def opened(key: bytes, cipher: bytes) -> bytes:
    """What is inside: AES-256-CBC whose initial vector begins the key, PKCS7 with blocks of 32, of which every byte is
    looked at. Raises :class:`SealError`."""
    if not cipher or len(cipher) % _AES_BLOCK:
        raise SealError("密文长度不对")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_AES_BLOCK])).decryptor()
    plain = decryptor.update(cipher) + decryptor.finalize()
    count = plain[-1]
    if not 1 <= count <= min(_BLOCK, len(plain)) or plain[-count:] != bytes([count]) * count:
        raise SealError("填充不符：请核对密钥（EncodingAESKey）")
    return plain[:-count]
