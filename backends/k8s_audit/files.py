"""Reading of audit logs: lines of JSON as the API server writes them, or one JSON text over several lines."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from refengine.backends.base import Interest, Statistics
from refengine.backends.k8s_audit.capabilities import CAPABILITIES
from refengine.backends.k8s_audit.documents import BROKEN, DocumentError, documents, event_of, parse
from refengine.errors import BackendError
from refengine.event import Event

BATCH = 256
"""Events that are handed over at a time."""

WARNINGS_KEPT = 20
"""Broken texts that are described; further ones are only counted."""

STANDARD_INPUT: Final = Path("-")
_GZIP = b"\x1f\x8b"


class AuditFileBackend:
    """Reads the audit events in the file at `path`, or in standard input where it is `-`; gzip is seen by itself.

    A line that holds no audit event is counted as dropped and described in `warnings`; the others are delivered.
    """

    name = "k8s_audit"
    capabilities = CAPABILITIES
    exit_code: int | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw: BinaryIO | None = None
        self._events: Iterator[Event] = iter(())
        self._size = 0
        self._statistics = Statistics()
        self.warnings: list[str] = []

    def open(self, interest: Interest) -> None:
        """Open the file.

        :raises BackendError: when it cannot be read.
        """
        try:
            if self.path == STANDARD_INPUT:
                self._raw = sys.stdin.buffer
            else:
                self._raw = self.path.open("rb")
                self._size = os.fstat(self._raw.fileno()).st_size
        except OSError as error:
            raise BackendError(f"cannot read {self.path}: {error.strerror or error}") from None
        self._events = self._read(self._raw)

    def read(self, timeout: float) -> Sequence[Event] | None:
        """Return the next events; None at the end of the file. Waits as long as its writer lets it."""
        if self._raw is None:
            raise BackendError("the file of audit events has not been opened")
        events: list[Event] = []
        try:
            for event in self._events:
                events.append(event)
                if len(events) == BATCH:
                    break
        except OSError as error:
            raise BackendError(f"cannot read {self.path}: {error.strerror or error}") from None
        return events or None

    def _read(self, raw: BinaryIO) -> Iterator[Event]:
        lines = self._lines(raw)
        for number, line in lines:
            if not line.strip():
                continue
            try:
                first = parse(line)
            except DocumentError as error:
                # Either one text over several lines, or a log whose first line is broken.
                yield from self._spread(number, line, error, lines)
            else:
                yield from self._of(first, number)
            break
        for number, line in lines:
            yield from self._of_line(number, line)

    def _lines(self, raw: BinaryIO) -> Iterator[tuple[int, bytes]]:
        packed = isinstance(raw, BufferedReader) and raw.peek(2)[:2] == _GZIP
        try:
            yield from enumerate(gzip.GzipFile(fileobj=raw) if packed else raw, 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self._warn(f"{self.path}: the compressed file is broken, reading ends there: {error}")

    def _spread(
        self, number: int, first: bytes, fault: DocumentError, lines: Iterator[tuple[int, bytes]]
    ) -> Iterator[Event]:
        rest = list(lines)
        try:
            value = parse(b"".join((first, *(line for _, line in rest))))
        except DocumentError as error:
            whole = not any(map(_is_json, (line for _, line in rest)))
            self._broken(number, str(error if whole else fault))
            for later, line in () if whole else rest:
                yield from self._of_line(later, line)
        else:
            yield from self._of(value, number)

    def _of_line(self, number: int, line: bytes) -> Iterator[Event]:
        if not line.strip():
            return
        try:
            value = parse(line)
        except DocumentError as error:
            self._broken(number, str(error))
        else:
            yield from self._of(value, number)

    def _of(self, value: object, number: int) -> Iterator[Event]:
        found, faults = documents(value)
        for fault in faults:
            self._broken(number, fault)
        for document in found:
            self._statistics.seen += 1
            self._statistics.delivered += 1
            yield event_of(document, self._statistics.delivered)

    def _broken(self, number: int, fault: str) -> None:
        self._statistics.seen += 1
        dropped = self._statistics.dropped
        dropped[BROKEN] = dropped.get(BROKEN, 0) + 1
        self._warn(f"{self.path}:{number}: {fault}")

    def _warn(self, text: str) -> None:
        if len(self.warnings) < WARNINGS_KEPT:
            self.warnings.append(text)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the file have been read, and how many it has (0 for a pipe)."""
        if self._raw is None or self._size == 0 or self._raw.closed:
            return 0, 0
        return self._raw.tell(), self._size

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        return self._statistics

    def close(self) -> None:
        """Close the file."""
        self._events = iter(())
        if self._raw is not None and self.path != STANDARD_INPUT:
            self._raw.close()


def _is_json(line: bytes) -> bool:
    """Return whether a line is a whole object by itself, as the lines of a log are."""
    try:
        return isinstance(parse(line), dict)
    except DocumentError:
        return False
