"""The seal of WeCom's call-backs against computed vectors, and against wechatpy both ways."""

from __future__ import annotations

import base64
import importlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from channels.wecom.callback_crypto import Seal, SealError
from channels.wecom.callback_xml import LONGEST, XmlError, read_xml

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "wecom_callback_crypto.json").read_bytes())
CREDENTIALS = VECTORS["credentials"]
TOKEN, KEY, CORP = CREDENTIALS["token"], CREDENTIALS["encoding_aes_key"], CREDENTIALS["corp_id"]
# An untyped library, used as an oracle only.
WeChatCrypto: Any = importlib.import_module("wechatpy.work.crypto").WeChatCrypto
SEAL = Seal.of(TOKEN, KEY, CORP)
ORACLE = WeChatCrypto(TOKEN, KEY, CORP)
RANDOM = b"0123456789abcdef"


def test_the_key_is_read_as_the_vendor_reads_it() -> None:
    assert SEAL.key.hex() == CREDENTIALS["aes_key_hex"]
    for wrong in ("", KEY[:-1], KEY + "A", KEY[:-1] + "=", KEY[:-1] + "钥"):
        with pytest.raises(ValueError, match="EncodingAESKey"):
            Seal.of(TOKEN, wrong, CORP)


@pytest.mark.parametrize("vector", VECTORS["signature"])
def test_signatures(vector: dict[str, str]) -> None:
    seal = Seal.of(vector["token"], KEY, CORP)
    assert seal.signature(vector["timestamp"], vector["nonce"], vector["encrypt"]) == vector["msg_signature"]


def test_the_check_of_an_address_and_a_message() -> None:
    asked = VECTORS["url_verify"]["query"]
    opened = SEAL.open(asked["msg_signature"], asked["timestamp"], asked["nonce"], asked["echostr"])
    assert opened == VECTORS["url_verify"]["expect_plain_body"]
    post = VECTORS["decrypt_post"]
    sealed = read_xml(post["body"])["Encrypt"]
    given = post["query"]
    assert SEAL.open(given["msg_signature"], given["timestamp"], given["nonce"], sealed) == post["expect_plain"]
    assert read_xml(post["expect_plain"])["Content"] == "hello"


@pytest.mark.parametrize("vector", VECTORS["encrypt"], ids=lambda vector: vector["name"])
def test_messages_are_sealed_and_opened(vector: dict[str, Any]) -> None:
    seal = Seal.of(TOKEN, KEY, vector["receive_id"])
    at = (vector["timestamp"], vector["nonce"])
    sealed, signature = seal.close(vector["plain"], *at, vector["random_16"].encode())
    assert (sealed, signature) == (vector["encrypt"], vector["msg_signature"])
    assert seal.open(signature, *at, sealed) == vector["plain"]


def test_what_is_not_ours_stays_shut() -> None:
    wrong_corp, tampered = VECTORS["negative"]
    other = Seal.of(TOKEN, KEY, wrong_corp["receive_id"])
    with pytest.raises(SealError, match="corpid"):
        other.open(other.signature("1", "n", wrong_corp["encrypt"]), "1", "n", wrong_corp["encrypt"])
    with pytest.raises(SealError, match="签名"):
        SEAL.open(tampered["msg_signature"], tampered["timestamp"], tampered["nonce"], tampered["encrypt"])
    for rubbish in ("", "!!!!", "QUJD", "密文", base64.b64encode(bytes(33)).decode()):
        with pytest.raises(SealError):
            SEAL.open(SEAL.signature("1", "n", rubbish), "1", "n", rubbish)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (bytes([0]), "填充"),
        (bytes([33]) * 33, "填充"),
        (bytes([3, 2, 3]), "填充"),
        (bytes([1]) * 31 + bytes([32]), "填充"),
    ],
)
def test_padding_is_looked_at_whole(tail: bytes, words: str) -> None:
    """Every byte of it, unlike what many libraries do."""
    framed = RANDOM + (5).to_bytes(4, "big") + b"hello" + CORP.encode()
    plain = framed + bytes(-(len(framed) + len(tail)) % 16) + tail
    encryptor = Cipher(algorithms.AES(SEAL.key), modes.CBC(SEAL.key[:16])).encryptor()
    sealed = base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
    with pytest.raises(SealError, match=words):
        SEAL.open(SEAL.signature("1", "n", sealed), "1", "n", sealed)


def test_a_length_beyond_the_end_is_refused() -> None:
    framed = RANDOM + (4000).to_bytes(4, "big") + b"hello" + CORP.encode()
    missing = 32 - len(framed) % 32
    encryptor = Cipher(algorithms.AES(SEAL.key), modes.CBC(SEAL.key[:16])).encryptor()
    sealed = base64.b64encode(encryptor.update(framed + bytes([missing]) * missing) + encryptor.finalize()).decode()
    with pytest.raises(SealError, match="长度"):
        SEAL.open(SEAL.signature("1", "n", sealed), "1", "n", sealed)


@given(st.text(max_size=200), st.binary(min_size=16, max_size=16))
def test_wechatpy_opens_what_we_seal(message: str, random: bytes) -> None:
    sealed, signature = SEAL.close(message, "1700000000", "n1", random)
    assert ORACLE.decrypt_message({"Encrypt": sealed}, signature, "1700000000", "n1") == message
    assert ORACLE.check_signature(signature, "1700000000", "n1", sealed) == message


@given(st.text(max_size=200))
def test_we_open_what_wechatpy_seals(message: str) -> None:
    envelope = ORACLE.encrypt_message(message, "n2", "1700000000")
    said = read_xml(envelope)
    assert SEAL.open(said["MsgSignature"], said["TimeStamp"], said["Nonce"], said["Encrypt"]) == message


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_are_opened_or_refused_in_words(cipher: bytes, signature: str) -> None:
    sealed = base64.b64encode(cipher).decode()
    for given_signature in (signature, SEAL.signature("1", "n", sealed)):
        with pytest.raises(SealError):
            SEAL.open(given_signature, "1", "n", sealed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<xml><a>1</a>",
        b'<!DOCTYPE xml [<!ENTITY a "x">]><xml><b>&a;</b></xml>',
        b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd"><xml><b>1</b></xml>',
        b"<xml><b>&unknown;</b></xml>",
        b"<a>" * 20 + b"</a>" * 20,
        b"<xml>" + b"<a>1</a>" * 1 + b"".join(b"<a%d>1</a%d>" % (n, n) for n in range(300)) + b"</xml>",
        b"<xml><a>" + b"x" * LONGEST + b"</a></xml>",
        b"<xml><a>\xff\xfe</a></xml>",
    ],
    ids=range(10),
)
def test_xml_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(XmlError):
        read_xml(body)


def test_nested_elements_have_their_path_and_the_first_counts() -> None:
    body = "<xml><A>一</A><A>二</A><S><I><K>k1</K></I><I><K>k2</K></I></S><B><![CDATA[a<b&c]]></B></xml>"
    assert read_xml(body) == {"A": "一", "S/I/K": "k1", "B": "a<b&c"}


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(XmlError):
        assert all(name and text for name, text in read_xml(body).items())
