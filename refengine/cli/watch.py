"""The loop of a run: events from the backend, through the state, to the rules and the taps, until the end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, NamedTuple, TypeAlias

from refengine.backends.base import Connection, Interest, Statistics
from refengine.cli.outputs import Outputs
from refengine.cli.progress import Progress
from refengine.cli.rule_captures import RuleCaptures
from refengine.cli.signals import Interruption
from refengine.cli.summary import Tally, total
from refengine.cli.taps import Taps
from refengine.engine import Engine
from refengine.event import Event, RecordedEvent
from refengine.rulefile.rule import Rule
from refengine.service.handover import OVERLAP
from refengine.service.periodic import Periodic

_PATIENCE = 0.25
"""Seconds that a backend may wait for events before signals and the time limit are looked at again."""

_HANDOVER = 5.0
"""Seconds that one backend may take to have told all that happened before the next one took over."""

_QUIET = 0.05
"""Seconds without any event after which it has: what is still being told may keep others back."""


Batch: TypeAlias = "Sequence[Event] | Sequence[RecordedEvent]"


class Change(NamedTuple):
    """New rules for a watch, and where these need more than the backend was opened for, an open one for them."""

    rules: tuple[Rule, ...]
    engine: Engine
    connection: Connection | None = None
    interest: Interest | None = None


def _nothing() -> None:
    pass


def _unheard(_warning: str) -> None:
    pass


@dataclass(slots=True)
class Watch:
    """Everything that one run works with.

    `changes` takes new rules from any thread; they hold from the next batch of events on. `begun` is called
    once the backend is open, and `periodic` is given the occasion between two batches. `interest` is what the backend
    was opened with, `retired` counts the events of backends of before. `warn` is told what is found wrong with
    the events, each thing once.
    """

    connection: Connection
    rules: tuple[Rule, ...]
    engine: Engine
    outputs: Outputs
    taps: Taps
    tally: Tally
    asked: Interruption
    periodic: Periodic = field(default_factory=Periodic)
    begun: Callable[[], None] = _nothing
    interest: Interest | None = None
    changes: deque[Change] = field(default_factory=deque)
    retired: Statistics = field(default_factory=Statistics)
    captures: RuleCaptures | None = None
    warn: Callable[[str], None] = _unheard
    _warned: set[str] = field(default_factory=set)
    _retiring: deque[Thread] = field(default_factory=deque)

    def run(self, interest: Interest, seconds: float | None) -> bool:
        """Open the backend and evaluate events until there are no more, then return True.

        When told to stop, by a signal or after so many seconds, return False. The backend is closed again,
        whatever happens.

        :raises RefengineError: when the backend cannot start or go on, or an output cannot be written.
        """
        progress = Progress(self.connection.progress)
        try:
            self.interest = interest
            self.connection.backend.open(interest)
            self.say_warnings()
            self.begun()
            return self._evaluate(progress, seconds)
        finally:
            progress.close()
            self.connection.backend.close()
            self.discard_changes()
            while self._retiring:
                self._retiring.popleft().join()
            self.taps.close()
            if self.captures is not None:
                self.captures.close()

    def statistics(self) -> Statistics:
        """Return the counters so far, those of earlier backends among them."""
        return total((self.retired, self.connection.backend.statistics()))

    def say_warnings(self) -> None:
        """Tell `warn` what the backend has found wrong since it was asked last."""
        for warning in self.connection.warnings():
            if warning not in self._warned:
                self._warned.add(warning)
                self.warn(warning)

    def discard_changes(self) -> None:
        """Close the backends of changes that come too late to be taken."""
        while self.changes:
            change = self.changes.popleft()
            if change.connection is not None:
                change.connection.backend.close()

    def _evaluate(self, progress: Progress, seconds: float | None) -> bool:
        backend = self.connection.backend
        read, observe, process = backend.read, self.connection.observe, self.engine.process
        asked, taps, changes, periodic = self.asked, self.taps.each, self.changes, self.periodic
        captures, unmatched = self.captures, self.tally.unmatched
        end = None if seconds is None else time.monotonic() + seconds
        while asked.signal is None and not asked.over:
            patience = _PATIENCE
            if end is not None:
                patience = min(patience, end - time.monotonic())
                if patience <= 0:
                    return False
            events = read(patience)
            if events is None:
                return True
            if changes:
                # The events may have happened after the change was ready.
                events = self._take(changes.popleft(), events)
                backend = self.connection.backend
                read, observe, process = backend.read, self.connection.observe, self.engine.process
            if asked.reopen:
                asked.reopen = False
                self.outputs.reopen()
            for event in events:
                observe(event)
                for tap in taps:
                    tap(event)
                if captures is not None:
                    captures.take(event)
                alerts = process(event)
                if not alerts:
                    unmatched[event.name] += 1
                for alert in alerts:
                    self.tally.add(alert)
                    self.outputs.write(alert)
                    if captures is not None:
                        captures.alerted(alert.rule, event, self.rules)
            if progress.is_shown:
                # Adding counters up is not for nothing, and batches may be small and many.
                progress.update(backend.statistics().seen)
            periodic.run()
        return False

    def _take(self, change: Change, events: Batch) -> Batch:
        """Have new rules from now on; return the events, if these are still to be evaluated by them."""
        if change.connection is None:
            self.rules, self.engine = change.rules, change.engine
            return events
        self._evaluate_some(events, lambda event: True)
        before = self.connection.backend
        limit = time.time_ns()
        self._evaluate_while(lambda event: bool(event.time <= limit))
        self.retired = self.statistics()
        self.say_warnings()
        # The kernel takes its time to take programs away, half a second for many: events do not wait for that.
        retiring = Thread(target=before.close, name="retiring backend")
        retiring.start()
        self._retiring.append(retiring)
        self.connection, self.interest = change.connection, change.interest
        self.say_warnings()
        self.rules, self.engine = change.rules, change.engine
        since = limit - OVERLAP
        # The first events were told by the backend of before; they only bring the new state up to date.
        self._evaluate_while(
            lambda event: bool(event.time > since), until=lambda event: bool(event.time > limit)
        )
        return ()

    def _evaluate_while(
        self, wanted: Callable[[Any], bool], until: Callable[[Any], bool] | None = None
    ) -> None:
        """Evaluate the events that are wanted, until one comes that is not (or is what `until` says), or none."""
        ended = until if until is not None else lambda event: not wanted(event)
        deadline = time.monotonic() + _HANDOVER
        while time.monotonic() < deadline:
            events = self.connection.backend.read(_QUIET)
            if not events:
                return
            self._evaluate_some(events, wanted)
            if any(ended(event) for event in events):
                return

    def _evaluate_some(self, events: Iterable[Any], wanted: Callable[[Any], bool]) -> None:
        for event in events:
            self.connection.observe(event)
            if wanted(event):
                for tap in self.taps.each:
                    tap(event)
                alerts = self.engine.process(event)
                if not alerts:
                    self.tally.unmatched[event.name] += 1
                for alert in alerts:
                    self.tally.add(alert)
                    self.outputs.write(alert)
