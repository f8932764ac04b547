"""Properties of counting, cutting, masking and reading numbers."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from channels.cutting import cut_bytes, size
from channels.masking import Masker, mask_phones
from channels.sms.text import find_link, plain_number, segments, units

texts = st.text(max_size=400)
chinese = st.text(alphabet="一号井高炉煤气泄漏红色预警A0231，。😀👷🏽\u200d\ufe0fé\u0301", max_size=400)


@given(texts | chinese)
def test_units_are_what_utf16_takes(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-be", "surrogatepass")) // 2


@given(texts | chinese, texts)
def test_segments_cover_the_text_and_grow_with_it(text: str, more: str) -> None:
    parts = segments(text)
    assert units(text) <= (70 if parts == 1 else 67 * parts)
    assert parts == 1 or units(text) > max(70, 67 * (parts - 1))
    assert segments(text + more) >= parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", 1), ("警" * 70, 1), ("警" * 71, 2), ("警" * 134, 2), ("警" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2)],
)
def test_segments_at_the_edges(text: str, parts: int) -> None:
    assert segments(text) == parts


@given(texts | chinese, st.integers(0, 300), st.sampled_from(["…", "", "（余下略）"]))
def test_a_cut_text_fits_and_is_a_beginning(text: str, limit: int, ending: str) -> None:
    cut = cut_bytes(text, limit, ending)
    assert size(cut) <= limit
    if size(text) <= limit:
        assert cut == text
    else:
        kept = cut.removesuffix(ending) if size(ending) <= limit else cut
        assert text.startswith(kept)


@given(st.text(alphabet="警情A", max_size=100), st.integers(3, 300))
def test_a_cut_text_wastes_less_than_a_character(text: str, limit: int) -> None:
    assume(size(text) > limit)
    assert size(cut_bytes(text, limit)) > limit - 3


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("一二三", 9, "一二三"),
        ("一二三四", 9, "一二…"),
        ("一二三四", 8, "一…"),
        ("一二", 2, ""),
        ("e\u0301e\u0301", 4, "…"),
    ],
)
def test_cuts_at_the_edges(text: str, limit: int, cut: str) -> None:
    assert cut_bytes(text, limit) == cut


def test_an_emoji_of_several_characters_is_left_out_whole() -> None:
    worker = "👷🏽\u200d♀\ufe0f"
    assert cut_bytes(f"警{worker}{worker}", size(f"警{worker}") + 5, "") == f"警{worker}"


@pytest.mark.parametrize(
    "text",
    [
        "http://a.cn",
        "见HTTPS://A.CN/x",
        "www.example.com",
        "见example.gov.cn",
        "t.cn/Ab1",
        "10.1.2.3:8080",
        "10.1.2.3/a",
    ],
)
def test_links_are_found(text: str) -> None:
    assert find_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "31.5ppm",
        "1#高炉.煤气",
        "PLC1.IO 高报",
        "TE-101.PV",
        "v1.2.3.4",
        "12:30",
        "24/31ppm",
        "a@b",
        "3.cnm",
        "1.5MPa/2.0MPa",
    ],
)
def test_point_tags_and_values_are_no_links(text: str) -> None:
    assert find_link(text) is None


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("13800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("008613900139000", "13900139000"),
        ("8613900139000", "13900139000"),
        ("010 62550000", "01062550000"),
        ("+85212345678", "+85212345678"),
        ("10690000", "10690000"),
    ],
)
def test_numbers_are_read_as_the_directory_writes_them(written: str, plain: str) -> None:
    assert plain_number(written) == plain
    assert plain_number(plain) == plain


@given(texts)
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        plain = plain_number(text)
    except ValueError:
        return
    assert plain.removeprefix("+").isdigit()
    assert plain.isascii()


@given(st.text(min_size=4, max_size=20), texts, texts)
def test_a_secret_never_survives_masking(secret: str, before: str, after: str) -> None:
    # A secret that the stars of its own mask, or the words around it, happen to contain cannot be told from them.
    assume(secret not in "***…" and not set(secret) <= set("*… "))
    assume(secret not in before + after)
    plain = secret.encode("utf-8", "surrogatepass")
    for form in (secret, quote(plain, safe=""), base64.b64encode(plain).decode()):
        assume(form not in before + after)
        masked = Masker([secret, secret + "-longer"])(f"{before}{form}{after}")
        assert secret not in masked
        assert form not in masked
        assert len(masked) <= 300


@given(texts)
def test_masked_words_are_one_printable_line(text: str) -> None:
    masked = Masker(["fake-secret"])(text)
    assert not any(mark < " " or mark in "\x7f\x85\u2028\u2029\u202e\u200b" for mark in masked)


def test_phones_are_shortened_and_other_numbers_are_not() -> None:
    text = "13800138000 +8613900139000 008613900139000 A0231 20261121020000 1380013800 138001380001"
    masked = "138****8000 +86139****9000 0086139****9000 A0231 20261121020000 1380013800 138001380001"
    assert mask_phones(text) == masked
