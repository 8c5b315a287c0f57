"""What tests of the eBPF backend share: whether it can run here, and reading what it tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from refengine.backends.base import Connection
from refengine.backends.registry import availability
from refengine.event import Event, RecordedEvent

MARGIN = 100_000_000
"""Nanoseconds after the end of programs within which the clock of events is theirs, and after which all is told."""


def require_ebpf() -> None:
    """Skip the calling test where the backend cannot run, and say why."""
    found = availability("ebpf")
    if not found.available:
        pytest.skip(f"{found.reason}; {found.remedy}")


def observed(
    connection: Connection, is_over: Callable[[], bool], patience: float
) -> Iterator[Event | RecordedEvent]:
    """Yield the events, each after the state has taken it in, until what is watched `is_over` and all of it was told.

    That ends after `patience` seconds, whatever is told.
    """
    end = 0
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not end and is_over():
            end = time.time_ns() + MARGIN
        events = connection.backend.read(0.05)
        assert events is not None
        for event in events:
            connection.observe(event)
            yield event
        if end and (not events or events[-1].time > end):
            return
