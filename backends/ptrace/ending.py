"""The end of a run: tracees are ended, or let go, and none is left stopped."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Final

from refengine.backends.ptrace.binding import PTRACE_DETACH, PTRACE_INTERRUPT, WALL, resume
from refengine.backends.ptrace.tracer import STOPPED, SYSCALL_STOP, Tracer

_DEATH: Final = 10.0
"""How long, in seconds, a process that has been killed may take to go."""


def kill(tracer: Tracer, grace: float) -> None:
    """End every tracee: ask first, and use force after `grace` seconds."""
    tracer.release()
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, _DEATH)):
        limit = time.monotonic() + patience
        while tracer.alive:
            for tid in tracer.threads | tracer.expected:
                _send(tid, number)
                _send(tid, signal.SIGCONT)
            # A process that is just being made has not got the signal, so the next round is soon.
            _run(tracer, min(limit, time.monotonic() + 1.0))
            if time.monotonic() >= limit:
                break


def _run(tracer: Tracer, limit: float) -> None:
    """Let the tracees run, looking at none of their events, until `limit` or the end of all."""
    while tracer.alive and (left := limit - time.monotonic()) > 0:
        tracer.next_event(left)
    tracer.release()


def _send(tid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(tid, number)


def detach(tracer: Tracer, patience: float) -> None:
    """Let go of every tracee, which then runs on by itself; wait up to `patience` seconds for each to stop.

    What has not stopped by then is let go by the kernel when this process ends.
    """
    left = set()
    for tid in tracer.threads:
        # Only a thread that is stopped can be let go, as the one of the last event is.
        if resume(PTRACE_DETACH, tid, 0, 0) < 0:
            left.add(tid)
            resume(PTRACE_INTERRUPT, tid, 0, 0)
    left |= tracer.expected
    limit = time.monotonic() + patience
    while left and time.monotonic() < limit:
        try:
            tid, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if tid == tracer.clock.pid:
            tracer.clock.resume()
            continue
        left.discard(tid)
        if status & 0xFF == STOPPED:
            stop = status >> 8
            # A signal that was about to be delivered is delivered; the other kinds of stop have none.
            number = stop if stop >> 8 == 0 and stop != SYSCALL_STOP else 0
            resume(PTRACE_DETACH, tid, 0, number)
    tracer.threads.clear()
    tracer.expected.clear()
