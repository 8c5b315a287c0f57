"""A backend that makes events at a given pace, by a clock of its own: how fast the machine is plays no part."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from refengine.backends.base import Capabilities, Interest, Statistics
from refengine.event import RecordedEvent
from refengine.values import Value

EVERY = 100
"""One event in so many is marked."""

_TICK = 1_000_000
_SECOND = 1_000_000_000
_EPOCH = 1_700_000_000 * _SECOND


class Clock:
    """Begins at zero and goes on when it is told to; does for the module `time` where somebody asks that."""

    def __init__(self) -> None:
        self.now = 0
        """Nanoseconds."""

    def time_ns(self) -> int:
        """Return the time since the epoch in nanoseconds."""
        return _EPOCH + self.now

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now / _SECOND


class PacedBackend:
    """Makes `rate` events a second of the clock, `total` in all; keeps `room` that have not been read.

    Each time that it is read the clock goes on by a millisecond. What does not fit is lost and counted, as in the
    buffer between a kernel and its reader. Events are numbered from the clock's zero on, in `evt.num`, and the marked
    ones have `proc.name = marked`.
    """

    name = "paced"
    exit_code: int | None = None

    def __init__(self, rate: int, total: int, room: int, clock: Clock | None = None) -> None:
        self.capabilities = Capabilities("syscall", None, "none")
        self._period = _SECOND // rate
        self._total = total
        self._room = room
        self._clock = Clock() if clock is None else clock
        self._rest_at = total
        self._rested: Callable[[], bool] = lambda: True
        self.next = 0
        """The number of the next event."""
        self.reads = 0
        self.lost = 0
        self.opens = 0
        self.closes = 0

    def rest(self, number: int, until: Callable[[], bool]) -> None:
        """Have the clock stand still before the event of that number until something has come to pass."""
        self._rest_at, self._rested = number, until

    def wait_for_reads(self) -> None:
        """Return when it has been read a hundred times more, by another thread."""
        until, limit = self.reads + 100, time.monotonic() + 60
        while self.reads < until:
            assert time.monotonic() < limit, "events wait"
            time.sleep(0.001)

    def open(self, interest: Interest) -> None:
        self.next = self._due()
        self.opens += 1

    def read(self, timeout: float) -> Sequence[RecordedEvent] | None:
        self.reads += 1
        if self.next >= self._total:
            return None
        if self.next >= self._rest_at and not self._rested():
            time.sleep(min(timeout, 0.001))
            return ()
        self._clock.now += _TICK
        due = min(self._total, self._due())
        if due - self.next > self._room:
            self.lost += due - self.next - self._room
            self.next = due - self._room
        first, self.next = self.next, due
        return [self._event(number) for number in range(first, due)]

    def _due(self) -> int:
        return self._clock.now // self._period

    def _event(self, number: int) -> RecordedEvent:
        name = "marked" if number % EVERY == 0 else "plain"
        values: dict[str, Value] = {"evt.type": "openat", "proc.name": name, "evt.num": number}
        return RecordedEvent(values, time=_EPOCH + number * self._period, number=number)

    def statistics(self) -> Statistics:
        return Statistics(self.next, self.next - self.lost, 0, {"room": self.lost} if self.lost else {})

    def close(self) -> None:
        self.closes += 1
