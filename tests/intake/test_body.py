"""Bytes become JSON items: compressed, hostile, ambiguous and huge ones included."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.body import Document, canonical, inflate, parse
from bot.intake.problems import ProblemKind, Refused
from tests.intake.samples import alarm, encoded, event

LIMIT = 1000


def refusal(body: bytes) -> ProblemKind:
    with pytest.raises(Refused) as caught:
        parse(body, 3)
    return caught.value.problem.kind


def inflate_refusal(body: bytes) -> ProblemKind:
    with pytest.raises(Refused) as caught:
        inflate(body, LIMIT)
    return caught.value.problem.kind


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_gzip_comes_back_up_to_its_limit(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    assert inflate(gzip.compress(plain), LIMIT) == plain


def test_gzip_of_several_members_is_one_body_under_one_limit() -> None:
    assert inflate(gzip.compress(b"ab") + gzip.compress(b"") + gzip.compress(b"cd"), 4) == b"abcd"
    assert inflate_refusal(gzip.compress(b"a" * 600) * 2) is ProblemKind.TOO_LARGE
    assert inflate_refusal(gzip.compress(b"") * 10_000) is ProblemKind.MALFORMED


def test_a_zip_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), 1)
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    try:
        assert inflate_refusal(bomb) is ProblemKind.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < len(bomb) + 50_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "body", [b"", b"{}", gzip.compress(b"x" * 99)[:-1], gzip.compress(b"x") + b"tail", b"\x1f\x8b" + bytes(30)]
)
def test_what_is_no_whole_gzip_stream_is_refused(body: bytes) -> None:
    assert inflate_refusal(body) is ProblemKind.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'"text"',
        b"5",
        b"{} {}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1' + b"0" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        '{"a": "示例"}'.encode("gbk"),
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 33 + b"1" + b"}" * 33,
    ],
)
def test_what_is_no_json_document_of_ours_is_refused_whole(body: bytes) -> None:
    assert refusal(body) is ProblemKind.MALFORMED


def test_the_refusal_says_where_and_names_the_encoding() -> None:
    with pytest.raises(Refused) as caught:
        parse('{"a": "示例"}'.encode("gbk"), 1)
    assert "UTF-8" in caught.value.problem.detail
    with pytest.raises(Refused) as caught:
        parse(b'{"a":\n 1,}', 1)
    assert "line 2, column 3" in caught.value.problem.detail_en


def test_depth_and_count_end_exactly_at_their_limits() -> None:
    assert parse(b'{"a":' * 32 + b"1" + b"}" * 32, 1).items
    assert len(parse(b"[1,2,3]", 3).items) == 3
    assert refusal(b"[1,2,3,4]") is ProblemKind.TOO_LARGE


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert parse(b'\xef\xbb\xbf{"a":1}', 1) == Document([{"a": 1}], False)


@pytest.mark.parametrize(
    ("body", "twice"),
    [
        (b'{"a":1,"a":2}', {0: ("/a",)}),
        (b'{"a" :1,"a"\n:2,"b":{"c/d":1,"c/d":1,"c/d":2}}', {0: ("/a", "/b/c~1d")}),
        (b'[{"a":1},{"x":[{"y":1,"y":1}]}]', {1: ("/x/0/y",)}),
        (b'{"a":"\\":","b":"\\" :","\\\\":1}', {}),
        (b'{"\\u0061":1,"a":2}', {0: ("/a",)}),
        (b"[1,[2]]", {}),
    ],
)
def test_names_that_stand_twice_are_found_in_any_writing(body: bytes, twice: dict[int, tuple[str, ...]]) -> None:
    assert parse(body, 3).twice == twice


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=5), st.randoms(use_true_random=False))
def test_the_same_event_written_otherwise_is_the_same_body(document: dict[str, object], chance: random.Random) -> None:
    names = list(document)
    chance.shuffle(names)
    other = json.dumps(
        {name: document[name] for name in names}, indent=chance.choice([None, 1]), separators=(",", " : ")
    )
    try:
        one, two = parse(encoded(document), 1), parse(other.encode(), 1)
    except (Refused, UnicodeEncodeError):
        return
    assert one.twice == two.twice == {}
    assert canonical(one.items[0]) == canonical(two.items[0])


def test_the_hash_tells_bodies_apart_and_ignores_how_they_travelled() -> None:
    one = event(alarm())
    assert event(encoded(alarm()).replace(b"80.0", b"80")).body_hash == one.body_hash
    assert event(alarm(traceparent="00-1-2-01", tracestate="x=1")).body_hash == one.body_hash
    assert event(alarm(data__alarm__limit=80.1)).body_hash != one.body_hash
    assert event(alarm(extra=1)).body_hash != one.body_hash
