"""Reading of events from JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from refengine.backends.base import Availability, Capabilities, Interest, Statistics
from refengine.backends.text_file import TextFile
from refengine.event import RecordedEvent
from refengine.event.written import event_of

BATCH = 512
"""Events that are handed over at a time."""

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
    capabilities = Capabilities(None, None, "the right to read the file", frozenset(), selective=False)
    exit_code: int | None = None

    def __init__(self, path: Path, check_key: Callable[[str, str], str | None] | None = None) -> None:
        self._file = TextFile(path, BROKEN)
        self._check_key = check_key
        self._known: set[tuple[str, str]] = set()
        self._line = 0

    def open(self, interest: Interest) -> None:
        """Open the file.

        :raises BackendError: when it cannot be read.
        """
        self._file.open()

    def read(self, timeout: float) -> Sequence[RecordedEvent] | None:
        """Return the next events; None at the end of the file. Waits as long as its writer lets it.

        :raises BackendError: when reading fails.
        """
        stream = self._file.stream
        events: list[RecordedEvent] = []
        for _ in range(BATCH):
            try:
                line = stream.readline()
            except OSError as error:
                raise self._file.failure(error) from None
            if not line:
                break
            self._line += 1
            event = self._event(line)
            if event is not None:
                events.append(event)
        else:
            return events
        return events or None

    def _event(self, line: bytes) -> RecordedEvent | None:
        if not line.strip():
            return None
        statistics = self._file.statistics
        statistics.seen += 1
        try:
            written = json.loads(line)
            if not isinstance(written, dict):
                raise ValueError("an event is an object, with fields as its keys")
            event = event_of(written, statistics.seen)
        except json.JSONDecodeError as error:
            self._file.drop(self._line, f"column {error.colno}: {error.msg}")
            return None
        except (ValueError, RecursionError) as error:
            self._file.drop(self._line, str(error))
            return None
        self._check_keys(event)
        statistics.delivered += 1
        return event

    def _check_keys(self, event: RecordedEvent) -> None:
        if self._check_key is None:
            return
        for key in event.values:
            if (event.source, key) not in self._known:
                self._known.add((event.source, key))
                fault = self._check_key(key, event.source)
                if fault is not None:
                    self._file.warn(f"{self._file.path}:{self._line}: {fault}; its values are not used")

    @property
    def warnings(self) -> Sequence[str]:
        """What was wrong with the first broken lines and unknown keys."""
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
        self._file.close()
