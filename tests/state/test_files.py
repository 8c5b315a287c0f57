"""Opened files: their names, their descriptors, and the working directory."""

from __future__ import annotations

import pytest

from refengine.event import Event
from refengine.tables.flags import FLAG_TABLES
from tests.events import applied, field, machine

FILE = FLAG_TABLES["file_flags"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/passwd", "/etc/passwd"),
        ("notes.txt", "/home/me/notes.txt"),
        ("../you/./x", "/home/you/x"),
        ("/etc//ssh/../passwd", "/etc/passwd"),
        ("/tmp/", "/tmp"),
        ("/", "/"),
        ("../../../../etc", "/etc"),
        ("/" + "a" * 1100, "/PATH_TOO_LONG"),
        ("/tmp/a\tb", "/tmp/ab"),
    ],
)
def test_names_are_absolute_and_plain(path: str, name: str) -> None:
    event = applied(machine(), "SYSCALL_OPEN_X", fd=3, name=path, flags=1)
    assert field(event, "fd.name") == name


def test_paths_below_a_directory_descriptor() -> None:
    state = machine()
    applied(state, "SYSCALL_OPEN_X", fd=5, name="/srv/data", flags=FILE["O_DIRECTORY"] | FILE["O_RDONLY"])
    event = applied(state, "SYSCALL_OPENAT_2_X", fd=6, dirfd=5, name="a/b", flags=1)
    assert field(event, "fd.name") == "/srv/data/a/b"
    assert field(event, "fd.nameraw") == "a/b"
    assert field(event, "evt.arg", "name") == "/srv/data/a/b"
    event = applied(state, "SYSCALL_OPENAT_2_X", fd=7, dirfd=-100, name="c", flags=1)
    assert field(event, "fd.name") == "/home/me/c"
    event = applied(state, "SYSCALL_OPENAT_2_X", fd=8, dirfd=99, name="/abs", flags=1)
    assert field(event, "fd.name") == "/abs"


def test_a_directory_is_told_from_a_file() -> None:
    state = machine()
    event = applied(state, "SYSCALL_OPEN_X", fd=3, name="/srv", flags=FILE["O_DIRECTORY"])
    assert (field(event, "fd.type"), field(event, "fd.directory")) == ("directory", "/srv")
    assert field(event, "fd.filename") is None
    event = applied(state, "SYSCALL_OPEN_X", fd=3, name="/srv/x", flags=1)
    assert (field(event, "fd.typechar"), field(event, "fd.directory")) == ("f", "/srv")
    assert field(event, "fd.filename") == "x"


def test_a_failed_open_still_has_a_name() -> None:
    event = applied(machine(), "SYSCALL_OPENAT_2_X", fd=-13, dirfd=-100, name="secret", flags=2)
    assert field(event, "fd.num") == -1
    assert field(event, "fd.name") == "/home/me/secret"
    assert field(event, "fd.directory") == "/home/me"
    assert field(event, "fd.typechar") == "o"
    assert field(event, "fd.type") is None
    assert field(event, "evt.res") == "EACCES"
    assert field(event, "evt.rawres") == -13
    assert field(event, "evt.is_open_write") is True


def test_a_closed_descriptor_is_known_to_its_own_event_only() -> None:
    state = machine()
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/etc/hosts", flags=1)
    event = applied(state, "SYSCALL_CLOSE_X", res=0, fd=3)
    assert field(event, "fd.name") == "/etc/hosts"
    event = applied(state, "SYSCALL_READ_X", res=-9, fd=3, data=b"")
    assert field(event, "fd.name") == ""


def test_a_range_of_descriptors_is_closed() -> None:
    state = machine()
    for number in (3, 4, 5, 9):
        applied(state, "SYSCALL_OPEN_X", fd=number, name=f"/f{number}", flags=1)
    applied(state, "SYSCALL_CLOSE_RANGE_X", res=0, first=4, last=8, flags=0)
    applied(state, "SYSCALL_GETUID_X")
    table = state.threads[100].descriptors
    assert list(table) == [3, 9]
    applied(state, "SYSCALL_CLOSE_RANGE_X", res=0, first=3, last=0xFFFFFFFF, flags=4)
    applied(state, "SYSCALL_GETUID_X")
    assert list(table) == [3, 9]


def test_the_working_directory_follows() -> None:
    state = machine()

    def cwd(event: Event) -> object:
        return field(event, "proc.cwd")

    assert cwd(applied(state, "SYSCALL_CHDIR_X", res=0, path="src/../lib")) == "/home/me/lib/"
    assert cwd(applied(state, "SYSCALL_CHDIR_X", res=-2, path="/nowhere")) == "/home/me/lib/"
    applied(state, "SYSCALL_OPEN_X", fd=3, name="/var/log", flags=FILE["O_DIRECTORY"])
    assert cwd(applied(state, "SYSCALL_FCHDIR_X", res=0, fd=3)) == "/var/log/"
    assert cwd(applied(state, "SYSCALL_CHDIR_X", res=0, path="/")) == "/"


def test_layers_and_identity_of_an_opened_file() -> None:
    state = machine()
    event = applied(
        state, "SYSCALL_OPEN_X", fd=3, name="/x", flags=FILE["FD_UPPER_LAYER"] | 1, dev=0x803, ino=99
    )
    assert field(event, "fd.is_upper_layer") is True
    assert (field(event, "fd.dev.major"), field(event, "fd.dev.minor"), field(event, "fd.ino")) == (8, 3, 99)


def test_the_table_of_a_process_is_bounded() -> None:
    state = machine()
    state.threads[100].descriptors.limit = 2
    for number in (3, 4, 5):
        applied(state, "SYSCALL_OPEN_X", fd=number, name="/x", flags=1)
    table = state.threads[100].descriptors
    assert (len(table), table.refused) == (2, 1)


def test_a_directory_that_is_not_known() -> None:
    state = machine()
    event = applied(state, "SYSCALL_OPENAT_2_X", fd=6, dirfd=5, name="a", flags=1)
    assert field(event, "fd.name") == "<UNKNOWN>a"
    assert field(event, "evt.arg", "name") == "a"
    event = applied(state, "SYSCALL_OPENAT_2_X", fd=6, dirfd=-100, flags=1)
    assert field(event, "fd.name") == "/home/me/<NA>"


def test_the_working_directory_is_learned_from_being_asked_for() -> None:
    state = machine()
    assert field(applied(state, "SYSCALL_GETCWD_X", res=5, path="/srv"), "proc.cwd") == "/srv/"
