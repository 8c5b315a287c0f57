"""Dropped events as alerts: a program that misses events must say so where its alerts are read."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from refengine.backends.base import Statistics
from refengine.errors import BackendError
from refengine.output.alert import INTERNAL, Alert
from refengine.priority import Priority
from refengine.service.token_bucket import TokenBucket

RULE = "Falco internal: syscall event drop"
"""The name that readers of Falco's alerts know."""


class DropAction(str, Enum):
    """What is done about dropped events."""

    IGNORE = "ignore"
    LOG = "log"
    ALERT = "alert"
    EXIT = "exit"


class DropSettings(NamedTuple):
    """When and how often dropped events are acted upon.

    `threshold` is the share of a second's events that may be dropped; the actions are carried out `burst` times at
    once and `rate` times a second in the long run. With `simulate` every event counts as dropped, for trials.
    """

    threshold: float = 0.1
    actions: frozenset[DropAction] = frozenset({DropAction.LOG, DropAction.ALERT})
    rate: float = 1 / 30
    burst: int = 1
    simulate: bool = False


class DropWatch:
    """Compares the counters with those of the last time, and acts where too much is missing.

    `statistics` returns the counters of all events, `alert` takes an alert, `log` a sentence for people.
    """

    def __init__(
        self,
        settings: DropSettings,
        statistics: Callable[[], Statistics],
        alert: Callable[[Alert], None],
        log: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._statistics = statistics
        self._alert = alert
        self._log = log
        self._bucket = TokenBucket(settings.rate, settings.burst, time.monotonic())
        self._seen = 0
        self._dropped: dict[str, int] = {}
        self.actions = 0

    def check(self) -> None:
        """Act where more than the threshold has been dropped since the last time; to be called once a second.

        :raises BackendError: where dropped events are to end the program.
        """
        statistics = self._statistics()
        events = statistics.seen - self._seen
        dropped = dict(statistics.dropped)
        causes = {
            cause: count - self._dropped.get(cause, 0)
            for cause, count in dropped.items()
            if count > self._dropped.get(cause, 0)
        }
        self._seen, self._dropped = statistics.seen, dropped
        if self._settings.simulate and events:
            causes = {"simulated": events}
        lost = sum(causes.values())
        if not lost or lost / max(events, lost) <= self._settings.threshold:
            return
        if self._settings.actions <= {DropAction.IGNORE} or not self._bucket.take(time.monotonic()):
            return
        self.actions += 1
        self._act(events, lost, causes)

    def _act(self, events: int, lost: int, causes: dict[str, int]) -> None:
        message = f"{RULE}. {lost} system calls dropped in last second."
        told = f"{message} ({', '.join(f'{cause}: {count}' for cause, count in sorted(causes.items()))})"
        if DropAction.LOG in self._settings.actions:
            self._log(told)
        if DropAction.ALERT in self._settings.actions:
            fields = {f"n_drops_{cause.replace(' ', '_')}": count for cause, count in causes.items()}
            self._alert(
                Alert(
                    RULE,
                    Priority.DEBUG,
                    INTERNAL,
                    time.time_ns(),
                    0,
                    message,
                    {"n_drops": lost, "n_evts": events, **fields},
                )
            )
        if DropAction.EXIT in self._settings.actions:
            raise BackendError(f"{told} The configuration asks to end then.")
