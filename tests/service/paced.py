"""A backend that makes events at a given pace, whether they are read or not."""

from __future__ import annotations

import time
from collections.abc import Sequence

from refengine.backends.base import Capabilities, Interest, Statistics
from refengine.event import RecordedEvent
from refengine.values import Value

EVERY = 100
"""One event in so many is marked."""


class PacedBackend:
    """Makes `rate` events a second from its opening on, `total` in all; keeps `room` that have not been read.

    Pace and numbers count from `begin` on,
    by default from the opening. What does not fit is lost and counted, as in the buffer between a kernel and its reader. Events have their
    number in `evt.num`, and the marked ones `proc.name = marked`.
    """

    name = "paced"
    exit_code: int | None = None

    def __init__(self, rate: int, total: int, room: int, begin: float | None = None) -> None:
        self.capabilities = Capabilities("syscall", None, "none")
        self._rate = rate
        self._total = total
        self._room = room
        self._begin = begin
        self._offset = 0.0
        self._start = 0.0
        self._next = 0
        self.lost = 0
        self.longest_wait = 0.0
        self._last = 0.0
        self.opens = 0
        self.closes = 0

    def open(self, interest: Interest) -> None:
        self._last = now = time.monotonic()
        self._start = now if self._begin is None else self._begin
        self._next = int((now - self._start) * self._rate)
        self._offset = time.time() - now
        self.opens += 1

    def read(self, timeout: float) -> Sequence[RecordedEvent] | None:
        if self._next >= self._total:
            return None
        now = time.monotonic()
        self.longest_wait = max(self.longest_wait, now - self._last)
        due = min(self._total, int((now - self._start) * self._rate))
        if due - self._next < 20 and timeout:
            time.sleep(min(timeout, 0.001))
            due = min(self._total, int((time.monotonic() - self._start) * self._rate))
        self._last = time.monotonic()
        if due - self._next > self._room:
            self.lost += due - self._next - self._room
            self._next = due - self._room
        first, self._next = self._next, due
        return [self._event(number) for number in range(first, due)]

    def _event(self, number: int) -> RecordedEvent:
        name = "marked" if number % EVERY == 0 else "plain"
        values: dict[str, Value] = {"evt.type": "openat", "proc.name": name, "evt.num": number}
        return RecordedEvent(values, time=self._at(number), number=number)

    def _at(self, number: int) -> int:
        """Return the time at which an event is made, since the epoch."""
        return int((self._offset + self._start + number / self._rate) * 1e9)

    def statistics(self) -> Statistics:
        return Statistics(self._next, self._next - self.lost, 0, {"room": self.lost} if self.lost else {})

    def close(self) -> None:
        self.closes += 1
