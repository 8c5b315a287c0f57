"""The tables in front of the events, in all their versions."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from refengine.backends.capture.sections import GroupRecord, InterfaceRecord, UserRecord
from refengine.event.sockets import InetAddress, InetTuple, UnixTuple
from tests.backends.capture.opened import read_capture
from tests.backends.capture.raw import block, capture, counted, event, i64, process, section

END = event("SYSCALL_CLOSE_X", i64(0), i64(3))
PROCESS_BLOCKS = [
    (1, 0x202),
    (1, 0x8000ABCE),
    (2, 0x207),
    (3, 0x209),
    (4, 0x210),
    (5, 0x211),
    (6, 0x212),
    (7, 0x213),
    (8, 0x214),
    (9, 0x215),
]


@pytest.mark.parametrize(("version", "kind"), PROCESS_BLOCKS)
def test_every_version_of_a_process_list(tmp_path: Path, version: int, kind: int) -> None:
    body = process(version, 7, "seven") + process(version, 8, "eight")
    read = read_capture(tmp_path, capture(block(kind, body), END))
    seven, eight = read.tables.processes
    assert (seven.tid, seven.comm, seven.exe, seven.args, seven.cwd) == (
        7,
        "seven",
        "/bin/seven",
        ("-a", "b c"),
        "/srv",
    )
    assert (eight.uid, eight.gid, eight.fdlimit) == (1000, 100, 1024)
    assert eight.pfminor == (50 if version >= 2 else 0)
    assert eight.env == (("A=1", "B=2") if version >= 3 else ())
    assert (eight.vtid, eight.cgroups) == ((3, ("cpu=/x",)) if version >= 4 else (-1, ()))
    assert eight.root == ("/" if version >= 5 else "")
    assert eight.sid == (40 if version >= 6 else -1)
    assert eight.exepath == ("/usr/bin/eight" if version >= 7 else "")
    assert eight.vpgid == (41 if version >= 8 else -1)
    assert eight.loginuid == 0xFFFFFFFF
    assert read.warnings == []


def test_later_fields_of_a_process(tmp_path: Path) -> None:
    early = struct.pack("<IBQQQ", 1000, 1, 2, 3, 4)
    late = struct.pack("<QIIBQQQBQQQBBq", 9, 34816, 1001, 0, 5, 6, 7, 1, 8, 10, 11, 1, 1, 77) + b"more"
    body = process(9, 7, "early", early) + process(9, 8, "late", late)
    first, second = read_capture(tmp_path, capture(block(0x215, body), END)).tables.processes
    assert (first.loginuid, first.exe_writable, first.cap_permitted, first.tty) == (1000, True, 3, 0)
    assert (second.pidns_init_start_time, second.tty, second.loginuid) == (9, 34816, 1001)
    assert (second.exe_upper_layer, second.exe_ino, second.exe_ino_mtime) == (True, 8, 11)
    assert (second.exe_from_memfd, second.exe_lower_layer, second.pgid) == (True, True, 77)


def descriptor(version: int, number: int, kind: int, rest: bytes) -> bytes:
    body = struct.pack("<qQB", number, 5, kind) + rest
    return struct.pack("<I", len(body) + 4) + body if version == 2 else body


@pytest.mark.parametrize(("version", "kind"), [(1, 0x203), (2, 0x218)])
def test_descriptors(tmp_path: Path, version: int, kind: int) -> None:
    ends = bytes((10, 0, 0, 1, 10, 0, 0, 2)) + struct.pack("<HHB", 4000, 80, 2)
    ends6 = bytes(15) + b"\1" + bytes(15) + b"\2" + struct.pack("<HHB", 1, 2, 3)
    dev = struct.pack("<I", 2049) if version == 2 else b""
    body = struct.pack("<q", 7) + b"".join(
        (
            descriptor(version, 0, 1, counted(b"/dev/null")),
            descriptor(version, 1, 16, struct.pack("<I", 3) + counted(b"/tmp/x") + dev),
            descriptor(version, 2, 3, ends),
            descriptor(version, 3, 4, ends6),
            descriptor(version, 4, 5, bytes(4) + struct.pack("<HB", 22, 2)),
            descriptor(version, 5, 8, struct.pack("<QQ", 1, 2) + counted(b"/run/s")),
            descriptor(version, 6, 12, counted(b"[eventpoll]")),
        )
    )
    read = read_capture(tmp_path, capture(block(kind, body), END))
    null, file, inet, inet6, listening, unix, poll = read.tables.descriptors
    assert read.warnings == []
    assert (null.tid, null.number, null.type, null.name) == (7, 0, "f", "/dev/null")
    assert (file.open_flags, file.name, file.dev) == (3, "/tmp/x", 2049 if version == 2 else 0)
    assert inet.tuple == InetTuple(
        InetAddress(bytes((10, 0, 0, 1)), 4000), InetAddress(bytes((10, 0, 0, 2)), 80)
    )
    assert (inet6.type, inet6.protocol) == ("6", 3)
    assert (listening.type, listening.local, listening.is_listening) == ("4", InetAddress(bytes(4), 22), True)
    assert unix.tuple == UnixTuple(1, 2, "/run/s")
    assert (poll.type, poll.name) == ("l", "[eventpoll]")


def test_descriptors_of_a_kind_yet_unknown(tmp_path: Path) -> None:
    body = struct.pack("<q", 7) + descriptor(2, 0, 200, b"whatever") + descriptor(2, 1, 2, counted(b"/"))
    read = read_capture(tmp_path, capture(block(0x218, body), END))
    assert [(found.type, found.name) for found in read.tables.descriptors] == [("o", ""), ("d", "/")]


@pytest.mark.parametrize(("version", "kind"), [(1, 0x206), (2, 0x220)])
def test_users_and_groups(tmp_path: Path, version: int, kind: int) -> None:
    entries = (
        b"\0" + struct.pack("<II", 0, 1) + counted(b"root") + counted(b"/root") + counted(b"/bin/sh"),
        b"\1" + struct.pack("<I", 5) + counted(b"tty"),
    )
    body = b"".join(struct.pack("<I", len(entry) + 4) + entry if version == 2 else entry for entry in entries)
    tables = read_capture(tmp_path, capture(block(kind, body), END)).tables
    assert tables.users == [UserRecord(0, 1, "root", "/root", "/bin/sh")]
    assert tables.groups == [GroupRecord(5, "tty")]


@pytest.mark.parametrize(("version", "kind"), [(1, 0x205), (2, 0x219)])
def test_interfaces(tmp_path: Path, version: int, kind: int) -> None:
    four = bytes((10, 0, 0, 1, 255, 0, 0, 0, 10, 255, 255, 255))
    entries = (
        struct.pack("<HH", 1, 2) + four + bytes(8) + b"lo",
        struct.pack("<HH", 3, 4) + four + b"eth0",
        struct.pack("<HH", 2, 2) + bytes(48) + bytes(8) + b"lo",
        struct.pack("<HH", 4, 2) + bytes(48) + b"lo",
    )
    body = b"".join(struct.pack("<I", len(entry)) + entry if version == 2 else entry for entry in entries)
    read = read_capture(tmp_path, capture(block(kind, body), END))
    assert read.warnings == []
    assert [found.name for found in read.tables.interfaces] == ["lo", "eth0", "lo", "lo"]
    assert read.tables.interfaces[1] == InterfaceRecord("eth0", bytes((10, 0, 0, 1)), bytes((255, 0, 0, 0)))


def test_every_section_brings_its_tables_and_byte_order(tmp_path: Path) -> None:
    first = capture(block(0x202, process(1, 7, "first")), END)
    second = section(">") + event("SYSCALL_CLOSE_X", i64(0, ">"), i64(9, ">"), order=">")
    read = read_capture(tmp_path, first + second)
    assert [[found.comm for found in tables.processes] for tables in read.sections] == [["first"], []]
    assert [found.param("fd") for found in read.events] == [3, 9]


def test_tables_between_the_events_are_passed(tmp_path: Path) -> None:
    read = read_capture(tmp_path, capture(END, block(0x777, b"unknown"), END))
    assert len(read.events) == 2
    assert read.warnings == []
