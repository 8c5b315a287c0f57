"""Reading the files under `/proc` that lie in a process's memory, and may therefore never come.

The kernel waits for the lock of that memory and for its pages. A process can see to it that neither comes: by a file
of a filesystem that it serves itself, or by handling its own page faults. So other threads read, and are left to it
when it takes too long. The kernel ends them with us.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Final

from refengine.state.proc_file import read_file

PATIENCE: Final = 0.1
"""Seconds that the files of one process may take; they take some microseconds where nobody means harm."""

_TURNS: Final = 10
"""How often that time is given to a thread that does not wait for anything but for a processor."""

STUCK_MAX: Final = 8
"""Threads that may be waiting for files that do not come; with as many, nothing is read until one of them has."""

_IDLE: Final = 1.0
"""Seconds without a question after which the thread ends; the next question starts another one."""


class MemoryFiles:
    """Reads such files with a deadline.

    `late` counts the times that they did not come, or were not read since too many have not come. Only one thread may
    ask.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.late = 0
        self._patience = patience
        self._reader: _Reader | None = None
        self._stuck: list[_Reader] = []

    def read(self, paths: Sequence[str]) -> list[bytes]:
        """Return the content of the files, of each nothing where it cannot be read, of all where they are late."""
        reader = self._reader
        if reader is None:
            self._stuck = [one for one in self._stuck if one.is_stuck()]
            if len(self._stuck) >= STUCK_MAX:
                self.late += 1
                return [b""] * len(paths)
            reader = self._reader = _Reader()
        found = reader.read(paths, self._patience)
        if found is None:
            self.late += 1
            self._stuck.append(reader)
            self._reader = None
            return [b""] * len(paths)
        return found


class _Reader:
    """Reads files by a thread, for another one that waits for a while; the thread is there while it is asked often."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[list[bytes]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def read(self, paths: Sequence[str], patience: float) -> list[bytes] | None:
        """Return the content of the files, None where they are late: then nothing more may be asked of this one."""
        with self._lock:
            self._asked.put(paths)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="memory files", daemon=True)
                self._thread.start()
        for _ in range(_TURNS):
            try:
                return self._found.get(timeout=patience)
            except queue.Empty:
                if not self._wants_processor():
                    break
        self._asked.put(None)
        return None

    def _wants_processor(self) -> bool:
        """Return whether the thread is only late because the machine is busy."""
        thread = self._thread
        if thread is None:
            return False
        status = read_file(f"/proc/self/task/{thread.native_id}/stat")
        return status.rpartition(b")")[2].startswith(b" R")

    def is_stuck(self) -> bool:
        """Return whether the thread is still there, after it was late."""
        return self._thread is not None and self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                paths = self._asked.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if not self._asked.empty():
                        continue
                    self._thread = None
                    return
            if paths is None:
                return
            self._found.put([read_file(path) for path in paths])
