"""The collector of garbage, for a program that makes much at its start and forgets some objects for each event."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 20_000
"""Objects that are made before the collector looks at them; with its own 700 it takes a sixth of the time."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have the collector look at new objects less often while the body runs.

    Modules, rules and what events consist of are not in cycles, or stay.
    """
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def spared_by_collection() -> Iterator[None]:
    """Have the collector leave alone what there is already, while the body runs."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
