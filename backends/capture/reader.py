"""A capture being read: the tables in front of the events, then the events, and what was wrong with the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from refengine.backends.base import Interest, Statistics
from refengine.backends.capture import blocks
from refengine.backends.capture.blocks import BlockReader
from refengine.backends.capture.cursor import Cursor
from refengine.backends.capture.events import UNDECODABLE, EventScanner
from refengine.backends.capture.stream import CaptureError, chunks, open_capture
from refengine.backends.capture.tables import SystemTables
from refengine.errors import BackendError
from refengine.event import Event

MAX_WARNINGS = 100
"""Further warnings on one file would say nothing new."""


class CaptureReader:
    """The file at `path`, opened; events are read in order until `read` returns None.

    `warnings` are sentences for people on what is wrong with the file: where it is broken, nothing behind that
    place is read. `on_section` is called with the tables of every section, before its first event is given.

    :raises BackendError: when the file cannot be read or does not begin like a capture.
    """

    def __init__(
        self, path: Path, interest: Interest, on_section: Callable[[SystemTables], None] | None = None
    ) -> None:
        self.path = path
        self.statistics = Statistics()
        self.warnings: list[str] = []
        self._on_section = on_section
        self._file = open_capture(path)
        self._ended = False
        try:
            self.size = self._file.seek(0, 2) if self._file.seekable() else 0
            if self.size:
                self._file.seek(0)
            self._blocks = BlockReader(chunks(self._file))
            self._blocks.section_header()
        except CaptureError as fault:
            self._file.close()
            raise BackendError(f"cannot read the capture {path}: {fault} (at byte {fault.offset})") from fault
        except OSError as error:
            self._file.close()
            raise BackendError(f"cannot read the capture {path}: {error.strerror}") from error
        except BackendError:
            self._file.close()
            raise
        self._events = EventScanner(self._blocks, interest, self.statistics)
        self.tables = SystemTables()
        self._in_tables = True
        self._read_tables()

    @property
    def position(self) -> int:
        """The number of bytes of the file, as it lies on the disk, that have been read."""
        return 0 if self._file.closed or not self.size else self._file.tell()

    def read(self, limit: int = 4096) -> list[Event] | None:
        """Return the next events that are of interest, at most `limit`; None at the end of the file."""
        while not self._ended:
            try:
                events = self._events.read(limit)
            except CaptureError as fault:
                self._end(fault)
                break
            if events:
                return events
            self._read_tables()
        return None

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._ended = True
        self._file.close()

    def _read_tables(self) -> None:
        """Read the blocks up to the next event, or to the end."""
        try:
            while (header := self._blocks.next_header()) is not None:
                kind, length = header
                if self._events.is_event(kind):
                    self._end_tables()
                    return
                if kind == blocks.SECTION_HEADER:
                    self._begin_section()
                else:
                    self._read_table(kind, length)
            self._end_tables()
            self._end()
        except CaptureError as fault:
            self._end_tables()
            self._end(fault)

    def _begin_section(self) -> None:
        self._end_tables()
        self._blocks.section_header()
        self._events.new_section()
        self.tables = SystemTables()
        self._in_tables = True

    def _read_table(self, kind: int, length: int) -> None:
        offset = self._blocks.offset + 8
        cursor = Cursor(self._blocks.body(length), self._blocks.order, offset)
        try:
            self.tables.add(kind, cursor)
        except CaptureError as fault:
            self._warn(f"a table is only read in part: {fault} (at byte {fault.offset})")

    def _end_tables(self) -> None:
        if self._in_tables:
            self._in_tables = False
            if self._on_section is not None:
                self._on_section(self.tables)

    def _end(self, fault: CaptureError | None = None) -> None:
        self._ended = True
        if fault is not None:
            self._warn(f"the file is broken at byte {fault.offset}: {fault}; what comes after is not read")
        undecodable = self.statistics.dropped.get(UNDECODABLE, 0)
        if undecodable:
            self._warn(
                f"{undecodable} events make no sense and were left out, "
                f"the first of them at byte {self._events.first_fault}"
            )
        self._file.close()

    def _warn(self, message: str) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(f"{self.path}: {message}")
