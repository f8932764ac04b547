"""Names and places: what the code alone tells, and that no two keys or codes are ever the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from escalation.ledger.keys import (
    Mailbox,
    claim_token,
    crc16,
    mailbox_keys,
    partition_keys,
    partition_of,
    partition_of_code,
    read_code,
    shard_of,
    write_code,
)

PARTITIONS = st.integers(1, 512)


@given(PARTITIONS, st.data())
def test_a_code_leads_to_its_partition_however_a_person_writes_it(partitions: int, data: st.DataObject) -> None:
    partition = data.draw(st.integers(0, partitions - 1))
    counter = data.draw(st.integers(1, 10**9))
    code = write_code(data.draw(st.sampled_from("AW")), counter, partition, partitions)

    typed = data.draw(st.sampled_from([code, code.lower(), f" {code} ", code[0] + "000" + code[1:], full_width(code)]))

    assert partition_of_code(typed, partitions) == partition
    assert read_code(typed) == code


@given(PARTITIONS, st.data())
def test_two_incidents_of_a_letter_never_share_a_code(partitions: int, data: st.DataObject) -> None:
    place = st.tuples(st.integers(1, 10**6), st.integers(0, partitions - 1))
    one, other = data.draw(place), data.draw(place)

    codes_equal = write_code("A", *one, partitions) == write_code("A", *other, partitions)

    assert codes_equal == (one == other)


def full_width(code: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in code)


@pytest.mark.parametrize("text", ["", "A", "0231", "B0231", "A02 31", "A-231", "A0231x", "签收A0231", "A" + "9" * 40])
def test_what_is_no_code_is_none(text: str) -> None:
    assert read_code(text) is None
    with pytest.raises(ValueError, match="no incident code"):
        partition_of_code(text, 16)


def test_codes_have_at_least_four_digits() -> None:
    assert write_code("A", 1, 3, 16) == "A0019"
    assert write_code("W", 1000, 3, 16) == "W16003"


def test_the_hash_is_the_clusters_own() -> None:
    assert crc16("123456789") == 0x31C3


@given(st.text(), st.text())
def test_everything_of_a_mailbox_is_in_one_slot_whatever_its_address(channel: str, address: str) -> None:
    mailbox = Mailbox(channel.replace("\x1f", ""), address)

    slots = {key_slot(key) for key in mailbox_keys(mailbox, shard_of(mailbox, 8))}

    assert len(slots) == 1
    assert Mailbox.read(mailbox.name) == mailbox


def test_everything_of_a_partition_is_in_one_slot_and_partitions_share_no_key() -> None:
    names = [partition_keys(partition) for partition in range(64)]

    assert all(len({key_slot(key) for key in keys}) == 1 for keys in names)
    assert len({key for keys in names for key in keys}) == 64 * len(names[0])


@given(st.text(), PARTITIONS)
def test_a_partition_is_always_one_of_those_there_are(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


@given(st.integers(1_600_000_000_000, 4_000_000_000_000))
def test_a_token_is_a_score_the_store_keeps_exactly_and_no_whole_millisecond(until: int) -> None:
    tokens = [claim_token(until) for _ in range(100)]

    assert len(set(tokens)) == 100
    for token in tokens:
        assert until < float(token) < until + 1
        assert float(f"{float(token):.17g}") == float(token)
