"""What is kept of events: a column of values for each field that was asked for.

A value that occurs often is kept once, so that a cell is a reference. Columns that were not asked for lately go when
there are too many cells, and are read again when they are needed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import ge
from typing import TypeAlias

from refengine.authoring.exploring.recordings import LIMIT, Progress, Recording
from refengine.event import Event, RecordedEvent
from refengine.fields.readers import Read, RecordedReader, SystemReader
from refengine.fields.reading import FieldError, FieldRead, read_key
from refengine.values import Value

CELLS = 24_000_000
"""Cells that are kept at most, of 8 bytes each besides the values."""

_DISTINCT = 65_536
"""Different values of a column that are remembered while it is read; beyond, repeating is rare."""

_FAULTS_KEPT = 5

Column: TypeAlias = "list[Value | None]"


class Columns:
    """The events of some recordings, by columns; an event is known by its row, from 0.

    `sources`, `names` (the values of `evt.type`), `times` and `numbers` are always there. Numbers are the events' own
    where those increase, as they do in captures; those of a further recording go on where the former end. At most
    `limit` events are kept. It is a `Reader` of conditions, whose events are rows.
    """

    def __init__(self, limit: int = LIMIT, cells: int = CELLS) -> None:
        self.limit = limit
        self.recordings: list[Recording] = []
        self.sources: list[str] = []
        self.names: list[str] = []
        self.times: list[int] = []
        self.numbers: list[int] = []
        self.groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        """The rows of each source and event type."""
        self.faults: list[str] = []
        self.progress: Progress | None = None
        self._cells = cells
        self._columns: dict[str, Column] = {}
        """By the fields' full texts, those asked for last at the end."""
        self._complete = True
        """Whether fields without a column are absent from all events, as only events given by their fields tell."""
        self._tallies: dict[str, Counter[Value | None]] = {}

    def __len__(self) -> int:
        return len(self.names)

    def add(self, recording: Recording, fields: Iterable[FieldRead] = ()) -> int:
        """Take in the events of a recording, with the columns of `fields`; return how many there were.

        :raises BackendError: when it cannot be read.
        :raises UsageError: when there is no room for another event.
        """
        start = len(self)
        wanted = {field.key: field for field in fields}
        for key in self._columns:
            wanted.setdefault(key, read_key_anywhere(key))
        reading = _Reading(wanted.values(), whole=self._complete and recording.backend == "events")
        sources: list[str] = []
        names: list[str] = []
        times: list[int] = []
        numbers: list[int] = []
        for row, event in enumerate(recording.events(self.limit - start, self.progress)):
            sources.append(event.source)
            names.append(event.name)
            times.append(event.time)
            numbers.append(event.number)
            reading.see(row, event)
            if reading.whole and reading.size * row > self._cells:
                reading.give_up_whole()
        recording.length = len(names)
        self.recordings.append(recording)
        for row, group in enumerate(zip(sources, names, strict=True), start):
            self.groups[group].append(row)
        self.sources += sources
        self.names += names
        self.times += times
        self.numbers += _increasing(numbers, self.numbers[-1] if self.numbers else 0)
        self._complete = self._complete and reading.whole
        self._keep(reading.columns(len(names)), start)
        self._note(reading.faults)
        return len(names)

    def read(self, fields: Iterable[FieldRead]) -> None:
        """Have the columns of `fields`, reading the recordings once more where some are not there.

        :raises UnsupportedFieldError: when a field cannot be read from these events at all.
        """
        wanted = {field.key: field for field in fields}
        missing = [field for key, field in wanted.items() if key not in self._columns]
        if missing and not self._complete:
            parts: list[tuple[int, dict[str, Column]]] = []
            start = 0
            for recording in self.recordings:
                reading = _Reading(missing)
                for row, event in enumerate(recording.events(progress=self.progress)):
                    reading.see(row, event)
                parts.append((start, reading.columns(recording.length or 0)))
                start += recording.length or 0
                self._note(reading.faults)
            for start, columns in parts:
                self._keep(columns, start)
        for key in wanted:
            column = self._columns.pop(key, None)
            self._columns[key] = [None] * len(self) if column is None else column
        self._forget(set(wanted))

    def bind(self, field: FieldRead) -> Read:
        """Return the function that reads `field` of a row; `read` must have been asked for it."""
        return self._columns[field.key].__getitem__

    def column(self, field: FieldRead) -> Sequence[Value | None]:
        """Return the values of a field by row.

        :raises UnsupportedFieldError: when it cannot be read from these events at all.
        """
        self.read((field,))
        return self._columns[field.key]

    def has(self, field: FieldRead) -> bool:
        """Return whether the values of a field are at hand."""
        return self._complete or field.key in self._columns

    def tally(self, field: FieldRead) -> Counter[Value | None]:
        """Return how many events have each value of a field, None standing for those without."""
        known = self._tallies.get(field.key)
        if known is None:
            known = self._tallies[field.key] = Counter(self.column(field))
        return known

    def row(self, number: int) -> int | None:
        """Return the row of the event with a number, None where there is none."""
        row = bisect_left(self.numbers, number)
        return row if row < len(self.numbers) and self.numbers[row] == number else None

    def event(self, row: int) -> Event | RecordedEvent:
        """Return an event itself, with the state of its moment."""
        return next(islice(self.events(), row, None))

    def events(self) -> Iterator[Event | RecordedEvent]:
        """Yield the events themselves, the state of each being that of its moment, by their rows.

        :raises BackendError: when they cannot be read any more.
        """
        for recording in self.recordings:
            yield from recording.events(progress=self.progress)

    def _keep(self, columns: dict[str, Column], start: int) -> None:
        """Put the columns of the events from row `start` on behind what is there of them."""
        self._tallies.clear()
        for key, column in columns.items():
            before = self._columns.setdefault(key, [])
            before.extend([None] * (start - len(before)))
            before.extend(column)
        for column in self._columns.values():
            column.extend([None] * (len(self) - len(column)))

    def _note(self, faults: Iterable[str]) -> None:
        self.faults += (fault for fault in faults if fault not in self.faults)

    def _forget(self, needed: set[str]) -> None:
        """Let go of the columns that were not asked for the longest, where there are too many cells."""
        for key in list(self._columns):
            if len(self._columns) * len(self) <= self._cells:
                return
            if key not in needed:
                del self._columns[key]
                self._tallies.pop(key, None)
                self._complete = False


def _increasing(numbers: list[int], last: int) -> list[int]:
    """Return the numbers of events as they are, or others where they do not increase, all of them above `last`."""
    if not numbers or numbers[0] < 1 or any(map(ge, numbers, islice(numbers, 1, None))):
        numbers = list(range(1, len(numbers) + 1))
    if numbers and numbers[0] <= last:
        numbers = [number + last for number in numbers]
    return numbers


def read_key_anywhere(key: str) -> FieldRead:
    """Return the reading of a field by its full text, whichever source has it.

    :raises FieldError: when none has.
    """
    try:
        return read_key(key, "syscall")
    except FieldError as error:
        try:
            return read_key(key, "k8s_audit")
        except FieldError:
            raise error from None


class _Reading:
    """Reads `fields` of one event after another; if `whole`, all that events given by their fields have, too."""

    def __init__(self, fields: Iterable[FieldRead], *, whole: bool = False) -> None:
        self.whole = whole
        self.faults: list[str] = []
        self._asked = {field.key for field in fields}
        self._fields = {field.key: field for field in fields}
        self._columns: dict[str, Column] = {key: [] for key in self._fields}
        self._memories: dict[str, dict[Value, Value]] = {key: {} for key in self._fields}
        self._given, self._observed = RecordedReader(), SystemReader()
        self._reads: dict[tuple[str, bool], list[tuple[str, Read]]] = {}
        self._unreadable: set[str] = set()

    @property
    def size(self) -> int:
        """How many columns there are."""
        return len(self._columns)

    def see(self, row: int, event: Event | RecordedEvent) -> None:
        given = isinstance(event, RecordedEvent)
        if self.whole and isinstance(event, RecordedEvent):
            for key in event.values:
                if key not in self._fields and key not in self._unreadable:
                    self._meet(key)
        reads = self._reads.get((event.source, given))
        if reads is None:
            reads = self._reads[event.source, given] = list(self._bound(event.source, given))
        for key, read in reads:
            try:
                value = read(event)
            except ValueError as error:  # somebody wrote down what is no value of the field's type
                self._fault(f"event {row + 1}: {error}; it is taken for absent")
                continue
            if value is None:
                continue
            column, memory = self._columns[key], self._memories[key]
            if len(column) < row:
                column.extend([None] * (row - len(column)))
            if len(memory) < _DISTINCT and not isinstance(value, int | float):
                value = memory.setdefault(value, value)
            column.append(value)

    def columns(self, length: int) -> dict[str, Column]:
        """Return the columns of so many events."""
        for column in self._columns.values():
            column.extend([None] * (length - len(column)))
        return self._columns

    def give_up_whole(self) -> None:
        """Read only what was asked for from now on."""
        self.whole = False
        for table in (self._fields, self._columns, self._memories):
            for key in set(table) - self._asked:
                del table[key]
        self._reads.clear()

    def _meet(self, key: str) -> None:
        try:
            field = read_key_anywhere(key)
        except FieldError:
            self._unreadable.add(key)  # the backend warns of it
            return
        self._fields[key] = field
        self._columns[key] = []
        self._memories[key] = {}
        self._reads.clear()

    def _bound(self, source: str, given: bool) -> Iterable[tuple[str, Read]]:
        for key, field in self._fields.items():
            if not field.field.sources or source in field.field.sources:
                yield key, (self._given if given else self._observed).bind(field)

    def _fault(self, message: str) -> None:
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(message)
