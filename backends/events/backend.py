"""Reading of events from JSON lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from refengine.backends.base import Availability, Capabilities, Interest, Statistics
from refengine.errors import BackendError
from refengine.event import RecordedEvent
from refengine.event.written import event_of

BATCH = 512
"""Events that are handed over at a time."""

WARNINGS_KEPT = 20
"""Broken lines that are described; further ones are only counted."""

STANDARD_INPUT = Path("-")
BROKEN = "broken lines"
"""The cause under which lines that are no event are counted."""


def available() -> Availability:
    """Return that events can be read everywhere."""
    return Availability(True)


class EventsBackend:
    """Reads the file at `path`, or standard input where it is `-`; blank lines are passed over.

    `check_key` is asked once about each key, and returns what is wrong with it. A line that is no event is
    counted as dropped and described in `warnings`; the others are delivered.
    """

    name = "events"
    capabilities = Capabilities(None, None, "the right to read the file", selective=False)
    exit_code: int | None = None

    def __init__(self, path: Path, check_key: Callable[[str, str], str | None] | None = None) -> None:
        self.path = path
        self._check_key = check_key
        self._known: set[tuple[str, str]] = set()
        self._file: BinaryIO | None = None
        self._line = 0
        self._read = 0
        self._size = 0
        self._statistics = Statistics()
        self.warnings: list[str] = []

    def open(self, interest: Interest) -> None:
        """Open the file.

        :raises BackendError: when it cannot be read.
        """
        try:
            if self.path == STANDARD_INPUT:
                self._file = sys.stdin.buffer
            else:
                self._file = self.path.open("rb")
                self._size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise BackendError(f"cannot read {self.path}: {error.strerror or error}") from None

    def read(self, timeout: float) -> Sequence[RecordedEvent] | None:
        """Return the next events; None at the end of the file. Waits as long as its writer lets it."""
        if self._file is None:
            raise BackendError("the file of events has not been opened")
        events: list[RecordedEvent] = []
        for _ in range(BATCH):
            try:
                line = self._file.readline()
            except OSError as error:
                raise BackendError(f"cannot read {self.path}: {error.strerror or error}") from None
            if not line:
                break
            self._line += 1
            self._read += len(line)
            event = self._event(line)
            if event is not None:
                events.append(event)
        else:
            return events
        return events or None

    def _event(self, line: bytes) -> RecordedEvent | None:
        if not line.strip():
            return None
        self._statistics.seen += 1
        try:
            written = json.loads(line)
            if not isinstance(written, dict):
                raise ValueError("an event is an object, with fields as its keys")
            event = event_of(written, self._statistics.seen)
        except json.JSONDecodeError as error:
            self._broken(f"column {error.colno}: {error.msg}")
            return None
        except (ValueError, RecursionError) as error:
            self._broken(str(error))
            return None
        self._check_keys(event)
        self._statistics.delivered += 1
        return event

    def _check_keys(self, event: RecordedEvent) -> None:
        if self._check_key is None:
            return
        for key in event.values:
            if (event.source, key) not in self._known:
                self._known.add((event.source, key))
                fault = self._check_key(key, event.source)
                if fault is not None:
                    self._warn(f"{fault}; its values are not used")

    def _broken(self, fault: str) -> None:
        dropped = self._statistics.dropped
        dropped[BROKEN] = dropped.get(BROKEN, 0) + 1
        self._warn(fault)

    def _warn(self, fault: str) -> None:
        if len(self.warnings) < WARNINGS_KEPT:
            self.warnings.append(f"{self.path}:{self._line}: {fault}")

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the file have been read, and how many it has (0 for a pipe)."""
        return self._read, self._size

    def statistics(self) -> Statistics:
        """Return the counters so far."""
        return self._statistics

    def close(self) -> None:
        """Close the file."""
        if self._file is not None and self.path != STANDARD_INPUT:
            self._file.close()
