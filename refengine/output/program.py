"""Alerts to the standard input of a program."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from contextlib import suppress
from typing import Final

from refengine.output.channel import ChannelError
from refengine.priority import Priority

_PATIENCE: Final = 2.0
"""Seconds that a program may leave its input unread before the attempt is given up for the time being."""

_FAREWELL: Final = 2.0
"""Seconds that a program may take to end once this one ends, or has no more for it."""

_TASK: Final = 60.0
"""Seconds that a program may take over its one line."""


class ProgramChannel:
    """A channel into a shell command: one that runs all the time with `keep_alive`, else one for every line.

    A command that has ended is started anew with the next line. It does not get the terminal's signals, so that
    it can take what is written at the end.
    """

    def __init__(self, command: str, *, keep_alive: bool = False) -> None:
        self._command = command
        self._keep_alive = keep_alive
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        """What the program has still to read of a line that it has begun to read."""
        self.starts = 0

    def write(self, line: str, priority: Priority = Priority.DEBUG) -> None:
        """Write one line."""
        data = self._rest or f"{line}\n".encode("utf-8", "backslashreplace")
        try:
            self._feed(data)
        except BrokenPipeError:
            self._leave()
            try:
                self._feed(f"{line}\n".encode("utf-8", "backslashreplace"))
            except BrokenPipeError:
                self._leave()
                raise ChannelError(f"the program '{self._command}' ends without reading") from None
        if not self._keep_alive:
            self._leave(_TASK)

    def ready(self, line: str) -> bool:
        """Return false: the program may be slow."""
        return False

    def close(self) -> None:
        """Close the program's input, and end it where it does not end by itself."""
        self._leave()

    def _feed(self, data: bytes) -> None:
        pipe = self._pipe()
        poll = select.poll()
        poll.register(pipe, select.POLLOUT)
        self._rest = data
        while self._rest:
            if not poll.poll(_PATIENCE * 1000):
                if len(self._rest) == len(data):
                    self._rest = b""
                raise ChannelError(f"the program '{self._command}' does not read")
            with suppress(BlockingIOError):
                self._rest = self._rest[os.write(pipe, self._rest) :]

    def _pipe(self) -> int:
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", self._command], stdin=subprocess.PIPE, bufsize=0, start_new_session=True
                )
            except OSError as error:
                raise ChannelError(f"cannot start '{self._command}': {error.strerror or error}") from None
            self.starts += 1
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def _leave(self, patience: float | None = None) -> None:
        process, self._process = self._process, None
        self._rest = b""
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        # Whoever waits for all children of this program may have been told of the end already; `wait` copes.
        try:
            process.wait(_FAREWELL if patience is None else patience)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
