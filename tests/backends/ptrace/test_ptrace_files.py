"""Calls on files, made by a C program with arguments that the test knows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from refengine.event import Event
from refengine.tables.event_types import BY_ENUM
from refengine.tables.flags import FLAG_TABLES
from tests.backends.ptrace.conftest import Watch

FILE = FLAG_TABLES["file_flags"]
MakeC = Callable[[str], list[str]]

PROGRAM = r"""
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
    syscall(SYS_chdir, argv[1]);
    int dir = open(argv[1], O_RDONLY | O_DIRECTORY);
    int a = syscall(SYS_open, "one", O_RDWR | O_CREAT | O_EXCL, 0640);
    syscall(SYS_openat, dir, "one", O_WRONLY | O_APPEND | O_CREAT, 0600);
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
    syscall(SYS_openat2, dir, "one", &how, sizeof how);
    syscall(SYS_openat, AT_FDCWD, "missing", O_RDONLY, 0);
    syscall(SYS_openat, AT_FDCWD, (char *)8, O_RDONLY, 0);
    syscall(SYS_creat, "two", 0600);
    syscall(SYS_openat, AT_FDCWD, ".", O_RDWR | O_TMPFILE, 0644);
    syscall(SYS_dup, a);
    syscall(SYS_dup2, a, 77);
    syscall(SYS_dup3, a, 78, O_CLOEXEC);
    syscall(SYS_close, 78);
    syscall(SYS_fcntl, a, F_DUPFD, 90);
    syscall(SYS_flock, a, LOCK_EX | LOCK_NB);
    syscall(SYS_fchdir, dir);
    syscall(SYS_mkdir, "folder", 0755);
    syscall(SYS_mkdirat, dir, "other", 0700);
    syscall(SYS_rmdir, "folder");
    syscall(SYS_unlinkat, dir, "other", AT_REMOVEDIR);
    syscall(SYS_rename, "two", "three");
    syscall(SYS_renameat, dir, "three", dir, "four");
    syscall(SYS_renameat2, dir, "four", AT_FDCWD, "five", RENAME_NOREPLACE);
    syscall(SYS_link, "five", "hard");
    syscall(SYS_linkat, dir, "five", dir, "harder", AT_SYMLINK_FOLLOW);
    syscall(SYS_symlink, "target", "soft");
    syscall(SYS_symlinkat, "target", dir, "softer");
    syscall(SYS_unlink, "hard");
    syscall(SYS_unlinkat, dir, "harder", 0);
    syscall(SYS_chmod, "one", 04755);
    syscall(SYS_fchmod, a, 0600);
    syscall(SYS_fchmodat, dir, "one", 0640);
    syscall(SYS_chown, "one", -1, -1);
    syscall(SYS_lchown, "one", 7, 8);
    syscall(SYS_fchown, a, -1, -1);
    syscall(SYS_fchownat, dir, "one", -1, -1, AT_SYMLINK_NOFOLLOW);
    syscall(SYS_mknod, "pipe", S_IFIFO | 0600, 0);
    syscall(SYS_mount, "from", "nowhere", "tmpfs", MS_RDONLY | MS_NOSUID, 0);
    syscall(SYS_umount2, "nowhere", MNT_DETACH);
    syscall(SYS_access, "one", R_OK | W_OK);
    syscall(SYS_chroot, "nowhere");
    syscall(SYS_close_range, 500, 600, 0);
    return 0;
}
"""

NAMES = [
    "open",
    "openat",
    "openat2",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "close",
    "fcntl",
    "flock",
    "chdir",
    "fchdir",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "lchown",
    "fchown",
    "fchownat",
    "mknod",
    "mount",
    "umount2",
    "access",
    "chroot",
    "close_range",
]


def values(event: Event) -> list[object]:
    return list(event.params)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.mark.parametrize("use_filter", [True, False])
def test_arguments_and_results_of_calls_on_files(
    watch: Watch, c_program: MakeC, folder: Path, use_filter: bool
) -> None:
    command = [*c_program(PROGRAM), os.fspath(folder)]
    run = watch(command, *NAMES, fields=["evt.is_open_create", "fd.ino"], use_filter=use_filter)
    assert run.exit_code == 0
    start = next(i for i, event in enumerate(run.events) if event.name == "chdir")
    events: dict[str, list[Event]] = {}
    for event in run.events[start:]:
        events.setdefault(event.name, []).append(event)
    assert values(events["chdir"][0]) == [0, os.fspath(folder)]
    directory, tried, unreadable = events["openat"][0], events["openat"][2], events["openat"][3]
    dir_fd = directory.param("fd")
    assert isinstance(dir_fd, int)
    assert dir_fd >= 3
    assert directory.param("flags") == FILE["O_RDONLY"] | FILE["O_DIRECTORY"]
    assert directory.param("ino") == folder.stat().st_ino
    assert directory.param("dev") == folder.stat().st_dev

    one = folder / "one"
    opened = events["open"][0]
    file_fd = opened.param("fd")
    assert values(opened) == [
        file_fd,
        "one",
        FILE["O_RDWR"] | FILE["O_CREAT"] | FILE["O_EXCL"] | FILE["O_F_CREATED"],
        0o640,
        one.stat().st_dev,
        one.stat().st_ino,
    ]
    again = events["openat"][1]
    assert again.param("dirfd") == dir_fd
    assert again.param("flags") == FILE["O_WRONLY"] | FILE["O_APPEND"] | FILE["O_CREAT"]
    assert again.param("mode") == 0o600
    second = events["openat2"][0]
    assert values(second)[1:6] == [dir_fd, "one", FILE["O_RDONLY"] | FILE["O_CLOEXEC"], 0, 8 >> 3]
    assert values(tried) == [-2, -100, "missing", FILE["O_RDONLY"], 0, 0, 0]
    assert values(unreadable)[:3] == [-14, -100, None]
    assert values(events["creat"][0])[1:3] == ["two", 0o600]
    temporary = events["openat"][4]
    assert temporary.param("flags") == FILE["O_RDWR"] | FILE["O_TMPFILE"] | FILE["O_DIRECTORY"]
    assert temporary.param("mode") == 0o644

    assert values(events["dup"][0])[1:] == [file_fd]
    assert values(events["dup2"][0]) == [77, file_fd, 77]
    assert values(events["dup3"][0]) == [78, file_fd, 78, FILE["O_CLOEXEC"]]
    assert values(events["close"][0]) == [0, 78]
    assert values(events["fcntl"][0]) == [90, file_fd, FLAG_TABLES["fcntl_commands"]["F_DUPFD"], 90]
    assert values(events["flock"][0]) == [0, file_fd, 2 | 4]
    assert values(events["fchdir"][0]) == [0, dir_fd]
    assert values(events["mkdir"][0]) == [0, "folder", 0o755]
    assert values(events["mkdirat"][0]) == [0, dir_fd, "other", 0o700]
    assert values(events["rmdir"][0]) == [0, "folder"]
    assert values(events["unlinkat"][0]) == [
        0,
        dir_fd,
        "other",
        FLAG_TABLES["unlinkat_flags"]["AT_REMOVEDIR"],
    ]
    assert values(events["rename"][0]) == [0, "two", "three"]
    assert values(events["renameat"][0]) == [0, dir_fd, "three", dir_fd, "four"]
    assert values(events["renameat2"][0]) == [0, dir_fd, "four", -100, "five", 1]
    assert values(events["link"][0]) == [0, "five", "hard"]
    assert values(events["linkat"][0]) == [
        0, dir_fd, "five", dir_fd, "harder", FLAG_TABLES["linkat_flags"]["AT_SYMLINK_FOLLOW"]
    ]  # fmt: skip
    assert values(events["symlink"][0]) == [0, "target", "soft"]
    assert values(events["symlinkat"][0]) == [0, "target", dir_fd, "softer"]
    assert values(events["unlink"][0]) == [0, "hard"]
    assert values(events["chmod"][0]) == [0, "one", 0o4755]
    assert values(events["fchmod"][0]) == [0, file_fd, 0o600]
    assert values(events["fchmodat"][0]) == [0, dir_fd, "one", 0o640]
    assert values(events["chown"][0]) == [0, "one", 0xFFFFFFFF, 0xFFFFFFFF]
    assert values(events["lchown"][0])[1:] == ["one", 7, 8]
    assert values(events["fchownat"][0])[-1] == FLAG_TABLES["fchownat_flags"]["AT_SYMLINK_NOFOLLOW"]
    assert values(events["mknod"][0]) == [0, "pipe", 0o10600, 0]
    assert values(events["mount"][0])[1:] == ["from", "nowhere", "tmpfs", 3]
    assert values(events["umount2"][0])[1:] == ["nowhere", FLAG_TABLES["umount_flags"]["DETACH"]]
    assert values(events["access"][0]) == [0, "one", 6]
    assert values(events["chroot"][0])[1:] == ["nowhere"]
    assert values(events["close_range"][0]) == [0, 500, 600, 0]
    for event in run.events:
        assert len(event.params) == len(event.type.params), event


def test_only_what_rules_need_is_delivered(watch: Watch, c_program: MakeC, folder: Path) -> None:
    run = watch([*c_program(PROGRAM), os.fspath(folder)], "mkdir")
    # What becomes of processes, and what changes them, is always told.
    assert {event.name for event in run.events} == {"execve", "mkdir", "chroot", "procexit"}
    assert run.filtered
    assert run.statistics.seen == run.statistics.delivered == len(run.events)
    assert [event.number for event in run.events] == list(range(1, len(run.events) + 1))


def test_identity_is_left_out_where_no_rule_reads_it(watch: Watch) -> None:
    run = watch(["cat", "/etc/passwd"], "openat")
    assert run.only("openat", name="/etc/passwd").param("ino") is None


def test_a_call_without_an_event_type_of_its_own_is_generic(watch: Watch) -> None:
    run = watch(["true"], "exit_group", "arch_prctl", "set_tid_address")
    (event,) = run.named("set_tid_address")
    assert event.type is BY_ENUM["GENERIC_X"]
    assert event.param("nativeID") == 218


@pytest.mark.parametrize("length", [1, 511, 512, 513, 4000])
def test_paths_of_any_length(watch: Watch, length: int) -> None:
    path = "/" + "a/" * ((length - 1) // 2) + "b" * ((length - 1) % 2)
    run = watch(["cat", path], "openat")
    assert run.only("openat", name=path).param("fd") != 0


def test_a_path_that_is_no_utf8(watch: Watch) -> None:
    run = watch(["cat", "/tmp/\udcff\udc80"], "openat")
    assert run.only("openat", name="/tmp/\udcff\udc80").param("fd") == -2
