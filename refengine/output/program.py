"""Alerts to the standard input of a program."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from contextlib import suppress
from typing import Final

from refengine.output.channel import ChannelError, LineRefusedError
from refengine.priority import Priority

_PATIENCE: Final = 2.0
"""Seconds that a program may leave its input unread before the attempt is given up for the time being."""

_FAREWELL: Final = 2.0
"""Seconds that a program may take to end once this one ends, or has no more for it."""

_TASK: Final = 60.0
"""Seconds that a program may take over its one line."""


_TRIAL: Final = 0.5
"""Seconds in which a shell that is kept has found out whether there is such a program at all."""

_UNRUNNABLE: Final = {126: "it cannot be executed", 127: "there is no such program"}
"""Exit statuses by which a shell says that it could not start a program."""


class ProgramChannel:
    """A channel into a shell command: one that runs all the time with `keep_alive`, else one for every line.

    A command that has ended is started anew with the next line. It does not get the terminal's signals, so that
    it can take what is written at the end. What is written to one that the shell cannot start is lost, and refused.
    """

    def __init__(self, command: str, *, keep_alive: bool = False) -> None:
        self._command = command
        self._keep_alive = keep_alive
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        """What the program has still to read of a line that it has begun to read."""
        self._on_trial = False
        """True until a program that has been started has had its time to fail."""
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
                self._require_runnable(self._leave())
                raise ChannelError(f"the program '{self._command}' ends without reading") from None
        if not self._keep_alive:
            self._require_runnable(self._leave(_TASK))
        elif self._on_trial:
            self._try()

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
            self._on_trial = True
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def _try(self) -> None:
        assert self._process is not None
        self._on_trial = False
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_TRIAL)
            self._require_runnable(self._leave())

    def _require_runnable(self, status: int | None) -> None:
        if status in _UNRUNNABLE:
            raise LineRefusedError(
                f"the program '{self._command}' does not start: {_UNRUNNABLE[status]} (exit status {status})"
            )

    def _leave(self, patience: float | None = None) -> int | None:
        """Let go of the program; return its exit status, None where there is none."""
        process, self._process = self._process, None
        self._rest = b""
        if process is None:
            return None
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
        return process.returncode
