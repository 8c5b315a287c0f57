"""A file of JSON texts in which events are recorded: opening it, and counting what was in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO, Final

from refengine.backends.base import Statistics
from refengine.errors import BackendError

WARNINGS_KEPT: Final = 20
"""Broken texts that are described; further ones are only counted."""

STANDARD_INPUT: Final = Path("-")


class TextFile:
    """The file at `path`, or standard input where that is `-`; texts in it that are no event are counted as `broken`.

    `warnings` describes the first of those.
    """

    def __init__(self, path: Path, broken: str) -> None:
        self.path = path
        self.statistics = Statistics()
        self.warnings: list[str] = []
        self._broken = broken
        self._size = 0
        self._stream: BinaryIO | None = None

    @property
    def stream(self) -> BinaryIO:
        """What the file holds.

        :raises BackendError: when it has not been opened.
        """
        if self._stream is None:
            raise BackendError(f"{self.path} has not been opened")
        return self._stream

    def open(self) -> None:
        """Open the file.

        :raises BackendError: when it cannot be read.
        """
        try:
            if self.path == STANDARD_INPUT:
                self._stream = sys.stdin.buffer
            else:
                self._stream = self.path.open("rb")
                self._size = os.fstat(self._stream.fileno()).st_size
        except OSError as error:
            raise self.failure(error) from None

    def close(self) -> None:
        """Close the file, standard input excepted."""
        if self._stream is not None and self.path != STANDARD_INPUT:
            self._stream.close()

    def failure(self, error: OSError) -> BackendError:
        """Return what to raise when reading fails."""
        return BackendError(f"cannot read {self.path}: {error.strerror or error}")

    def drop(self, line: int, fault: str) -> None:
        """Count a text that is no event, and describe it."""
        dropped = self.statistics.dropped
        dropped[self._broken] = dropped.get(self._broken, 0) + 1
        self.warn(f"{self.path}:{line}: {fault}")

    def warn(self, text: str) -> None:
        """Keep a sentence, unless there are many already."""
        if len(self.warnings) < WARNINGS_KEPT:
            self.warnings.append(text)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes have been read, and how many there are; 0 of 0 where that is not known, as of a pipe."""
        if self._stream is None or self._size == 0 or self._stream.closed:
            return 0, 0
        return self._stream.tell(), self._size
