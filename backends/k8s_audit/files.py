"""Reading of audit logs: lines of JSON as the API server writes them, or one JSON text over several lines."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from refengine.backends.base import Interest, Statistics
from refengine.backends.k8s_audit.capabilities import CAPABILITIES
from refengine.backends.k8s_audit.documents import BROKEN, DocumentError, documents, event_of, parse
from refengine.backends.text_file import TextFile
from refengine.event import Event

BATCH = 256
"""Events that are handed over at a time."""

_GZIP = b"\x1f\x8b"


class AuditFileBackend:
    """Reads the audit events in the file at `path`, or in standard input where it is `-`; gzip is seen by itself.

    A line that holds no audit event is counted as dropped and described in `warnings`; the others are delivered.
    """

    name = "k8s_audit"
    capabilities = CAPABILITIES
    exit_code: int | None = None

    def __init__(self, path: Path) -> None:
        self._file = TextFile(path, BROKEN)
        self._events: Iterator[Event] = iter(())

    def open(self, interest: Interest) -> None:
        """Open the file.

        :raises BackendError: when it cannot be read.
        """
        self._file.open()
        self._events = self._read(self._file.stream)

    def read(self, timeout: float) -> Sequence[Event] | None:
        """Return the next events; None at the end of the file. Waits as long as its writer lets it.

        :raises BackendError: when reading fails, or the file has not been opened.
        """
        _ = self._file.stream
        try:
            events = list(islice(self._events, BATCH))
        except OSError as error:
            raise self._file.failure(error) from None
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
            self._file.warn(f"{self._file.path}: the compressed file is broken, reading ends there: {error}")

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
            statistics = self._file.statistics
            statistics.seen += 1
            statistics.delivered += 1
            yield event_of(document, statistics.delivered)

    def _broken(self, number: int, fault: str) -> None:
        self._file.statistics.seen += 1
        self._file.drop(number, fault)

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong with the first broken texts."""
        return self._file.warnings

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the file have been read, and how many it has (0 for a pipe)."""
        return self._file.progress

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        return self._file.statistics

    def close(self) -> None:
        """Close the file."""
        self._events = iter(())
        self._file.close()


def _is_json(line: bytes) -> bool:
    """Return whether a line is a whole object by itself, as the lines of a log are."""
    try:
        return isinstance(parse(line), dict)
    except DocumentError:
        return False
