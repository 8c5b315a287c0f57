"""The loop of a run: events from the backend, through the state, to the rules and the taps, until the end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from refengine.backends.base import Connection, Interest
from refengine.cli.outputs import Outputs
from refengine.cli.progress import Progress
from refengine.cli.signals import Interruption
from refengine.cli.summary import Tally
from refengine.cli.taps import Taps
from refengine.engine import Engine

_PATIENCE = 0.25
"""Seconds that a backend may wait for events before signals and the time limit are looked at again."""


@dataclass(slots=True)
class Watch:
    """Everything that one run works with."""

    connection: Connection
    engine: Engine
    outputs: Outputs
    taps: Taps
    tally: Tally
    asked: Interruption

    def run(self, interest: Interest, seconds: float | None) -> bool:
        """Open the backend and evaluate events until there are no more, then return True.

        When told to stop, by a signal or after so many seconds, return False. The backend is closed again,
        whatever happens.

        :raises RefengineError: when the backend cannot start or go on, or an output cannot be written.
        """
        progress = Progress(self.connection.progress)
        try:
            self.connection.backend.open(interest)
            return self._evaluate(progress, seconds)
        finally:
            progress.close()
            self.connection.backend.close()
            self.taps.close()

    def _evaluate(self, progress: Progress, seconds: float | None) -> bool:
        backend = self.connection.backend
        read, observe, process = backend.read, self.connection.observe, self.engine.process
        asked, taps, statistics = self.asked, self.taps.each, backend.statistics
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
            if asked.reopen:
                asked.reopen = False
                self.outputs.reopen()
            for event in events:
                observe(event)
                for tap in taps:
                    tap(event)
                for alert in process(event):
                    self.tally.add(alert)
                    self.outputs.write(alert)
            progress.update(statistics().seen)
        return False
