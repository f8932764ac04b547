"""What is wrong with a server's TLS certificate, in words for whoever must mend it."""

from __future__ import annotations

import ssl

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_WORDS = {
    9: "对方的 TLS 证书尚未生效，请核对本机时钟，或请对方更换证书",
    10: "对方的 TLS 证书已过期，请对方更换证书，并核对本机时钟",
    18: "对方用的是自签名的 TLS 证书，本机不信任；确是内网自建的，先装进本机的信任库",
    19: "对方的 TLS 证书链里有本机不信任的根证书；内网自建的 CA 要先装进本机的信任库",
    20: "签发对方 TLS 证书的机构本机不认识；内网自建的 CA 要先装进本机的信任库",
    21: "签发对方 TLS 证书的机构本机不认识；内网自建的 CA 要先装进本机的信任库",
    23: "对方的 TLS 证书已被吊销，请对方更换证书",
    62: "对方的 TLS 证书不是给这个主机名的，请核对地址",
    64: "对方的 TLS 证书不是给这个 IP 地址的，请核对地址",
}


def certificate_words(error: BaseException | None) -> str:
    """Why a certificate was not trusted, where that lies behind ``error``; empty where it does not."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            said = getattr(error, "verify_message", "") or str(error)
            return f"{_WORDS.get(getattr(error, 'verify_code', 0), '对方的 TLS 证书不可信')}（{said}）"
        error = error.__cause__ or error.__context__
    return ""
