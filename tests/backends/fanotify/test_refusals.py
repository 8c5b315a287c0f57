"""What the kernel may refuse, said with what would help."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from refengine.backends.base import Interest
from refengine.backends.fanotify import binding
from refengine.backends.fanotify.backend import FanotifyBackend
from refengine.backends.fanotify.capabilities import capabilities_of
from refengine.backends.fanotify.connect import connect
from refengine.backends.fanotify.rights import Rights, find_rights
from refengine.backends.target import Target
from refengine.errors import BackendError

NONE = Rights(machine=False, processes=False)


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    def refused(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(binding, call, refused)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSYS, "no fanotify, or a seccomp filter"),
        (errno.EPERM, "CAP_SYS_ADMIN"),
        (errno.EINVAL, "Linux 5.17"),
        (errno.EMFILE, "fs.fanotify.max_user_groups"),
        (errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_a_group_that_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, said: str
) -> None:
    refuse(monkeypatch, "fanotify_init", number)
    with pytest.raises(BackendError, match=said):
        FanotifyBackend((tmp_path,), rights=NONE).open(Interest(None))
    assert find_rights() == NONE


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "fs.fanotify.max_user_marks"),
        (errno.EPERM, "--watch"),
        (errno.EACCES, "Permission denied"),
    ],
)
def test_a_mark_that_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, said: str
) -> None:
    refuse(monkeypatch, "fanotify_mark", number)
    backend = FanotifyBackend((tmp_path,), rights=NONE)
    with pytest.raises(BackendError, match=said):
        backend.open(Interest(None))
    assert backend.read(0) is None


def test_what_needs_privileges_is_refused_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "fanotify_init", errno.EPERM)
    with pytest.raises(BackendError, match="name folders with --watch"):
        connect(Target())
    with pytest.raises(BackendError, match="CAP_SYS_ADMIN"):
        connect(Target(watched=(Path("/tmp"),), held=(Path("/tmp"),)))


def test_without_privileges_nothing_is_known_of_who_did_it() -> None:
    found = capabilities_of(NONE, folders=True)
    assert "proc.name" in found.absent_fields
    assert "user.name" in found.absent_fields
    assert found.event_types is not None
    assert "execve" not in found.event_types


def test_without_process_events_there_are_files_only() -> None:
    found = capabilities_of(Rights(machine=True, processes=False), folders=False)
    assert found.event_types is not None
    assert "openat" in found.event_types
    assert "execve" not in found.event_types
    assert "proc.name" not in found.absent_fields


@pytest.mark.root
def test_a_path_to_hold_that_is_not_there_is_refused(tmp_path: Path) -> None:
    backend = FanotifyBackend((tmp_path,), (tmp_path / "none",), rights=NONE)
    with pytest.raises(BackendError, match="no such file or folder to hold"):
        backend.open(Interest(None))
