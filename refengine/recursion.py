"""Room for deep trees.

A condition may nest to the language's depth limit, which is as deep as Python's default recursion limit; walks
over its tree therefore run with a higher one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

ROOM = 12_000
"""Frames that a walk may use. Python's own frames are small; the bound keeps the C stack safe on 3.10."""


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let the body recurse `ROOM` frames deep; the limit of before holds again afterwards."""
    before = sys.getrecursionlimit()
    if before >= ROOM:
        yield
        return
    sys.setrecursionlimit(ROOM)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
