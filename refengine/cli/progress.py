"""How far a long reading has come, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_INTERVAL = 0.5
"""Seconds between two updates; shorter runs show nothing."""


class Progress:
    """One line that is written over and over while events are read, and wiped at the end.

    Nothing is written where `stream`, by default standard error, is no terminal.
    """

    def __init__(self, position: Callable[[], tuple[int, int]] | None, stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._position = position if stream.isatty() else None
        self._stream = stream
        self._start = self._shown = time.monotonic()
        self._width = 0

    @property
    def is_shown(self) -> bool:
        """True where anything is written at all."""
        return self._position is not None

    def update(self, events: int) -> None:
        """Show how far it is, `events` having been seen, if it is time again."""
        if self._position is None:
            return
        now = time.monotonic()
        if now - self._shown < _INTERVAL:
            return
        self._shown = now
        self._write(line(events, *self._position(), now - self._start))

    def close(self) -> None:
        """Wipe the line."""
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()
            self._width = 0

    def _write(self, text: str) -> None:
        self._stream.write(f"\r{text:<{self._width}}")
        self._stream.flush()
        self._width = len(text)


def line(events: int, done: int, size: int, seconds: float) -> str:
    """Return the line: events, speed, and what share is done and how long the rest takes where that is known."""
    speed = done / seconds / 1e6
    text = f"{events:,} events, {events / seconds:,.0f} a second, {speed:.1f} MB/s"
    if not 0 < done <= size:
        return text
    left = seconds * (size - done) / done
    return f"{text}, {done / size:.0%}, {left:.0f} s left"
