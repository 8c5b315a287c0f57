"""Events of captures: numbers, types and parameters, whatever the age of the recorder."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from refengine.backends.base import Interest
from refengine.event.sockets import InetAddress, InetTuple, UnixTuple
from tests.backends.capture.opened import read_capture
from tests.backends.capture.raw import TIME, capture, event, i64, text, u32


def test_an_event_has_what_was_recorded(tmp_path: Path) -> None:
    data = capture(event("SYSCALL_CLOSE_X", i64(-9), i64(3), tid=42, time=TIME + 1, cpu=2))
    (found,) = read_capture(tmp_path, data).events
    assert (found.name, found.tid, found.time, found.cpu, found.number) == ("close", 42, TIME + 1, 2, 1)
    assert found.param("res") == -9
    assert found.param("fd") == 3


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("flags", [None, 5])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_form_of_block_is_read(tmp_path: Path, version: int, flags: int | None, order: str) -> None:
    name = text("/tmp/x")
    data = capture(
        event("SYSCALL_STAT_X", i64(0, order), name, version=version, flags=flags, order=order), order=order
    )
    (found,) = read_capture(tmp_path, data).events
    assert tuple(found.params) == (0, "/tmp/x")
    assert found.time == TIME


def test_an_old_exit_is_completed_from_its_entry(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_READ_E", i64(3), u32(80), tid=1),
        event("SYSCALL_READ_E", i64(4), u32(90), tid=2),
        event("SYSCALL_READ_X", i64(2), b"ab", tid=1),
        event("SYSCALL_READ_X", i64(1), b"c", tid=2),
    )
    first, second = read_capture(tmp_path, data).events
    assert tuple(first.params) == (2, b"ab", 3, 80)
    assert tuple(second.params) == (1, b"c", 4, 90)
    assert (first.number, second.number) == (1, 2)


def test_what_nobody_recorded_is_absent(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_WRITE_E", i64(3), u32(80), tid=1),
        event("SYSCALL_READ_X", i64(2), b"ab", tid=1),
        event("SYSCALL_READ_X", i64(2), b"ab", tid=2),
    )
    for found in read_capture(tmp_path, data).events:
        assert tuple(found.params) == (2, b"ab", None, None)


def test_an_entry_serves_one_exit(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_CLOSE_E", i64(3)),
        event("SYSCALL_CLOSE_X", i64(0)),
        event("SYSCALL_CLOSE_X", i64(0)),
    )
    assert [found.param("fd") for found in read_capture(tmp_path, data).events] == [3, None]


@pytest.mark.parametrize(
    ("enum", "values", "current", "params"),
    [
        ("SYSCALL_UMOUNT_X", (i64(0), text("/mnt")), "SYSCALL_UMOUNT_1_X", (0, "/mnt")),
        ("SYSCALL_NEWSELECT_X", (i64(1),), "SYSCALL_SELECT_X", (1,)),
        (
            "SOCKET_ACCEPT_X",
            (i64(5), b"", b"\0"),
            "SOCKET_ACCEPT_5_X",
            (5, None, 0, 0, 0),
        ),
        ("SYSCALL_FSTAT_X", (i64(0),), "SYSCALL_FSTAT_X", (0, None)),
        ("PROCEXIT_E", (), "PROCEXIT_1_E", (None,) * 5),
        (
            "CONTAINER_E",
            (text("3ad7b26ded6d"), u32(0), text("web"), text('nginx:"1"')),
            "CONTAINER_JSON_2_E",
            ('{"id":"3ad7b26ded6d","type":0,"name":"web","image":"nginx:\\"1\\""}',),
        ),
    ],
)
def test_old_types_become_current_ones(
    tmp_path: Path, enum: str, values: tuple[bytes, ...], current: str, params: tuple[object, ...]
) -> None:
    (found,) = read_capture(tmp_path, capture(event(enum, *values))).events
    assert found.type.enum == current
    assert tuple(found.params) == params


@pytest.mark.parametrize(
    ("enter", "entered", "leave", "left", "current", "params"),
    [
        ("SYSCALL_DUP_E", (i64(3),), "SYSCALL_DUP_X", (i64(4),), "SYSCALL_DUP_1_X", (4, 3)),
        (
            "SYSCALL_OPENAT_E",
            (i64(-100), text("a"), u32(1), u32(0o644)),
            "SYSCALL_OPENAT_X",
            (i64(5),),
            "SYSCALL_OPENAT_2_X",
            (5, -100, "a", 1, 0o644, None, None),
        ),
        (
            "SYSCALL_UNLINKAT_E",
            (i64(-100), text("a")),
            "SYSCALL_UNLINKAT_X",
            (i64(0),),
            "SYSCALL_UNLINKAT_2_X",
            (0, -100, "a", None),
        ),
        (
            "SYSCALL_BRK_1_E",
            (u32(9),),
            "SYSCALL_BRK_1_X",
            (struct.pack("<Q", 7),),
            "SYSCALL_BRK_4_X",
            (7, 9, None, None, None),
        ),
        (
            "SYSCALL_BPF_E",
            (i64(1 << 32 | 5),),
            "SYSCALL_BPF_X",
            (b"\0" + i64(6),),
            "SYSCALL_BPF_2_X",
            (6, 5),
        ),
        (
            "SYSCALL_SENDFILE_E",
            (i64(3), i64(4), struct.pack("<Q", 5), struct.pack("<Q", 6)),
            "SYSCALL_SENDFILE_X",
            (i64(7), struct.pack("<Q", 8)),
            "SYSCALL_SENDFILE_X",
            (7, 8, 3, 4, 6),
        ),
    ],
)
def test_old_calls_become_current_exits(
    tmp_path: Path,
    enter: str,
    entered: tuple[bytes, ...],
    leave: str,
    left: tuple[bytes, ...],
    current: str,
    params: tuple[object, ...],
) -> None:
    (found,) = read_capture(tmp_path, capture(event(enter, *entered), event(leave, *left))).events
    assert found.type.enum == current
    assert tuple(found.params) == params


def test_the_flags_of_an_execveat_are_not_those_of_its_entry(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_EXECVEAT_E", i64(3), text("x"), u32(0x1000)), event("SYSCALL_EXECVEAT_X", i64(0))
    )
    (found,) = read_capture(tmp_path, data).events
    assert found.param("flags") is None


def test_entries_that_no_rule_sees_are_numbered(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_OPEN_E", text("/a"), u32(1), u32(0)),
        event("SYSCALL_OPEN_X", i64(3), text("/a"), u32(1), u32(0)),
        event("SYSCALL_CLOSE_E", i64(3)),
        event("SYSCALL_CLOSE_X", i64(0)),
    )
    read = read_capture(tmp_path, data)
    assert [(found.number, found.name) for found in read.events] == [(2, "open"), (3, "close")]
    assert read.statistics.seen == 3
    assert read.statistics.delivered == 2
    assert read.statistics.filtered == 1


def test_what_is_of_no_interest_is_numbered_and_left_out(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_STAT_X", i64(0), text("/a")),
        event("SYSCALL_FUTEX_X", i64(0), struct.pack("<QHQ", 1, 2, 3)),
        event("SYSCALL_LSTAT_X", i64(0), text("/b")),
        event("SYSCALL_CHDIR_X", i64(0), text("/c")),
    )
    read = read_capture(tmp_path, data, Interest(frozenset({"lstat"})))
    assert [(found.number, found.name) for found in read.events] == [(3, "lstat"), (4, "chdir")]


def test_what_fields_are_reckoned_from_is_given(tmp_path: Path) -> None:
    data = capture(
        event("SYSCALL_STAT_X", i64(0), text("/a")),
        event("SYSCALL_BRK_4_X", i64(0), u32(1), u32(2), u32(3), i64(0)),
        event("SYSCALL_LSTAT_X", i64(0), text("/b")),
    )

    def names(*fields: str) -> list[str]:
        read = read_capture(tmp_path, data, Interest(frozenset({"lstat"}), frozenset(fields)))
        return [found.name for found in read.events]

    assert names() == ["lstat"]
    assert names("proc.vmsize") == ["brk", "lstat"]
    assert names("evt.reltime.s") == ["stat", "brk", "lstat"]


def test_generic_events_are_chosen_by_their_system_call(tmp_path: Path) -> None:
    from refengine.tables.syscalls import BY_NAME

    def generic(name: str) -> bytes:
        return event("GENERIC_X", struct.pack("<H", BY_NAME[name].code), struct.pack("<H", 1))

    data = capture(generic("sync"), generic("uname"), generic("sync"))
    read = read_capture(tmp_path, data, Interest(frozenset({"uname"})))
    assert [(found.number, found.name) for found in read.events] == [(2, "uname")]


def test_parameters_of_another_width_are_read(tmp_path: Path) -> None:
    data = capture(event("SYSCALL_CLOSE_X", struct.pack("<i", -2), struct.pack("<h", 3)))
    (found,) = read_capture(tmp_path, data).events
    assert tuple(found.params) == (-2, 3)


def test_more_parameters_than_known_are_left_out(tmp_path: Path) -> None:
    data = capture(event("SYSCALL_CLOSE_X", i64(0), i64(3), i64(99)))
    (found,) = read_capture(tmp_path, data).events
    assert tuple(found.params) == (0, 3)


def test_unknown_event_types_are_skipped(tmp_path: Path) -> None:
    strange = bytearray(event("SYSCALL_CLOSE_X", i64(0), i64(3)))
    struct.pack_into("<H", strange, 30, 9999)
    read = read_capture(tmp_path, capture(bytes(strange), event("SYSCALL_CLOSE_X", i64(0), i64(4))))
    assert [(found.number, found.param("fd")) for found in read.events] == [(1, 4)]
    assert read.warnings == []


def test_sockets_and_texts(tmp_path: Path) -> None:
    address = b"\x02\x7f\x00\x00\x01" + struct.pack("<H", 80)
    pair = b"\x02\x0a\x00\x00\x01" + struct.pack("<H", 4000) + b"\x7f\x00\x00\x01" + struct.pack("<H", 80)
    local = b"\x01" + struct.pack("<QQ", 1, 2) + b"/run/s\0"
    data = capture(
        event("SOCKET_CONNECT_X", i64(0), pair, i64(3), address),
        event("SOCKET_CONNECT_X", i64(0), local, i64(3), b""),
        event("SYSCALL_STAT_X", i64(0), b"/t\xff\0"),
        event("SYSCALL_STAT_X", i64(0), b""),
    )
    inet, unix, broken, nothing = read_capture(tmp_path, data).events
    server = InetAddress(bytes((127, 0, 0, 1)), 80)
    assert inet.param("tuple") == InetTuple(InetAddress(bytes((10, 0, 0, 1)), 4000), server)
    assert inet.param("addr") == server
    assert unix.param("tuple") == UnixTuple(1, 2, "/run/s")
    assert unix.param("addr") is None
    assert broken.param("path") == "/t\udcff"
    assert nothing.param("path") is None


def test_a_batch_has_at_most_as_many_events_as_asked_for(tmp_path: Path) -> None:
    data = capture(*(event("SYSCALL_CLOSE_X", i64(0), i64(number)) for number in range(10)))
    found = read_capture(tmp_path, data, limit=3).events
    assert [each.param("fd") for each in found] == list(range(10))
