"""How files were opened, by what is known and never by a guess."""

from __future__ import annotations

import os
from pathlib import Path

from refengine.backends.fanotify import binding
from refengine.backends.fanotify.opens import PATIENCE, SOME_DESCRIPTOR, Exact, Opened, Opens
from refengine.backends.fanotify.watch import Seen
from refengine.tables.flags import FLAG_TABLES

FILE = FLAG_TABLES["file_flags"]
NOBODY = 0x7FFFFFF0
"""A thread that is not there."""


def opens(exact: dict[tuple[int, str], list[Exact]] | None = None) -> Opens:
    known = exact or {}
    return Opens(lambda tid, path: known.pop((tid, path), []))


def test_a_file_that_is_closed_already_was_open_as_its_close_says() -> None:
    written = opens().take(Seen(binding.OPEN | binding.CLOSE_WRITE, NOBODY, "/a"), 0)
    read = opens().take(Seen(binding.OPEN | binding.CLOSE_NOWRITE, NOBODY, "/a"), 0)
    assert written == [Opened(NOBODY, "/a", SOME_DESCRIPTOR, FILE["O_WRONLY"])]
    assert read == [Opened(NOBODY, "/a", SOME_DESCRIPTOR, FILE["O_RDONLY"])]


def test_closes_of_both_kinds_are_two_opens() -> None:
    mask = binding.OPEN | binding.CLOSE_WRITE | binding.CLOSE_NOWRITE
    found = opens().take(Seen(mask, NOBODY, "/a"), 0)
    assert [one.flags for one in found] == [FILE["O_WRONLY"], FILE["O_RDONLY"]]


def test_an_open_waits_for_its_close() -> None:
    pending = opens()
    assert pending.take(Seen(binding.OPEN, NOBODY, "/a"), 0) == []
    assert pending.waiting
    (found,) = pending.take(Seen(binding.CLOSE_WRITE, NOBODY, "/a"), 0.1)
    assert found.flags == FILE["O_WRONLY"]
    assert not pending.waiting


def test_a_close_without_an_open_says_nothing() -> None:
    assert opens().take(Seen(binding.CLOSE_WRITE, NOBODY, "/a"), 0) == []


def test_an_open_that_nobody_knows_more_of_is_told_without_flags() -> None:
    pending = opens()
    pending.take(Seen(binding.OPEN, NOBODY, "/a"), 0)
    assert pending.overdue(PATIENCE - 0.01) == []
    assert pending.overdue(PATIENCE + 0.01) == [Opened(NOBODY, "/a")]
    assert pending.overdue(PATIENCE + 9) == []


def test_opens_of_a_thread_that_ends_are_told_before() -> None:
    pending = opens()
    pending.take(Seen(binding.OPEN, NOBODY, "/a"), 0)
    pending.take(Seen(binding.OPEN, NOBODY + 1, "/b"), 0)
    assert [one.path for one in pending.flush(NOBODY)] == ["/a"]
    assert pending.waiting


def test_a_file_that_is_still_open_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "file"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    (found,) = opens().take(Seen(binding.OPEN, os.getpid(), str(path)), 0)
    os.close(descriptor)
    assert found.number == descriptor
    assert found.flags is not None
    assert found.flags & FILE["O_RDWR"] == FILE["O_RDWR"]
    assert found.flags & FILE["O_APPEND"]
    assert found.ino == path.stat().st_ino


def test_descriptors_that_differ_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    descriptors = [os.open(path, flags | os.O_CREAT) for flags in (os.O_RDONLY, os.O_WRONLY)]
    pending = opens()
    assert pending.take(Seen(binding.OPEN, os.getpid(), str(path)), 0) == []
    assert pending.waiting
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_file_that_a_thread_makes_and_opens_was_made_by_the_open() -> None:
    mask = binding.CREATE | binding.OPEN | binding.CLOSE_WRITE
    (found,) = opens().take(Seen(mask, NOBODY, "/a"), 0)
    assert found.flags == FILE["O_WRONLY"] | FILE["O_F_CREATED"]


def test_exact_flags_go_before_everything_else() -> None:
    exact = {(NOBODY, "/a"): [Exact(FILE["O_RDWR"] | FILE["O_TRUNC"], 0o600), Exact(FILE["O_RDONLY"], 0)]}
    found = opens(exact).take(Seen(binding.OPEN | binding.CLOSE_WRITE, NOBODY, "/a"), 0)
    assert [(one.flags, one.mode) for one in found] == [
        (FILE["O_RDWR"] | FILE["O_TRUNC"], 0o600),
        (FILE["O_RDONLY"], 0),
    ]


def test_a_program_that_is_executed_is_not_a_file_that_is_opened() -> None:
    mask = binding.OPEN | binding.OPEN_EXEC | binding.CLOSE_NOWRITE
    assert opens().take(Seen(mask, NOBODY, "/bin/true"), 0) == []
