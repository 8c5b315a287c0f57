"""Exact flags of the opens of some files, by way of a process of its own that holds these opens for a moment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from refengine.backends.fanotify.notes import Note, NoteReader
from refengine.backends.fanotify.opens import Exact
from refengine.backends.syscalls.kernel_bits import open_flags, open_mode
from refengine.errors import BackendError

_START: Final = 30.0
"""Seconds that the process may take to begin."""

SILENCE: Final = 2.0
"""Seconds without a sign of life after which the process is ended, so that nobody waits for it."""

_KEPT: Final = 4096
"""Notes that are kept for opens that have not been told of yet."""

_CHUNK: Final = 1 << 16


class Holding:
    """Has the opens of the files `paths`, and of those in such folders, held until their flags are known.

    :raises BackendError: when that is not possible.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not path.exists():
                raise BackendError(f"{path}: there is no such file or folder to hold opens of")
        self.missed = self.late = 0
        self.ended = False
        self._notes: dict[tuple[int, str], list[Exact]] = {}
        self._reader = NoteReader()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "refengine.backends.fanotify.holder", *map(str, paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._heard = time.monotonic()
        self._await_start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def collect(self) -> None:
        """Take in the notes that are there; end the process when it has been silent for too long."""
        if self.ended:
            return
        while (data := self._read()) is not None:
            if not data:
                self._end()
                return
            self._heard = time.monotonic()
            for note in self._reader.feed(data):
                self._take_in(note)
        if time.monotonic() - self._heard > SILENCE:
            self._end()

    def take(self, tid: int, path: str) -> list[Exact]:
        """Return flags and mode, in the capture format's form, of the opens of a file by a thread, oldest first."""
        return self._notes.pop((tid, path), [])

    def close(self) -> None:
        """End the process; may be called twice."""
        self._end()

    def _take_in(self, note: Note) -> None:
        self.missed, self.late = note.missed, note.late
        if not note.tid:
            return
        key = (note.tid, os.fsdecode(note.path))
        if key not in self._notes and len(self._notes) >= _KEPT:
            del self._notes[next(iter(self._notes))]
        flags = open_flags(note.flags)
        self._notes.setdefault(key, []).append(Exact(flags, open_mode(note.flags, note.mode)))

    def _read(self) -> bytes | None:
        try:
            return os.read(self._output, _CHUNK)
        except BlockingIOError:
            return None

    def _await_start(self) -> None:
        end = time.monotonic() + _START
        while (data := self._read()) is None:
            if time.monotonic() > end:
                self._end()
                raise BackendError("the process that holds opens does not begin")
            time.sleep(0.01)
        if not data:
            assert self._process.stderr is not None
            reason = self._process.stderr.read().decode("utf-8", "replace").strip()
            self._end()
            raise BackendError(
                f"opens cannot be held: {reason.splitlines()[-1] if reason else 'no reason is known'}"
            )
        for note in self._reader.feed(data):
            self._take_in(note)

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        # Killed, not asked: with its last descriptor of the group the kernel lets every opener go on.
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
