"""What tests of the eBPF backend share: whether it can run here, and reading what it tells."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from refengine import Engine, load_rules
from refengine.backends.base import Connection
from refengine.backends.registry import availability, connect
from refengine.backends.target import Target
from refengine.event import Event, RecordedEvent
from refengine.interest import interest_of
from refengine.output.alert import Alert
from refengine.source import Source

MARGIN = 100_000_000
"""Nanoseconds after the end of programs within which the clock of events is theirs, and after which all is told."""


QUIET = 0.5
"""Seconds without any event after which nothing more is to come: one that is being written may keep others back."""


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
        events = connection.backend.read(QUIET if end else 0.05)
        assert events is not None
        for event in events:
            connection.observe(event)
            yield event
        if end and (events[-1].time if events else time.time_ns()) > end:
            return


@contextmanager
def watching(text: str) -> Iterator[tuple[Connection, Engine]]:
    """Have the backend watch the machine for the rules in `text` while the body runs."""
    require_ebpf()
    rules = load_rules(Source("rules.yaml", text)).enabled("syscall")
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(interest_of(rules, backend.capabilities.decides))
    try:
        yield connection, Engine(rules, "all")
    finally:
        backend.close()


def alerts_of(
    watched: tuple[Connection, Engine], command: Sequence[str | Path], patience: float = 200, **options: Any
) -> list[Alert]:
    """Run a command, which has to succeed, and return the alerts until all that it did has been told."""
    connection, engine = watched
    alerts: list[Alert] = []
    with subprocess.Popen(command, **options) as program:
        try:
            for event in observed(connection, lambda: program.poll() is not None, patience):
                alerts += engine.process(event)
        finally:
            program.kill()
    assert program.returncode == 0
    return alerts
