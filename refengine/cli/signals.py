"""Signals that end a run decently."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Interruption:
    """The signal that asked the run to end, None while none did, and what else signals have asked for.

    `reopen` is for outputs to be opened anew, `reload` for rules and configuration to be loaded anew. `over` says that the run ends without a signal, since one of several watches has decided so.
    """

    signal: int | None = None
    reopen: bool = False
    reload: bool = False
    over: bool = False


@contextmanager
def interruption(*, reloads: bool = False) -> Iterator[Interruption]:
    """Note SIGINT, SIGTERM and SIGUSR1, and with `reloads` SIGHUP, while the body runs; the handlers of before are back afterwards.

    A second SIGINT or SIGTERM acts as it does by default, so that nothing can hang for good.
    """
    asked = Interruption()

    def stop(number: int, _frame: FrameType | None) -> None:
        asked.signal = number
        signal.signal(number, signal.SIG_DFL)

    def reopen(_number: int, _frame: FrameType | None) -> None:
        asked.reopen = True

    def reload(_number: int, _frame: FrameType | None) -> None:
        asked.reload = True

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGUSR1: reopen}
    if reloads:
        handlers[signal.SIGHUP] = reload
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
