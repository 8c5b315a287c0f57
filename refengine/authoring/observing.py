"""Events from a backend for a test or an explanation: of a recording that is read, or a command that is run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from refengine.backends.base import Interest
from refengine.backends.registry import availability, connect
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event import Event, RecordedEvent

_PATIENCE = 0.25
"""Seconds that a backend may wait for events before the time limit is looked at again."""

NOT_STARTED = (126, 127)
"""Exit codes of shells for a command that is not there or cannot be executed."""


@dataclass(slots=True)
class Observation:
    """What a backend delivers of a target: a recording, or a command that is ended after so many seconds.

    `faults` are why the events cannot be relied on, `remarks` what else was found wrong with them; both are complete
    when the events have been read.
    """

    backend: str
    target: Target
    seconds: float = 30.0
    faults: list[str] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    def why_not(self) -> str | None:
        """Return why this cannot be observed here, None where it can."""
        if self.target.files:
            return None  # files can be read everywhere
        found = availability(self.backend)
        return None if found.available else f"the {self.backend} backend is not available: {found.reason}"

    def events(self, interest: Interest) -> Iterator[Event | RecordedEvent]:
        """Yield the events, the state of each being that of its moment. What a command prints goes nowhere.

        :raises BackendError: when the backend cannot start or go on.
        """
        connection = connect(self.backend, self.target)
        backend = connection.backend
        end = time.monotonic() + self.seconds if self.target.command else None
        with _quiet() if self.target.command else nullcontext():
            try:
                backend.open(interest)
                while True:
                    if end is not None and time.monotonic() > end:
                        self.faults.append(f"the command had not ended after {self.seconds:g} seconds")
                        break
                    events = backend.read(_PATIENCE)
                    if events is None:
                        break
                    for event in events:
                        connection.observe(event)
                        yield event
            finally:
                backend.close()
        if self.target.command and backend.exit_code in NOT_STARTED:
            raise BackendError(
                f"the command ended with {backend.exit_code}: part of it was not there, or no program"
            )
        dropped = sum(backend.statistics().dropped.values())
        warnings = tuple(connection.warnings())
        if self.backend == "events":
            self.faults.extend(warnings)  # a misspelt field would make rules silent
        else:
            self.remarks = warnings
        if dropped and not self.faults:
            self.faults.append(f"{dropped} events were lost")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let what a command prints go nowhere: standard output belongs to what is reported."""
    sys.stdout.flush()
    saved = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)
