"""Held opens are answered by their deadline, whatever happens."""

from __future__ import annotations

import os
import struct
import time

import pytest

from refengine.backends.fanotify.answers import Answers
from refengine.backends.fanotify.notes import Note, NoteReader, encode


@pytest.fixture
def group() -> tuple[int, int]:
    """Return the ends of a pipe, of which the second stands for the group that answers are written to."""
    return os.pipe()


def answer(reading: int) -> tuple[int, int]:
    return struct.unpack("=iI", os.read(reading, 8))


def test_an_open_is_allowed_and_its_descriptor_given_back(group: tuple[int, int]) -> None:
    answers, held = Answers(group[1], 60.0), os.open("/dev/null", os.O_RDONLY)
    answers.hold(held)
    answers.allow()
    assert answer(group[0]) == (held, 1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(held)
    assert answers.late == 0
    answers.close()


def test_an_open_that_is_looked_at_for_too_long_is_allowed_meanwhile(group: tuple[int, int]) -> None:
    answers, held = Answers(group[1], 0.05), os.open("/dev/null", os.O_RDONLY)
    start = time.monotonic()
    answers.hold(held)
    assert answer(group[0]) == (held, 1)
    assert 0.04 < time.monotonic() - start < 60
    assert answers.late == 1
    answers.allow()  # which is too late, and does not answer again
    os.set_blocking(group[0], False)
    with pytest.raises(BlockingIOError):
        os.read(group[0], 8)
    answers.close()


def test_notes_survive_being_cut_anywhere() -> None:
    notes = [
        Note(7, 1, 2, 0o102, 0o644, b"/etc/x"),
        Note(0, 0, 0, 0, 0, b""),
        Note(9, 0, 0, 2, 0, b"y" * 300),
    ]
    data = b"".join(map(encode, notes))
    for size in (1, 7, 40):
        reader = NoteReader()
        found = [note for at in range(0, len(data), size) for note in reader.feed(data[at : at + size])]
        assert found == notes


def test_a_note_that_a_pipe_would_not_take_whole_is_none() -> None:
    assert encode(Note(1, 0, 0, 0, 0, b"x" * 5000)) == b""
