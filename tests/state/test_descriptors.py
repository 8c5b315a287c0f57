"""Descriptors of other things than files, and copies."""

from __future__ import annotations

import pytest

from refengine.tables.flags import FLAG_TABLES
from tests.events import applied, field, machine


@pytest.mark.parametrize(
    ("enum", "letter", "name"),
    [
        ("SYSCALL_EVENTFD2_X", "e", "event"),
        ("SYSCALL_SIGNALFD4_X", "s", "signalfd"),
        ("SYSCALL_TIMERFD_CREATE_X", "t", "timerfd"),
        ("SYSCALL_INOTIFY_INIT1_X", "i", "inotify"),
        ("SYSCALL_EPOLL_CREATE1_X", "l", "eventpoll"),
        ("SYSCALL_USERFAULTFD_X", "u", "userfaultfd"),
        ("SYSCALL_IO_URING_SETUP_X", "r", "io_uring"),
    ],
)
def test_kinds(enum: str, letter: str, name: str) -> None:
    event = applied(machine(), enum, res=7)
    assert (field(event, "fd.typechar"), field(event, "fd.type")) == (letter, name)
    assert field(event, "fd.num") == 7


def test_a_pipe_has_two_ends_of_one_inode() -> None:
    state = machine()
    event = applied(state, "SYSCALL_PIPE2_X", res=0, fd1=3, fd2=4, ino=77, flags=0)
    assert (field(event, "fd.num"), field(event, "fd.type"), field(event, "fd.ino")) == (4, "pipe", 77)
    table = state.threads[100].descriptors
    assert [(number, entry.type, entry.ino) for number, entry in table.items()] == [
        (3, "p", 77),
        (4, "p", 77),
    ]


def test_a_copy_has_the_name_of_its_original() -> None:
    state = machine()
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/etc/hosts", flags=1)
    event = applied(state, "SYSCALL_DUP2_X", res=1, oldfd=3, newfd=1)
    assert (field(event, "fd.num"), field(event, "fd.name")) == (1, "/etc/hosts")
    command = FLAG_TABLES["fcntl_commands"]["F_DUPFD_CLOEXEC"]
    event = applied(state, "SYSCALL_FCNTL_X", res=9, fd=3, cmd=command)
    assert field(event, "fd.num") == 9
    copy = state.descriptor(state.threads[100], 9)
    assert copy is not None
    assert copy.name == "/etc/hosts"
    applied(state, "SYSCALL_CLOSE_X", res=0, fd=3)
    applied(state, "SYSCALL_GETUID_X")
    assert sorted(state.threads[100].descriptors) == [1, 9]


def test_a_descriptor_is_fetched_from_another_process() -> None:
    state = machine((100, 1, "fetcher"), (200, 1, "owner"))
    applied(state, "SYSCALL_OPEN_X", 200, fd=5, name="/srv/owned", flags=1)
    event = applied(state, "SYSCALL_PIDFD_OPEN_X", 100, fd=3, pid=200, flags=0)
    assert field(event, "fd.type") == "pidfd"
    event = applied(state, "SYSCALL_PIDFD_GETFD_X", 100, fd=4, pid_fd=3, target_fd=5, flags=0)
    assert field(event, "fd.name") == "/srv/owned"


def test_a_file_in_memory_has_its_given_name() -> None:
    event = applied(machine(), "SYSCALL_MEMFD_CREATE_X", fd=3, name="payload", flags=0)
    assert (field(event, "fd.name"), field(event, "fd.typechar")) == ("payload", "m")
