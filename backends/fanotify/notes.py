"""What the process that holds opens writes to the one that evaluates them: one note an open."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("=iIIQIH")
_LARGEST: Final = 4096
"""Bytes of a note: what a pipe takes as a whole or not at all."""


class Note(NamedTuple):
    """An open that was held: the thread, the kernel's flags and mode, and the path.

    `missed` and `late` are how many notes found no room so far, and how many opens had to go without being looked at.
    A note with the thread 0 says only that its writer is alive.
    """

    tid: int
    missed: int
    late: int
    flags: int
    mode: int
    path: bytes


def encode(note: Note) -> bytes:
    """Return the bytes of a note; none of one whose path is too long."""
    data = _HEADER.pack(*note[:5], len(note.path)) + note.path
    return data if len(data) <= _LARGEST else b""


class NoteReader:
    """Puts notes together from what a pipe gives."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Note]:
        """Yield the notes that are complete."""
        data = self._rest + data
        at = 0
        while at + _HEADER.size <= len(data):
            tid, missed, late, flags, mode, length = _HEADER.unpack_from(data, at)
            end = at + _HEADER.size + length
            if end > len(data):
                break
            yield Note(tid, missed, late, flags, mode, data[at + _HEADER.size : end])
            at = end
        self._rest = data[at:]
