"""Fields of the event itself, of its parameters and its outcome."""

from __future__ import annotations

import time
from typing import Any

import pytest

from refengine.tables.flags import FLAG_TABLES
from tests.events import NOW, applied, field, machine

FILE = FLAG_TABLES["file_flags"]


def test_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        event = applied(machine(), "SYSCALL_GETUID_X", at=NOW + 1_000_000_123)
        assert field(event, "evt.time") == "23:13:21.000000123"
        assert field(event, "evt.time.s") == "23:13:21"
        assert field(event, "evt.time.iso8601") == "2023-11-14T22:13:21.000000123+0000"
        assert field(event, "evt.datetime") == "2023-11-14 23:13:21.000000123"
        assert field(event, "evt.datetime.s") == "2023-11-14 23:13:21"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_relative_to_others() -> None:
    state = machine()
    first = applied(state, "SYSCALL_GETUID_X", at=NOW)
    assert (field(first, "evt.reltime"), field(first, "evt.deltatime")) == (0, 0)
    applied(state, "SYSCALL_GETUID_X", at=NOW + 5_000_000_000)
    last = applied(state, "SYSCALL_GETUID_X", at=NOW + 7_000_000_009)
    assert [field(last, f"evt.reltime{part}") for part in ("", ".s", ".ns")] == [7_000_000_009, 7, 9]
    assert [field(last, f"evt.deltatime{part}") for part in ("", ".s", ".ns")] == [2_000_000_009, 2, 9]
    assert [field(last, f"evt.rawtime{part}") for part in (".s", ".ns")] == [NOW // 10**9 + 7, 9]
    assert field(last, "evt.around", str(NOW + 7_000_000_000)) == 1


def test_kinds_of_events() -> None:
    state = machine()
    call = applied(state, "SYSCALL_GETUID_X")
    assert (field(call, "evt.type"), field(call, "syscall.type"), field(call, "evt.dir")) == (
        "getuid",
        "getuid",
        "<",
    )
    assert (field(call, "evt.is_async"), field(call, "evt.asynctype"), field(call, "evt.count.exit")) == (
        False,
        None,
        1,
    )
    assert field(call, "evt.type.is", str(call.type.code)) == 1
    assert field(call, "evt.type.is", "3") == 0
    info = applied(state, "PROCINFO_E", cpu_usr=1, cpu_sys=1)
    assert (field(info, "syscall.type"), field(info, "evt.asynctype"), field(info, "evt.dir")) == (
        None,
        "procinfo",
        ">",
    )
    assert (field(info, "evt.count.procinfo"), field(call, "evt.count.procinfo")) == (1, None)
    named = applied(state, "ASYNCEVENT_E", name="container", data=b"")
    assert field(named, "evt.asynctype") == "container"


@pytest.mark.parametrize(
    ("enum", "category"),
    [
        ("SYSCALL_OPEN_X", "file"),
        ("SYSCALL_PIPE_X", "IPC"),
        ("SYSCALL_READ_X", "unknown"),
        ("SYSCALL_EXECVE_19_X", "process"),
        ("SOCKET_CONNECT_X", "net"),
    ],
)
def test_categories(enum: str, category: str) -> None:
    assert field(applied(machine(), enum), "evt.category") == category


def test_the_category_of_input_and_output_is_that_of_the_descriptor() -> None:
    state = machine()
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/x", flags=1)
    applied(state, "SOCKET_SOCKET_X", fd=4, domain=2, type=1, proto=0)
    applied(state, "SYSCALL_PIPE_X", res=0, fd1=5, fd2=6)
    applied(state, "SYSCALL_EPOLL_CREATE1_X", res=7)
    found = [
        field(applied(state, "SYSCALL_READ_X", res=1, fd=number), "evt.category") for number in (3, 4, 5, 7)
    ]
    assert found == ["file", "net", "ipc", "unknown"]


@pytest.mark.parametrize(
    ("result", "text", "failed"),
    [
        (0, "SUCCESS", False),
        (7, "SUCCESS", False),
        (-1, "EPERM", True),
        (-11, "EAGAIN", True),
        (-9999, "-9999", True),
    ],
)
def test_results(result: int, text: str, failed: bool) -> None:
    event = applied(machine(), "SYSCALL_MKDIR_2_X", res=result, path="/x", mode=0o755)
    assert field(event, "evt.res") == text
    assert field(event, "evt.rawres") == result
    assert field(event, "evt.failed") is failed
    assert field(event, "evt.count.error") == int(failed)


def test_large_results_are_signed() -> None:
    event = applied(machine(), "SYSCALL_BRK_4_X", res=(1 << 64) - 12)
    assert (field(event, "evt.rawres"), field(event, "evt.res")) == (-12, "ENOMEM")


def test_events_without_result() -> None:
    event = applied(machine(), "PROCEXIT_1_E", status=0)
    assert field(event, "evt.res") is None
    assert field(event, "evt.failed") is None


def test_transfers() -> None:
    state = machine()
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/x", flags=1)
    read = applied(state, "SYSCALL_READ_X", res=5, fd=3, data=b"\0data", size=10)
    assert [field(read, f"evt.is_io{part}") for part in ("", "_read", "_write")] == [True, True, False]
    assert (field(read, "evt.io_dir"), field(read, "evt.buffer"), field(read, "evt.buflen")) == (
        "read",
        b"\0data",
        5,
    )
    assert (
        field(read, "evt.buflen.file.in"),
        field(read, "evt.buflen.file.out"),
        field(read, "evt.buflen.net"),
    ) == (
        5,
        None,
        None,
    )
    unknown = applied(state, "SYSCALL_WRITE_X", res=5, fd=9, data=b"12345")
    assert (field(unknown, "evt.io_dir"), field(unknown, "evt.buflen")) == ("write", None)
    assert field(applied(state, "SYSCALL_GETUID_X"), "evt.buffer") is None


def test_errors_are_counted_by_subject() -> None:
    state = machine()

    def subjects(enum: str, res: int) -> set[str]:
        name = "fd" if enum == "SYSCALL_OPEN_X" else "res"
        event = applied(state, enum, **{name: res})
        parts = ("file", "net", "memory", "other")
        return {part for part in parts if field(event, f"evt.count.error.{part}") is not None}

    assert subjects("SYSCALL_OPEN_X", -2) == {"file"}
    assert subjects("SOCKET_CONNECT_X", -2) == {"net"}
    assert subjects("SYSCALL_BRK_4_X", -2) == {"memory"}
    assert subjects("SYSCALL_ACCESS_X", -2) == {"other"}


@pytest.mark.parametrize(
    ("flags", "mode", "wanted"),
    [
        ("O_RDONLY", 0, "read"),
        ("O_WRONLY", 0, "write"),
        ("O_RDWR", 0, "read write"),
        ("O_NONE", 0, ""),
        ("O_WRONLY O_CREAT", 0o755, "write exec"),
        ("O_WRONLY O_CREAT", 0o644, "write"),
        ("O_WRONLY O_CREAT O_F_CREATED", 0o644, "write create"),
        ("O_WRONLY O_TMPFILE", 0o600, "write create"),
    ],
)
def test_ways_to_open(flags: str, mode: int, wanted: str) -> None:
    bits = sum(FILE[name] for name in flags.split())
    event = applied(machine(), "SYSCALL_OPENAT_2_X", fd=3, dirfd=-100, name="x", flags=bits, mode=mode)
    ways = [way for way in ("read", "write", "exec", "create") if field(event, f"evt.is_open_{way}")]
    assert " ".join(ways) == wanted


def test_creat_may_make_something_executable() -> None:
    event = applied(machine(), "SYSCALL_CREAT_X", fd=3, name="x", mode=0o755)
    assert field(event, "evt.is_open_exec") is True


def test_arguments_by_name_and_position() -> None:
    event = applied(machine(), "SYSCALL_OPEN_X", fd=3, name="x", flags=4097, mode=0o644)
    assert field(event, "evt.arg", "flags") == "O_RDONLY|O_CLOEXEC"
    assert field(event, "evt.arg", "1") == "/home/me/x"
    assert field(event, "evt.rawarg", "flags") == 4097
    assert field(event, "evt.rawarg", "name") == "x"
    assert field(event, "evt.arg", "nothing") is None
    assert field(event, "evt.arg", "17") is None
    assert field(event, "evt.args") == field(event, "evt.info")


def test_absolute_paths_of_calls_with_directories() -> None:
    state = machine()
    event = applied(
        state, "SYSCALL_RENAMEAT2_X", res=0, olddirfd=-100, oldpath="a", newdirfd=-100, newpath="/b"
    )
    assert (field(event, "evt.abspath", "src"), field(event, "evt.abspath", "dst")) == ("/home/me/a", "/b")
    assert field(applied(state, "SYSCALL_OPEN_X", fd=3, name="x", flags=1), "evt.abspath") is None


def test_paths_of_calls_on_the_file_system() -> None:
    state = machine()

    def paths(enum: str, **named: Any) -> list[object]:
        event = applied(state, enum, **named)
        return [field(event, f"fs.path.{part}") for part in ("name", "nameraw", "source", "target")]

    assert paths("SYSCALL_UNLINK_2_X", res=0, path="x") == ["/home/me/x", "x", None, None]
    assert paths("SYSCALL_UNLINK_2_X", res=-2, path="x") == [None] * 4
    assert paths("SYSCALL_RENAME_X", res=0, oldpath="/a", newpath="b") == [None, None, "/a", "/home/me/b"]
    assert paths("SYSCALL_LINK_2_X", res=0, oldpath="/a", newpath="/b") == [None, None, "/b", "/a"]
    assert paths("SYSCALL_SYMLINK_X", res=0, target="/a", linkpath="/l") == [None, None, "/l", "/a"]
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/opened", flags=1)
    assert paths("SYSCALL_FCHMOD_X", res=0, fd=3, mode=0o600) == ["/opened", "/opened", None, None]


def test_lists_of_descriptors() -> None:
    state = machine()
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/x", flags=1)
    event = applied(state, "SYSCALL_POLL_X", res=1, fds=((3, 1), (9, 4)), timeout=0)
    assert (field(event, "fdlist.nums"), field(event, "fdlist.names"), field(event, "fdlist.cips")) == (
        "3,9",
        "/x,<NA>",
        "<NA>,<NA>",
    )
    assert field(applied(state, "SYSCALL_POLL_X", res=0, fds=(), timeout=0), "fdlist.nums") is None
