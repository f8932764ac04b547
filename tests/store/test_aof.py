"""Reading append-only files: any records, cut anywhere, damaged anywhere, any bytes at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.store import aof
from bot.store.aof import Reading, Shape

arguments = st.binary(max_size=12)
commands = st.lists(arguments, min_size=1, max_size=4).map(lambda rest: [b"SET", *rest])
blocks = st.lists(
    st.one_of(
        commands.map(lambda one: [one]), st.lists(commands, max_size=3).map(lambda many: [[b"MULTI"], *many, [b"EXEC"]])
    )
)


def encode(command: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)


@settings(deadline=None)
@given(blocks)
def test_whole_records_are_whole(given_blocks: list[list[list[bytes]]]) -> None:
    data = b"".join(encode(command) for block in given_blocks for command in block)
    assert aof.scan(data) == Reading(Shape.WHOLE, len(data), len(data), len(data))


@settings(deadline=None)
@given(blocks.filter(bool), st.data())
def test_a_cut_keeps_every_whole_block_before_it(given_blocks: list[list[list[bytes]]], data: st.DataObject) -> None:
    ends = [0]
    whole = b""
    for block in given_blocks:
        whole += b"".join(map(encode, block))
        ends.append(len(whole))
    cut = data.draw(st.integers(0, len(whole)))
    reading = aof.scan(whole[:cut])
    assert reading.whole == max(end for end in ends if end <= cut)
    assert reading.shape is (Shape.WHOLE if cut in ends else Shape.TORN)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    reading = aof.scan(data)
    assert 0 <= reading.whole <= reading.at <= reading.size == len(data)


def test_a_length_that_swallows_the_rest_is_damage_when_a_whole_record_follows() -> None:
    first, last = encode([b"SET", b"a", b"1"]), encode([b"SET", b"b", b"2"])
    swallowing = first.replace(b"$1\r\n1", b"$99\r\n1")
    assert aof.scan(swallowing + last).shape is Shape.DAMAGED
    assert aof.scan(swallowing).shape is Shape.TORN
    assert aof.scan(first + last + b"\0" * 8).shape is Shape.DAMAGED
    assert aof.scan(b"#TS:1\r\n" + first).shape is Shape.WHOLE


@pytest.mark.parametrize("size", [0, 1])
def test_small_files(tmp_path: Path, size: int) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"*"[:size])
    assert aof.read(path).shape is (Shape.TORN if size else Shape.WHOLE)


def test_the_manifest_names_the_last_file(tmp_path: Path) -> None:
    assert aof.last_file(tmp_path) is None
    assert aof.orphaned_files(tmp_path) == []
    folder = tmp_path / aof.FOLDER
    folder.mkdir()
    (folder / f"{aof.NAME}.2.incr.aof").touch()
    assert [path.name for path in aof.orphaned_files(tmp_path)] == [f"{aof.NAME}.2.incr.aof"]
    (folder / f"{aof.NAME}.manifest").write_text(
        f"# a comment\nfile {aof.NAME}.2.base.rdb seq 2 type b\nfile {aof.NAME}.1.incr.aof seq 1 type h\n"
        f"file {aof.NAME}.2.incr.aof seq 2 type i{os.linesep}file {aof.NAME}.10.incr.aof seq 10 type i\n"
    )
    assert aof.last_file(tmp_path) == folder / f"{aof.NAME}.10.incr.aof"
    assert aof.orphaned_files(tmp_path) == []
