"""Parameters as text."""

from __future__ import annotations

import time
from typing import Any

import pytest

from refengine.event.addresses import tuple_text
from refengine.event.paths import joined, normalised
from refengine.event.rendering import arg_text, args_text, flags_text, time_text
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.state.users import User, Users
from refengine.tables.event_types import BY_ENUM
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import BY_NAME
from tests.events import applied, machine, made

LOOPBACK6 = bytes(15) + b"\1"


@pytest.mark.parametrize(
    ("enum", "named", "text"),
    [
        ("SYSCALL_READ_X", {"res": -2}, "res=-2(ENOENT)"),
        ("SYSCALL_READ_X", {"res": 5}, "res=5"),
        ("SYSCALL_READ_X", {"fd": 3}, "fd=3(<f>/etc/hosts)"),
        ("SYSCALL_READ_X", {"fd": 8}, "fd=8"),
        ("SYSCALL_MMAP_X", {"fd": -1}, "fd=-1(EPERM)"),
        ("SYSCALL_UNLINKAT_2_X", {"dirfd": -100}, "dirfd=-100(AT_FDCWD)"),
        ("SYSCALL_READ_X", {"data": b"\x7fELF\x00 ok\n"}, "data=.ELF.\x20ok."),
        ("SYSCALL_READ_X", {"data": b""}, "data=NULL"),
        ("SYSCALL_OPEN_X", {"flags": 4097}, "flags=4097(O_RDONLY|O_CLOEXEC)"),
        ("SYSCALL_OPEN_X", {"flags": 3}, "flags=3(O_RDWR)"),
        ("SYSCALL_OPEN_X", {"flags": 0}, "flags=0(O_NONE)"),
        ("SYSCALL_OPEN_X", {"mode": 0o644}, "mode=0644"),
        ("SYSCALL_OPEN_X", {"mode": 0}, "mode=0"),
        ("SYSCALL_OPEN_X", {"dev": 0xFD00}, "dev=FD00"),
        ("SYSCALL_OPEN_X", {"dev": None}, "dev=<NA>"),
        ("SYSCALL_MMAP_X", {"prot": 3}, "prot=3(PROT_READ|PROT_WRITE)"),
        ("SYSCALL_MMAP_X", {"addr": 0x7FA69752C000}, "addr=7FA69752C000"),
        ("SOCKET_SOCKET_X", {"domain": 1}, "domain=1(AF_LOCAL|AF_UNIX)"),
        ("SOCKET_SOCKET_X", {"domain": 10}, "domain=10(AF_INET6)"),
        ("SOCKET_SENDTO_X", {"tuple": None}, "tuple=NULL"),
        ("SOCKET_CONNECT_X", {"addr": None}, "addr=<NA>"),
        ("SOCKET_BIND_X", {"addr": InetAddress(bytes((10, 0, 0, 1)), 80)}, "addr=10.0.0.1:80"),
        ("SOCKET_BIND_X", {"addr": InetAddress(LOOPBACK6, 80)}, "addr=::1:80"),
        ("SOCKET_BIND_X", {"addr": UnixAddress("/run/x")}, "addr=/run/x"),
        (
            "SOCKET_CONNECT_X",
            {
                "tuple": InetTuple(
                    InetAddress(b"\n\0\0\1", 1), InetAddress(bytes(10) + b"\xff\xff\x7f\0\0\1", 2)
                )
            },
            "tuple=10.0.0.1:1->127.0.0.1:2",
        ),
        ("SYSCALL_POLL_X", {"fds": ((3, 0x41), (9, 1))}, "fds=3:f41 9:?1"),
        ("SYSCALL_POLL_X", {"fds": ()}, "fds="),
        ("SYSCALL_KILL_X", {"sig": 9}, "sig=9(SIGKILL)"),
        ("SYSCALL_KILL_X", {"pid": 100}, "pid=100(shell)"),
        ("SYSCALL_KILL_X", {"pid": 4}, "pid=4"),
        ("SYSCALL_NANOSLEEP_X", {"interval": 1_500_000_000}, "interval=1500000000(1.5s)"),
        ("SYSCALL_SETUID_X", {"uid": 0}, "uid=0(root)"),
        ("SYSCALL_SETUID_X", {"uid": 0xFFFFFFFF}, "uid=-1(<NONE>)"),
        ("SYSCALL_SETUID_X", {"uid": 77}, "uid=77(<NA>)"),
        ("SYSCALL_FCHOWN_X", {"uid": 0xFFFFFFFF}, "uid=-1"),
        ("SYSCALL_CHMOD_X", {"filename": "x"}, "filename=x(/home/me/x)"),
        ("SYSCALL_CHMOD_X", {"filename": "/x/../y"}, "filename=/x/../y"),
        ("SYSCALL_CHMOD_X", {"mode": 0o600}, "mode=0600(S_IWUSR|S_IRUSR)"),
        ("SYSCALL_PTRACE_X", {"addr": 255}, "addr=FF"),
    ],
)
def test_texts(enum: str, named: dict[str, Any], text: str) -> None:
    state = machine()
    state.users = Users([User(0, 0, "root", "/root", "/bin/sh")])
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/etc/hosts", flags=1)
    event = applied(state, enum, **named)
    if enum == "SYSCALL_OPEN_X":
        event = made(enum, **named)
    (name,) = named
    start = args_text(event).index(f"{name}=")
    assert f"{args_text(event)} "[start : start + len(text) + 1] == f"{text} "


def test_a_local_connection_shows_kernel_addresses_and_path() -> None:
    event = made("SOCKET_CONNECT_X", tuple=UnixTuple(0, 0xFFFF88003C420800, "/run/x"))
    assert arg_text(event, 1) == "0->ffff88003c420800 /run/x"


def test_everything_is_listed_in_order() -> None:
    event = made("SYSCALL_CLOSE_X", res=0, fd=7)
    assert args_text(event) == "res=0 fd=7"


def test_the_meaning_stands_for_the_value() -> None:
    event = made("SYSCALL_OPEN_X", fd=-13, flags=2, name="/x")
    assert [arg_text(event, position) for position in range(3)] == ["EACCES", "/x", "O_WRONLY"]


def test_generic_calls_show_no_arguments_but_have_them() -> None:
    event = made("GENERIC_X", ID=BY_NAME["madvise"].code, nativeID=28)
    assert args_text(event) == ""
    assert (arg_text(event, 0), arg_text(event, 1)) == ("madvise", "28")
    assert event.name == "madvise"


def test_events_with_fewer_parameters_than_the_table_show_those_they_have() -> None:
    event = made("PROCEXIT_1_E", status=0)
    event.params = event.params[:1]
    assert args_text(event) == "status=0"


def test_every_parameter_of_every_event_type_can_be_shown_when_absent_or_of_an_odd_type() -> None:
    for value in (None, 1, "text", b"data", ()):
        for enum, kind in BY_ENUM.items():
            event = made(enum)
            event.params = [value for _ in kind.params]
            assert isinstance(args_text(event), str)


def test_bits_are_named_once() -> None:
    flags = FLAG_TABLES["file_flags"]
    assert flags_text("file_flags", flags["O_RDWR"] | flags["O_CREAT"]) == "O_CREAT|O_RDWR"
    assert flags_text("file_flags", flags["O_NONE"]) == "O_NONE"
    assert flags_text("unlinkat_flags", 0) == ""


def test_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert time_text(1_700_000_000_000_000_123) == "2023-11-14 22:13:20.000000123 +0000"


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("a/../..", ""),
        ("./a", "a"),
        ("/..", "/"),
        ("//", "/"),
        ("/a/b/../../c/.", "/c"),
        ("/.hidden", "/.hidden"),
    ],
)
def test_paths_are_made_plain(path: str, plain: str) -> None:
    assert normalised(path) == plain


@pytest.mark.parametrize(
    ("base", "path", "whole"),
    [
        ("/home/me/", "a", "/home/me/a"),
        ("/home/me/", "../you/./a/", "/home/you/a"),
        ("/home/me/", "../../../a", "/a"),
        ("/home/", "..", "/"),
        ("./", "a/../b", "./b"),
        ("", "a//b", "a/b"),
        ("<UNKNOWN>", "a", "<UNKNOWN>a"),
        ("<UNKNOWN>", "a/../b", "b"),
        ("/x/", "/a//b", "/a/b"),
    ],
)
def test_paths_are_put_below_a_directory(base: str, path: str, whole: str) -> None:
    assert joined(base, path) == whole


def test_connections_of_ipv4_inside_ipv6_are_shown_as_ipv4() -> None:
    mapped = bytes(10) + b"\xff\xff" + bytes((10, 0, 0, 1))
    pair = InetTuple(InetAddress(mapped, 1), InetAddress(bytes(16), 2))
    assert tuple_text(pair) == "10.0.0.1:1->0.0.0.0:2"
    pair = InetTuple(InetAddress(mapped, 1), InetAddress(LOOPBACK6, 2))
    assert tuple_text(pair) == "::ffff:10.0.0.1:1->::1:2"
