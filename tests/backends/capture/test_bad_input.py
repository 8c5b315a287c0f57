"""Broken captures: what comes before the fault is given, then one clear warning, never anything else."""

from __future__ import annotations

import gzip
import struct
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine.backends.base import Interest
from refengine.backends.capture import blocks
from refengine.backends.capture.backend import CaptureBackend
from refengine.backends.capture.reader import CaptureReader
from refengine.errors import BackendError
from tests.backends.capture.opened import Read, read_capture, read_file
from tests.backends.capture.raw import block, capture, counted, event, i64, process, section, text, u32

GOOD = event("SYSCALL_CLOSE_X", i64(0), i64(3))
WHOLE = capture(
    block(0x201, struct.pack("<IQQ128s", 4, 1 << 30, 0, b"host") + bytes(32)),
    block(0x219, struct.pack("<IHH", 22, 3, 2) + bytes(12) + b"lo" + bytes(4)),
    block(0x220, struct.pack("<IBI", 14, 1, 5) + counted(b"tty")),
    block(0x215, process(9, 7, "seven")),
    block(0x218, struct.pack("<qIqQB", 7, 29, 0, 5, 1) + counted(b"/dev/x")),
    GOOD,
    event("SYSCALL_READ_E", i64(3), u32(80)),
    event("SYSCALL_READ_X", i64(2), b"ab"),
    event("SYSCALL_STAT_X", i64(0), text("/tmp/\xe9"), version=1),
    event("SOCKET_CONNECT_X", i64(0), b"\x01" + bytes(20), i64(3), b"\x02" + bytes(6), flags=3),
    event("SYSCALL_POLL_X", i64(0), struct.pack("<Hqh", 1, 3, 4), i64(5)),
    GOOD,
)


def message(folder: Path, data: bytes) -> str:
    """What is said of a file that cannot be opened."""
    path = folder / "test.scap"
    path.write_bytes(data)
    with pytest.raises(BackendError) as raised:
        CaptureReader(path, Interest(None))
    return str(raised.value)


def warning(read: Read) -> str:
    (only,) = read.warnings
    return only


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty (at byte 0)"),
        (b"\x0a", "the section header is cut off (at byte 0)"),
        (b"no capture at all, but text that is long enough", "this is no capture file"),
        (section(major=9), "version 9.2 of the format is not known"),
        (section()[:20], "the section header is cut off"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (b"\x1f\x8b", "the compressed data end early"),
        (b"\x1f\x8b" + b"x" * 50, "the compressed data are corrupted"),
    ],
)
def test_what_is_no_capture_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in message(tmp_path, data)


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(BackendError, match=said):
            CaptureBackend(path).open(Interest(None))


def test_a_cut_file_is_read_to_the_last_whole_block(tmp_path: Path) -> None:
    data = capture(GOOD, GOOD, GOOD)
    read = read_capture(tmp_path, data[:-5])
    assert len(read.events) == 2
    assert warning(read).endswith(
        f"test.scap: the file is broken at byte {28 + 2 * len(GOOD)}: "
        f"a block of {len(GOOD)} bytes is cut off after {len(GOOD) - 5}; what comes after is not read"
    )


def test_a_cut_compressed_file_gives_what_came_out_of_it(tmp_path: Path) -> None:
    data = gzip.compress(capture(*[GOOD] * 1000))
    read = read_capture(tmp_path, data[: len(data) // 2])
    assert 100 < len(read.events) < 1000
    assert "the compressed data end early" in warning(read)


def test_compressed_parts_one_after_the_other(tmp_path: Path) -> None:
    data = gzip.compress(capture(GOOD)) + gzip.compress(GOOD)
    read = read_capture(tmp_path, data)
    assert len(read.events) == 2
    assert read.warnings == []


def test_captures_compressed_with_zstd(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="zstandard is not installed")
    compressor = zstandard.ZstdCompressor()
    data = compressor.compress(capture(GOOD)) + compressor.compress(GOOD * 1000)
    read = read_capture(tmp_path, data)
    assert len(read.events) == 1001
    assert read.warnings == []
    read = read_capture(tmp_path, data[:-10])
    assert "the compressed data end early" in warning(read)


def test_zstd_without_its_library_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    said = message(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(20))
    assert "pip install 'refengine[zstd]'" in said


@pytest.mark.parametrize("length", [0, 11, blocks.MAX_BLOCK + 1, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_reading(tmp_path: Path, length: int) -> None:
    data = capture(GOOD, struct.pack("<II", 0x216, length) + bytes(100))
    read = read_capture(tmp_path, data)
    assert len(read.events) == 1
    assert f"a block has the impossible length {length}" in warning(read)


def test_lengths_that_differ_end_the_reading(tmp_path: Path) -> None:
    wrong = GOOD[:-4] + u32(len(GOOD) + 4)
    read = read_capture(tmp_path, capture(GOOD, wrong, GOOD))
    assert len(read.events) == 1
    assert "the lengths at the two ends of a block differ" in warning(read)


@pytest.mark.parametrize("count", [3, 200, 0xFFFFFFFF])
def test_an_event_whose_parameters_do_not_fit_is_left_out(tmp_path: Path, count: int) -> None:
    data = capture(GOOD, event("SYSCALL_CLOSE_X", i64(0), i64(3), count=count), GOOD)
    read = read_capture(tmp_path, data)
    assert [found.param("fd") for found in read.events] == [3, 3]
    assert read.statistics.dropped == {"undecodable": 1}
    assert warning(read).endswith(
        f"1 events make no sense and were left out, the first of them at byte {28 + len(GOOD)}"
    )


def test_a_table_that_is_broken_keeps_its_good_entries(tmp_path: Path) -> None:
    good = process(5, 7, "seven")
    read = read_capture(tmp_path, capture(block(0x211, good + good[:60]), GOOD))
    assert [found.comm for found in read.tables.processes] == ["seven"]
    assert len(read.events) == 1
    assert "a table is only read in part: an entry of a list is cut off" in warning(read)


def test_an_entry_that_is_longer_than_it_says(tmp_path: Path) -> None:
    body = bytearray(process(9, 7, "seven"))
    struct.pack_into("<I", body, 0, 10)
    read = read_capture(tmp_path, capture(block(0x215, bytes(body)), GOOD))
    assert "an entry is longer than it says" in warning(read)


def test_no_length_makes_the_reader_ask_for_much_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.scap.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(capture(GOOD))
        file.write(struct.pack("<II", 0x777, 0x7FFFFFF0))
        for _ in range(100):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        read = read_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read.events) == 1
    assert "impossible length" in warning(read)
    assert peak < 20 << 20


def test_entries_without_exits_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refengine.backends.capture.events.MAX_ENTERED", 2)
    enters = [event("SYSCALL_CLOSE_E", i64(tid), tid=tid) for tid in (1, 2, 3)]
    exits = [event("SYSCALL_CLOSE_X", i64(0), tid=tid) for tid in (1, 2, 3)]
    read = read_capture(tmp_path, capture(*enters, *exits))
    assert [found.param("fd") for found in read.events] == [None, 2, 3]


def check(folder: Path, data: bytes) -> None:
    """Read whatever `data` are, through every parameter."""
    try:
        read = read_capture(folder, data)
    except BackendError:
        return
    assert len(read.warnings) <= 101
    for number, found in enumerate(read.events):
        assert len(tuple(found.params)) <= len(found.type.params)
        assert number < found.number
    read_capture(folder, data, Interest(frozenset({"stat"})))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_capture_that_is_broken_below_is_whole(folder: Path) -> None:
    read = read_capture(folder, WHOLE)
    assert read.warnings == []
    assert [found.name for found in read.events] == ["close", "read", "stat", "connect", "poll", "close"]


@given(position=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
@settings(max_examples=150)
def test_any_byte_may_be_wrong(folder: Path, position: int, value: int) -> None:
    data = bytearray(WHOLE)
    data[position] = value
    check(folder, bytes(data))


@given(size=st.integers(0, len(WHOLE)))
@settings(max_examples=100)
def test_any_cut(folder: Path, size: int) -> None:
    check(folder, WHOLE[:size])


@given(
    changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 4), st.integers(0, 0xFFFFFFFF)), max_size=8),
    packed=st.booleans(),
)
@settings(max_examples=150)
def test_any_words_may_be_wrong(folder: Path, changes: list[tuple[int, int]], packed: bool) -> None:
    data = bytearray(WHOLE)
    for position, value in changes:
        struct.pack_into("<I", data, position, value)
    check(folder, gzip.compress(bytes(data), 1) if packed else bytes(data))


@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        [
            *blocks.PROCESS_LISTS,
            *blocks.DESCRIPTOR_LISTS,
            *blocks.USER_LISTS,
            *blocks.INTERFACE_LISTS,
            0x201,
            0x204,
            0x208,
            0x216,
            0x217,
            0x221,
            0x222,
            0x999,
        ]
    ),
)
@settings(max_examples=150)
def test_any_content_of_a_block(folder: Path, body: bytes, kind: int) -> None:
    check(folder, capture(block(kind, body), GOOD))


@given(
    enum=st.sampled_from(
        [
            "SYSCALL_EXECVE_19_X",
            "SYSCALL_POLL_X",
            "SOCKET_CONNECT_X",
            "SYSCALL_CLONE_16_X",
            "ASYNCEVENT_E",
            "SYSCALL_KEYCTL_X",
            "GENERIC_X",
            "SYSCALL_QUOTACTL_X",
        ]
    ),
    values=st.lists(st.binary(max_size=20), max_size=40),
    version=st.sampled_from([1, 2]),
    order=st.sampled_from("<>"),
)
@settings(max_examples=150)
def test_any_parameters(folder: Path, enum: str, values: list[bytes], version: int, order: str) -> None:
    check(folder, capture(event(enum, *values, version=version, order=order), order=order))


@given(compressed=st.binary(max_size=100))
def test_any_compressed_data(folder: Path, compressed: bytes) -> None:
    check(folder, b"\x1f\x8b\x08" + compressed)
