"""Control groups of a test's own, which other tests that run at the same time do not disturb."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.control_groups import PATIENCE, remove


@contextmanager
def control_group(top: Path, path: str) -> Iterator[Path]:
    """Have a control group at `path` below `top` while the body runs; the last part of `path` has to be nobody else's.

    What is above it may belong to others as well. It is removed again where it was not there before and nobody uses it.

    :raises OSError: when it cannot be made.
    """
    group = top / path
    made = _make(top, group)
    try:
        yield group
    finally:
        remove(group)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def _make(top: Path, group: Path) -> list[Path]:
    """Make a group, and return what had to be made above it, the innermost first."""
    above = [folder for folder in group.parents if folder.is_relative_to(top) and folder != top]
    made: dict[Path, None] = {}
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            for folder in reversed(above):
                with suppress(FileExistsError):
                    folder.mkdir()
                    made[folder] = None
            group.mkdir()
        except FileNotFoundError:  # another test that had made what is above has just removed it
            if time.monotonic() > limit:
                raise
        else:
            return [folder for folder in above if folder in made]
