"""A child process that makes a blocking wait return now and then.

`waitpid` has no time limit, and a wait that polls would cost every traced call. So a small child, traced like
any other, has an interval timer; each tick stops it, which wakes the wait, and the signal is thrown away. It
works in any thread and takes neither a signal nor a timer from the program.
"""

from __future__ import annotations

import os
import signal
from typing import Final, NoReturn

from refengine.backends.ptrace import binding

INTERVAL: Final = 0.1
"""Seconds between two ticks, which is also how late a time limit may be noticed."""


class Clock:
    """The ticking child."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        ready_read, ready_write = os.pipe()
        self.pid = binding.fork()
        if self.pid == 0:
            _tick(ready_read)
        os.close(ready_read)
        try:
            binding.request(binding.PTRACE_SEIZE, self.pid, 0, binding.O_EXITKILL)
            os.write(ready_write, b"g")
        except OSError:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise
        finally:
            os.close(ready_write)

    def resume(self) -> None:
        """Let it run on to the next tick; the signal of this one is dropped."""
        binding.resume(binding.PTRACE_CONT, self.pid, 0, 0)

    def stop(self) -> None:
        """End the child."""
        os.kill(self.pid, signal.SIGKILL)
        while True:
            _, status = os.waitpid(self.pid, binding.WALL)
            if not os.WIFSTOPPED(status):
                return


def _tick(ready: int) -> NoReturn:
    """In the child: have a timer and sleep for ever; a terminal's signals are not for it."""
    try:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if not os.read(ready, 1):  # the tracer has gone
            os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
        while True:
            signal.pause()
    finally:
        os._exit(0)
