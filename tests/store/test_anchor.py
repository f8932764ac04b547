"""The anchor: what it remembers, how it is written, and what it says of a store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.store.anchor import Anchor, Finding, Gap, Head, StoreHeads, compare
from bot.store.errors import AnchorStaleError, AnchorUnreadableError


def head(count: int, sha: str = "") -> Head:
    return Head(count, f"{count}-0", (sha or f"{count:x}").rjust(64, "0"))


heads = st.dictionaries(st.integers(0, 15), st.integers(0, 10**9).map(head))


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20), heads)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, store_id: str, given_heads: dict[int, Head]
) -> None:
    path = tmp_path_factory.mktemp("anchor") / "anchor.json"
    anchor = Anchor(store_id).advance(given_heads)
    anchor.save(path)
    assert Anchor.load(path) == anchor
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["anchor.json"]


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert Anchor.load(tmp_path / "anchor.json") is None


def test_the_generation_grows_and_no_older_one_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "anchor.json"
    first = Anchor("s1").advance({0: head(1)})
    second = first.advance({1: head(7)})
    assert (first.generation, second.generation) == (1, 2)
    assert second.heads == {0: head(1), 1: head(7)}
    second.save(path)
    for stale in (first, second):
        with pytest.raises(AnchorStaleError, match="第 2 代"):
            stale.save(path)
    assert Anchor.load(path) == second


def test_a_journal_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="journal 3"):
        Anchor("s1", heads={3: head(9)}).advance({3: head(8)})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"format": 2}',
        b'{"format": 1, "store_id": "s", "generation": 1, "heads": {"x": 1}}',
        b"\xff",
    ],
)
def test_a_file_that_is_no_anchor_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anchor.json"
    path.write_bytes(content)
    with pytest.raises(AnchorUnreadableError, match=str(path)):
        Anchor.load(path)
    with pytest.raises(AnchorUnreadableError):
        Anchor("s1", 5).save(path)
    assert path.read_bytes() == content


def test_a_save_that_fails_leaves_the_old_anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "anchor.json"
    first = Anchor("s1", 1)
    first.save(path)

    def broken(descriptor: int) -> None:
        raise OSError(5, "the disk says no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="says no"):
            first.advance({}).save(path)
    assert Anchor.load(path) == first
    assert [entry.name for entry in tmp_path.iterdir()] == ["anchor.json"]


def test_each_finding_has_its_case() -> None:
    anchor = Anchor("s1", 4, {0: head(10), 1: head(5), 2: head(0)})
    whole = {0: head(10), 1: head(5)}
    cases = {
        Finding.FRESH: (None, StoreHeads(None)),
        Finding.ANCHOR_MISSING: (None, StoreHeads("s1", whole)),
        Finding.STORE_EMPTY: (anchor, StoreHeads(None)),
        Finding.STORE_OTHER: (anchor, StoreHeads("s2", whole)),
        Finding.OK: (anchor, StoreHeads("s1", whole)),
        Finding.JOURNAL_BEHIND: (anchor, StoreHeads("s1", {0: head(8), 1: head(5)})),
        Finding.JOURNAL_DIFFERS: (anchor, StoreHeads("s1", {0: head(8), 1: head(5, "bad")})),
    }
    assert set(cases) == set(Finding)
    for finding, (known, store) in cases.items():
        verdict = compare(known, store)
        assert verdict.finding is finding
        assert verdict.opens is (finding in (Finding.OK, Finding.FRESH, Finding.JOURNAL_BEHIND))
        assert verdict.zh
        assert verdict.en
    behind = compare(*cases[Finding.JOURNAL_BEHIND])
    assert behind.gaps == (Gap(0, head(10), head(8)),)
    assert behind.gaps[0].missing == 2
    assert "分区 0：锚定第 10 条，现有 8 条" in behind.zh
    assert [gap.missing for gap in compare(*cases[Finding.STORE_EMPTY]).gaps] == [10, 5, 0]


def test_a_longer_journal_must_hold_the_anchored_record() -> None:
    anchor = Anchor("s1", 1, {0: head(3)})
    grown = {0: head(9)}
    assert compare(anchor, StoreHeads("s1", grown, {0: {3: head(3).sha256}})).finding is Finding.OK
    assert compare(anchor, StoreHeads("s1", grown, {0: {3: head(4).sha256}})).finding is Finding.JOURNAL_DIFFERS
    assert compare(anchor, StoreHeads("s1", grown)).finding is Finding.JOURNAL_DIFFERS


@settings(deadline=None)
@given(heads, heads)
def test_a_store_that_only_grew_is_always_ok(old: dict[int, Head], more: dict[int, Head]) -> None:
    grown = old | more
    for key in old.keys() & more.keys():
        grown[key] = head(old[key].count + more[key].count)
    store = StoreHeads("s1", grown, {key: {one.count: one.sha256} for key, one in old.items()})
    assert compare(Anchor("s1", 1, old), store).finding is Finding.OK


@settings(deadline=None)
@given(heads.filter(bool), st.data())
def test_a_store_that_lost_records_never_is(old: dict[int, Head], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(old)))
    if old[key].count == 0:
        return
    found = {**old, key: head(data.draw(st.integers(0, old[key].count - 1)))}
    verdict = compare(Anchor("s1", 1, old), StoreHeads("s1", found))
    assert verdict.finding is Finding.JOURNAL_BEHIND
    assert [gap.partition for gap in verdict.gaps] == [key]


def _grown(*counts: int, kind: str = "") -> Anchor:
    """An anchor of one partition that was saved at each of these counts."""
    anchor = Anchor("s1")
    for count in counts:
        anchor = anchor.advance({0: head(count, kind) if kind else head(count)})
    return anchor


def test_a_journal_that_fell_back_and_grew_again_is_behind_up_to_where_it_still_agrees() -> None:
    """Others went on in a promoted replica: the anchored end is gone, although the journal is longer than anchored."""
    anchor = _grown(90, 100, 110)
    forked = StoreHeads(
        "s1", {0: head(130, "other")}, {0: {110: head(1).sha256, 100: head(100).sha256, 90: head(90).sha256}}
    )
    verdict = compare(anchor, forked, falls_back=True)
    assert verdict.finding is Finding.JOURNAL_BEHIND
    assert verdict.gaps == (Gap(0, head(110), head(100)),)
    assert verdict.gaps[0].missing == 10
    assert compare(anchor, forked).finding is Finding.JOURNAL_DIFFERS, "a store of one's own does not fall back"
    lowered = anchor.lower({0: head(100)})
    assert compare(lowered, forked, falls_back=True).finding is Finding.OK
    assert lowered.known(0) == (head(100), head(90))


def test_a_wholly_other_past_never_passes_for_one_that_fell_back() -> None:
    other = StoreHeads("s1", {0: head(130, "other")}, {0: {number: head(1).sha256 for number in (110, 100, 90)}})
    assert compare(_grown(90, 100, 110), other, falls_back=True).finding is Finding.JOURNAL_DIFFERS


def test_a_journal_cut_to_nothing_forgets_what_was_known_of_it() -> None:
    lowered = _grown(90, 110).lower({0: None})
    assert lowered.heads == {}
    assert lowered.known(0) == ()


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=200))
def test_former_heads_are_few_and_reach_far(steps: list[int]) -> None:
    counts = [sum(steps[: place + 1]) for place in range(len(steps))]
    anchor = _grown(*counts)
    kept = [each.count for each in anchor.known(0)]
    assert kept == sorted(set(kept), reverse=True)
    assert set(kept) <= set(counts)
    assert len(kept) <= 18
    if len(counts) > 1:
        assert kept[-1] <= max(counts[0], counts[-1] - (counts[-1] - counts[0]) // 4), "nothing old is remembered"


def test_former_heads_come_back_from_the_file(tmp_path: Path) -> None:
    anchor = _grown(1, 5, 9)
    anchor.save(tmp_path / "anchor.json")
    assert Anchor.load(tmp_path / "anchor.json") == anchor
