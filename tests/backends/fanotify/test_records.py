"""Records of file events, as a kernel wrote them and as none should."""

from __future__ import annotations

import struct

import pytest

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.records import Record, decode
from refengine.errors import BackendError

RECORDED = bytes.fromhex(
    "3c000000030018002801000000000000ffffffff1c040000020024001ccc9e0e03d76469080000000100000041d22000e189086166696c65"
    "0000000038000000030018000001004000000000ffffffff1d040000020020001ccc9e0e03d76469080000000100000041d22000e1890861"
    "6e65770060000000030018000000001000000000ffffffff1e0400000a0024001ccc9e0e03d76469080000000100000041d22000e1890861"
    "66696c65000000000c0024001ccc9e0e03d76469080000000100000041d22000e189086166696c65320000003c0000000300180000020000"
    "00000000ffffffff1f040000020024001ccc9e0e03d76469080000000100000041d22000e189086166696c65320000003800000003001800"
    "0002004000000000ffffffff20040000020020001ccc9e0e03d76469080000000100000041d22000e18908616e657700"
)
"""`echo x > file; mkdir new; mv file file2; rm file2; rmdir new`, one thread each but for the first."""


def test_each_record_says_what_happened_where_and_by_whom() -> None:
    created, made, moved, removed, unmade = decode(RECORDED)
    assert created.mask == binding.CREATE | binding.OPEN | binding.CLOSE_WRITE
    assert made.mask == binding.CREATE | binding.ONDIR
    assert moved.mask == binding.RENAME
    assert removed.mask == binding.DELETE
    assert unmade.mask == binding.DELETE | binding.ONDIR
    assert [record.tid for record in (created, made, moved, removed, unmade)] == [
        1052,
        1053,
        1054,
        1055,
        1056,
    ]


def test_places_are_folders_and_names() -> None:
    created, made, moved, *_ = decode(RECORDED)
    assert created.place is not None
    assert made.place is not None
    assert moved.place is not None
    assert moved.target is not None
    assert created.place.name == b"file"
    assert made.place.name == b"new"
    assert (moved.place.name, moved.target.name) == (b"file", b"file2")
    assert created.place.folder == made.place.folder == moved.target.folder
    assert len(created.place.folder) == 8 + 8 + 8


def test_a_record_of_an_overflow_has_no_place() -> None:
    data = struct.pack("=IBBHQii", 24, 3, 0, 24, binding.Q_OVERFLOW, -1, 0)
    assert list(decode(data)) == [Record(binding.Q_OVERFLOW, 0)]


def test_a_record_with_an_open_descriptor_has_that() -> None:
    (record,) = decode(struct.pack("=IBBHQii", 24, 3, 0, 24, binding.OPEN, 17, 42))
    assert (record.descriptor, record.tid, record.place) == (17, 42, None)


def test_information_of_other_kinds_is_passed_over() -> None:
    data = struct.pack("=IBBHQii", 32, 3, 0, 24, binding.OPEN, -1, 1) + struct.pack("=BBHi", 4, 0, 8, 9)
    (record,) = decode(data)
    assert record.place is None


@pytest.mark.parametrize("length", [*range(1, 60, 7), 61, 100])
def test_what_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(BackendError):
        list(decode(RECORDED[:length]))


@pytest.mark.parametrize(
    ("at", "value"), [(0, 0), (0, 10), (4, 2), (6, 4), (6, 255), (26, 1), (26, 200), (36, 200)]
)
def test_impossible_lengths_and_other_versions_are_refused(at: int, value: int) -> None:
    data = bytearray(RECORDED[:60])
    data[at] = value
    with pytest.raises(BackendError):
        list(decode(bytes(data)))
