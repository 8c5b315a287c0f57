"""Events for a test from a backend: a recording that is read, or a command that is run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from refengine.authoring.testing.case import Observed
from refengine.backends.registry import availability, connect
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event import Event, RecordedEvent
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule

NOT_STARTED = (126, 127)
"""Exit codes of shells for a command that is not there or cannot be executed."""


@dataclass(slots=True)
class Observation:
    """The events of a test as they come; `faults` are why they cannot be relied on, `remarks` are what else was found."""

    what: Observed
    faults: list[str] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    def why_not(self) -> str | None:
        """Return why this cannot be observed here, None where it can."""
        found = availability(self.what.backend)
        if found.available:
            return None
        return f"the {self.what.backend} backend is not available: {found.reason}"

    def events(self, rules: Iterable[Rule]) -> Iterator[Event | RecordedEvent]:
        """Yield the events that `rules` look at, the state of each being that of its moment.

        :raises BackendError: when the backend cannot start or go on.
        """
        what = self.what
        target = Target(command=what.command, files=() if what.path is None else (what.path,))
        connection = connect(what.backend, target)
        backend = connection.backend
        end = time.monotonic() + what.seconds if what.command else None
        with _quiet() if what.command else nullcontext():
            try:
                backend.open(interest_of(rules))
                while True:
                    if end is not None and time.monotonic() > end:
                        self.faults.append(f"the command had not ended after {what.seconds:g} seconds")
                        break
                    events = backend.read(0.25)
                    if events is None:
                        break
                    for event in events:
                        connection.observe(event)
                        yield event
            finally:
                backend.close()
        if what.command and backend.exit_code in NOT_STARTED:
            raise BackendError(
                f"the command ended with {backend.exit_code}: part of it was not there, or no program"
            )
        dropped = sum(backend.statistics().dropped.values())
        warnings = tuple(connection.warnings())
        if what.backend == "events":
            self.faults.extend(warnings)  # a misspelt field would make rules silent
        else:
            self.remarks = warnings
        if dropped and not self.faults:
            self.faults.append(f"{dropped} events were lost")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let what a command prints go nowhere: standard output belongs to the report."""
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
