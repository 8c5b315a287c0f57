"""Things to do now and then, by a loop that has something else to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Job:
    due: float
    seconds: float
    action: Callable[[], None]


class Periodic:
    """Carries out each action when so many seconds have passed since the last time, if it is given the occasion."""

    def __init__(self, actions: Iterable[tuple[float, Callable[[], None]]] = ()) -> None:
        now = time.monotonic()
        self._jobs = [_Job(now + seconds, seconds, action) for seconds, action in actions]
        self._next = self._earliest()

    def run(self) -> None:
        """Carry out what is due."""
        now = time.monotonic()
        if now < self._next:
            return
        for job in self._jobs:
            if now >= job.due:
                job.due = now + job.seconds
                job.action()
        self._next = self._earliest()

    def _earliest(self) -> float:
        return min((job.due for job in self._jobs), default=float("inf"))
