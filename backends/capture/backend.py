"""The backend that replays capture files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from refengine.backends.base import Availability, Capabilities, Interest, Statistics
from refengine.backends.capture.reader import CaptureReader
from refengine.backends.capture.tables import SystemTables
from refengine.errors import BackendError
from refengine.event import Event

BATCH = 256
"""Events that are handed over at a time."""


def available() -> Availability:
    """Return that captures can be read everywhere."""
    return Availability(True)


class CaptureBackend:
    """Replays the capture at `path`.

    Reading never waits, so that `timeout` has no meaning here. `on_section` is called with the tables of each
    section before its events are delivered; it brings them to the state.
    """

    name = "capture"
    capabilities = Capabilities("syscall", None, "the right to read the file", frozenset())
    exit_code: int | None = None

    def __init__(self, path: Path, on_section: Callable[[SystemTables], None] | None = None) -> None:
        self.path = path
        self._on_section = on_section
        self._reader: CaptureReader | None = None

    def open(self, interest: Interest) -> None:
        """Open the file and read the tables in front of its events.

        :raises BackendError: when it cannot be read or is no capture.
        """
        self._reader = CaptureReader(self.path, interest, self._on_section)

    def read(self, timeout: float) -> Sequence[Event] | None:
        """Return the next events; None at the end of the file."""
        if self._reader is None:
            raise BackendError("the capture has not been opened")
        return self._reader.read(BATCH)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the file have been read, and how many it has (0 for a pipe)."""
        return (0, 0) if self._reader is None else (self._reader.position, self._reader.size)

    @property
    def warnings(self) -> Sequence[str]:
        """What was found wrong with the file so far, in sentences for people."""
        return () if self._reader is None else self._reader.warnings

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        return Statistics() if self._reader is None else self._reader.statistics

    def close(self) -> None:
        """Close the file; the counters stay."""
        if self._reader is not None:
            self._reader.close()
