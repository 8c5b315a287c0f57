"""Several watches at once: the first in the main thread, each other one in a thread of its own.

A backend is opened, read and closed in one thread only, as the kernel wants it of some; only the outputs are shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Thread
from typing import TypeAlias

from refengine.backends.base import Interest
from refengine.cli.signals import Interruption
from refengine.cli.watch import Watch

Job: TypeAlias = "tuple[Watch, Interest]"

_PATIENCE = 0.25
"""Seconds after which the main thread looks at signals again while it waits for the others."""


def run_together(jobs: Sequence[Job], asked: Interruption, seconds: float | None) -> bool:
    """Run every watch until its events end, then return True; return False when told to stop.

    The end of a watched command ends them all.

    :raises RefengineError: when one of them fails; the others have been stopped then.
    """
    (watch, interest), *others = jobs
    workers = [_Worker(other, each, asked, seconds) for other, each in others]
    for worker in workers:
        worker.start()
    try:
        finished = watch.run(interest, seconds)
        if watch.connection.backend.exit_code is not None:
            asked.over = True
        for worker in workers:
            while worker.is_alive():
                worker.join(_PATIENCE)
    finally:
        asked.over = True
        for worker in workers:
            worker.join()
    for worker in workers:
        if worker.fault is not None:
            raise worker.fault
    return finished and (asked.signal is None)


class _Worker(Thread):
    """Runs one watch; what went wrong is in `fault` when it has ended, and has ended the others, too."""

    def __init__(self, watch: Watch, interest: Interest, asked: Interruption, seconds: float | None) -> None:
        super().__init__(name=watch.connection.backend.name, daemon=True)
        self._watch = watch
        self._interest = interest
        self._asked = asked
        self._seconds = seconds
        self.fault: BaseException | None = None

    def run(self) -> None:
        """Watch until the end."""
        try:
            self._watch.run(self._interest, self._seconds)
        except BaseException as error:
            self.fault = error
            self._asked.over = True
