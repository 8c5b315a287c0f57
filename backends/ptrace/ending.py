"""The end of a run: tracees are ended, or let go, and none is left stopped."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Final

from refengine.backends.ptrace.binding import PTRACE_DETACH, PTRACE_INTERRUPT, WALL, resume
from refengine.backends.ptrace.tracer import BIRTHS, STOPPED, SYSCALL_STOP, Tracer
from refengine.state.proc_file import read_file

PATIENCE: Final = 10.0
"""How long, in seconds, a process that has been killed may take to go, and threads that are let go to stop."""


def kill(tracer: Tracer, grace: float) -> None:
    """End every tracee: ask first, and use force after `grace` seconds."""
    tracer.release()
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, PATIENCE)):
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
    """Let go of every tracee, which then runs on by itself; wait up to `patience` seconds for all to stop.

    Only a thread that is stopped can be let go. What has not stopped by then, asleep in a driver say, is let go by
    the kernel when this process ends.
    """
    tracer.release()
    for tid in tracer.threads:
        resume(PTRACE_INTERRUPT, tid, 0, 0)
    left = tracer.threads | tracer.expected
    gone: set[int] = set()
    limit = time.monotonic() + patience
    while left and time.monotonic() < limit:
        try:
            tid, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if tid == tracer.clock.pid:
            tracer.clock.resume()
            left -= {tid for tid in left if _is_dead(tid)}
            continue
        left.discard(tid)
        gone.add(tid)
        if status & 0xFF == STOPPED:
            _let_go(tracer, tid, status >> 8, left, gone)
    tracer.threads.clear()
    tracer.expected.clear()


def _is_dead(tid: int) -> bool:
    """Tell whether a thread has ended; its end is collected, for others to be able to wait for its process.

    That of a process's first thread is not to be had before the last of the others has ended, too.
    """
    stat = read_file(f"/proc/{tid}/stat")
    if not stat:
        return bool(resume(PTRACE_INTERRUPT, tid, 0, 0) < 0)
    if stat[stat.rfind(b")") + 2 :][:1] not in b"ZX":
        return False
    with suppress(ChildProcessError):
        os.waitpid(tid, WALL | os.WNOHANG)
    return True


def _let_go(tracer: Tracer, tid: int, stop: int, left: set[int], gone: set[int]) -> None:
    """Let go of a thread at a stop; a child that it has just made is one more to wait for."""
    if stop >> 8 in BIRTHS:
        child = tracer.event_message(tid)
        if child is not None and child not in gone:
            left.add(child)
    # A signal that was about to be delivered is delivered; the other kinds of stop have none.
    number = stop if stop >> 8 == 0 and stop != SYSCALL_STOP else 0
    resume(PTRACE_DETACH, tid, 0, number)
