"""Signing and verifying against the reference library of Standard Webhooks."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from channels.standard_webhooks import ID, SIGNATURE, TIMESTAMP, Verification, key, sign, verify

SECRET = "whsec_" + base64.b64encode(b"fake-secret-for-tests-01").decode()
OTHER = "whsec_" + base64.b64encode(b"fake-secret-for-tests-02").decode()
NOW = 1_795_197_600
BODY = '{"type":"duty.signed","data":{"code":"A0231","by":"值班室"}}'.encode()

ids = st.text(alphabet="abcXYZ019-_:/", min_size=1, max_size=60)
bodies = st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore"))
keys = st.binary(min_size=16, max_size=64).map(lambda raw: "whsec_" + base64.b64encode(raw).decode())


def signed(body: bytes = BODY, secret: str = SECRET, stamp: int = NOW) -> dict[str, str]:
    return {ID: "msg_1", TIMESTAMP: str(stamp), SIGNATURE: sign([secret], "msg_1", stamp, body)}


@given(keys, ids, st.integers(0, 4_000_000_000), bodies)
def test_signatures_are_the_reference_librarys(secret: str, message_id: str, stamp: int, body: bytes) -> None:
    theirs = Webhook(secret).sign(message_id, datetime.fromtimestamp(stamp, UTC), body.decode())
    assert sign([secret], message_id, stamp, body) == theirs
    headers = {ID: message_id, TIMESTAMP: str(stamp), SIGNATURE: theirs}
    assert verify([secret], headers, body, stamp) is Verification.OK


def test_the_reference_library_takes_either_of_two_secrets_while_they_change() -> None:
    stamp = int(time.time())
    headers = {ID: "msg_1", TIMESTAMP: str(stamp), SIGNATURE: sign([OTHER, SECRET], "msg_1", stamp, BODY)}
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(BODY, headers)
    stranger = "whsec_" + base64.b64encode(b"fake-secret-for-tests-03").decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(BODY, headers)


def test_a_secret_can_be_changed_without_losing_a_message() -> None:
    assert verify([SECRET, OTHER], signed(secret=SECRET), BODY, NOW) is Verification.OK
    assert verify([SECRET, OTHER], signed(secret=OTHER), BODY, NOW) is Verification.OK
    assert verify([OTHER], signed(secret=SECRET), BODY, NOW) is Verification.NO_MATCH


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_altered_byte_is_noticed(place: int, change: int) -> None:
    altered = bytearray(BODY)
    altered[place] ^= change
    assert verify([SECRET], signed(), bytes(altered), NOW) is Verification.NO_MATCH


def test_json_written_anew_is_another_body() -> None:
    assert verify([SECRET], signed(), BODY.replace(b":", b": "), NOW) is Verification.NO_MATCH


@pytest.mark.parametrize(
    ("late", "found"),
    [
        (0, Verification.OK),
        (300, Verification.OK),
        (301, Verification.TOO_OLD),
        (-300, Verification.OK),
        (-301, Verification.TOO_NEW),
    ],
)
def test_the_tolerance_is_exact(late: int, found: Verification) -> None:
    assert verify([SECRET], signed(), BODY, NOW + late) is found


@pytest.mark.parametrize("missing", [ID, TIMESTAMP, SIGNATURE])
def test_a_missing_header_is_named_so(missing: str) -> None:
    headers = signed()
    del headers[missing]
    assert verify([SECRET], headers, BODY, NOW) is Verification.MISSING_HEADER
    assert verify([SECRET], headers | {missing: ""}, BODY, NOW) is Verification.MISSING_HEADER


@pytest.mark.parametrize("stamp", ["now", "-5", "1795197600.0", "１７９５１９７６００", "9" * 5000, " 1795197600"])
def test_a_timestamp_that_is_none_is_named_so(stamp: str) -> None:
    assert verify([SECRET], signed() | {TIMESTAMP: stamp}, BODY, NOW) is Verification.BAD_TIMESTAMP


def test_id_and_timestamp_are_signed_too() -> None:
    assert verify([SECRET], signed() | {ID: "msg_2"}, BODY, NOW) is Verification.NO_MATCH
    assert verify([SECRET], signed() | {TIMESTAMP: str(NOW + 1)}, BODY, NOW) is Verification.NO_MATCH
    assert verify([SECRET], signed() | {TIMESTAMP: f"0{NOW}"}, BODY, NOW) is Verification.NO_MATCH


def test_headers_by_any_spelling_and_among_foreign_signatures() -> None:
    headers = {name.title(): value for name, value in signed().items()}
    headers[SIGNATURE.title()] = f"v1a,AAAA v2,x ,, v1, {headers[SIGNATURE.title()]}"
    assert verify([SECRET], headers, BODY, NOW) is Verification.OK


@given(st.dictionaries(st.sampled_from([ID, TIMESTAMP, SIGNATURE]), st.text(max_size=80)), st.binary(max_size=80))
def test_rubbish_never_verifies_and_never_raises(headers: dict[str, str], body: bytes) -> None:
    assert verify([SECRET], headers, body, NOW) is not Verification.OK
    stamped = headers | {TIMESTAMP: str(NOW)}
    assert verify([SECRET], stamped, body, NOW) is not Verification.OK


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "whsec_c2hvcnQ=", "canary§"])
def test_a_secret_that_is_none_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="密钥") as caught:
        key(secret)
    assert not secret or secret not in str(caught.value)


def test_secrets_without_prefix_or_padding_are_the_same_key() -> None:
    bare = SECRET.removeprefix("whsec_").rstrip("=")
    assert key(bare) == key(SECRET) == b"fake-secret-for-tests-01"


@pytest.mark.parametrize("message_id", ["", "a.b"])
def test_an_id_that_would_make_the_signed_text_ambiguous_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="webhook-id"):
        sign([SECRET], message_id, NOW, BODY)


def test_nothing_is_signed_without_a_secret() -> None:
    with pytest.raises(ValueError, match="没有密钥"):
        sign([], "msg_1", NOW, BODY)
