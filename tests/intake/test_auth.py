"""Who may post: signatures as the reference implementation makes them, tokens from listed addresses, honest proxies."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from standardwebhooks import Webhook

from bot.intake.auth import Bearer, Ground, Signing, admit_bearer, admit_signed, client_address
from tests.intake.samples import NOW, alarm, encoded

OLD = "whsec_" + base64.b64encode(b"not-a-secret-at-all-number-1").decode()
NEW = "whsec_" + base64.b64encode(b"not-a-secret-at-all-number-2").decode()
BODY = encoded(alarm())
MOMENT = datetime.fromtimestamp(NOW // 1000, UTC)
INSIDE = ip_address("10.20.0.7")
NETS = (ip_network("10.20.0.0/16"), ip_network("fd00::/8"))


def signed(secret: str, body: bytes = BODY, at: datetime = MOMENT, message: str = "msg_1") -> dict[str, str]:
    """The headers that the reference implementation sends."""
    return {
        "Webhook-Id": message,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(message, at, body.decode()),
    }


def judge(headers: dict[str, str], *secrets: str, body: bytes = BODY, now: int = NOW) -> Ground:
    return admit_signed(Signing(secrets), headers, body, INSIDE, now)


def test_a_body_signed_by_the_reference_implementation_comes_in() -> None:
    assert judge(signed(NEW), NEW) is Ground.SIGNED


def test_two_secrets_let_a_source_change_from_one_to_the_other_without_loss() -> None:
    both = signed(OLD)
    both["Webhook-Signature"] += " " + signed(NEW)["Webhook-Signature"]
    for secrets in [(OLD,), (OLD, NEW), (NEW,)]:
        assert judge(both, *secrets) is Ground.SIGNED
    assert judge(signed(OLD), OLD, NEW) is Ground.SIGNED
    assert judge(signed(NEW), OLD, NEW) is Ground.SIGNED
    assert judge(signed(OLD), NEW) is Ground.BAD_SIGNATURE


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_signature_holds_inside_its_window(seconds: int) -> None:
    assert judge(signed(NEW, at=MOMENT + timedelta(seconds=seconds)), NEW) is Ground.SIGNED


def test_a_replay_outside_the_window_is_refused() -> None:
    headers = signed(NEW)
    assert judge(headers, NEW, now=NOW + 300_000) is Ground.SIGNED
    assert judge(headers, NEW, now=NOW + 301_000) is Ground.TOO_OLD
    assert judge(headers, NEW, now=NOW - 301_000) is Ground.TOO_NEW


def test_what_was_changed_on_the_way_is_refused() -> None:
    headers = signed(NEW)
    assert judge(headers, NEW, body=BODY.replace(b"86.4", b"16.4")) is Ground.BAD_SIGNATURE
    assert judge(headers, NEW, body=BODY.replace(b", ", b",")) is Ground.BAD_SIGNATURE
    assert judge(headers | {"Webhook-Id": "msg_2"}, NEW) is Ground.BAD_SIGNATURE
    later = headers | {"Webhook-Timestamp": str(NOW // 1000 + 1)}
    assert judge(later, NEW) is Ground.BAD_SIGNATURE
    assert judge(headers | {"Webhook-Timestamp": "soon"}, NEW) is Ground.BAD_TIMESTAMP
    assert judge(headers | {"Webhook-Signature": "v1a,AAAA"}, NEW) is Ground.BAD_SIGNATURE
    del headers["Webhook-Signature"]
    assert judge(headers, NEW) is Ground.MISSING_SIGNATURE


def test_a_signing_source_may_be_narrowed_down_to_addresses() -> None:
    narrow = Signing((NEW,), NETS)
    assert admit_signed(narrow, signed(NEW), BODY, INSIDE, NOW) is Ground.SIGNED
    assert admit_signed(narrow, signed(NEW), BODY, ip_address("10.21.0.7"), NOW) is Ground.FOREIGN_ADDRESS
    assert admit_signed(narrow, signed(NEW), BODY, None, NOW) is Ground.FOREIGN_ADDRESS


@pytest.mark.parametrize(
    ("header", "address", "ground"),
    [
        ("Bearer token-for-show-2", "10.20.9.9", Ground.TOKEN),
        ("bearer  token-for-show-1 ", "fd00::1", Ground.TOKEN),
        ("Bearer token-for-show-2", "10.21.0.1", Ground.FOREIGN_ADDRESS),
        ("Bearer token-for-show", "10.20.9.9", Ground.BAD_TOKEN),
        ("Bearer 令牌\udcff", "10.20.9.9", Ground.BAD_TOKEN),
        ("Basic token-for-show-2", "10.20.9.9", Ground.MISSING_TOKEN),
        ("Bearer ", "10.20.9.9", Ground.MISSING_TOKEN),
        ("", "10.20.9.9", Ground.MISSING_TOKEN),
    ],
)
def test_a_token_counts_only_from_a_listed_address(header: str, address: str, ground: Ground) -> None:
    entrance = Bearer(("token-for-show-1", "token-for-show-2"), NETS)
    assert admit_bearer(entrance, {"Authorization": header}, ip_address(address)) is ground
    assert ground.admitted == (ground is Ground.TOKEN)


def test_without_a_list_of_addresses_no_token_counts() -> None:
    entrance = Bearer(("token-for-show-1",), ())
    assert admit_bearer(entrance, {"Authorization": "Bearer token-for-show-1"}, INSIDE) is Ground.FOREIGN_ADDRESS


PROXIES = (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["203.0.113.5, 198.51.100.1, 10.1.1.1"], "198.51.100.1"),
        ("127.0.0.1", ["203.0.113.5", "198.51.100.1", "10.1.1.1"], "198.51.100.1"),
        ("::ffff:127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1, unknown"], None),
        ("127.0.0.1", ["10.1.1.1"], "10.1.1.1"),
        ("127.0.0.1", ["198.51.100.1:5511, 10.1.1.1:80"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8::7]:5511"], "2001:db8::7"),
        ("127.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("", ["198.51.100.1"], None),
    ],
)
def test_only_our_own_proxies_are_believed_about_who_asks(peer: str, forwarded: list[str], found: str | None) -> None:
    address = client_address(peer, forwarded, PROXIES)
    assert (None if address is None else str(address)) == found
