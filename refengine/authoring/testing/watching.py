"""Waiting until one of some files changes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

INTERVAL = 0.3
"""Seconds between two looks."""

Marks = dict[Path, tuple[int, int] | None]


def marks(paths: Iterable[Path]) -> Marks:
    """Return what tells the present state of each file from later ones, None for one that is not there."""
    found: Marks = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found[path] = None
        else:
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


def wait_for_change(before: Marks, patience: float | None = None) -> tuple[Path, ...]:
    """Return the files that are not as they were, as soon as there are some; none of them after `patience` seconds."""
    end = None if patience is None else time.monotonic() + patience
    while True:
        now = marks(before)
        changed = tuple(path for path, mark in now.items() if mark != before[path])
        if changed or (end is not None and time.monotonic() >= end):
            return changed
        time.sleep(INTERVAL)
