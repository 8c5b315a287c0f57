"""Process events, by way of a process of its own that looks at new programs while they are there."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from fcntl import F_SETPIPE_SZ, fcntl
from typing import Final

from refengine.backends.fanotify.sightings import Sighting, decode
from refengine.errors import BackendError

_CHUNK: Final = 1 << 18
_PIPE: Final = 1 << 20
"""Bytes that may wait between the two processes: some 10,000 events; behind them, the kernel keeps more."""


class Looking:
    """Has process events listened to; `lost` counts those that the kernel could not deliver.

    :raises BackendError: when the kernel does not let us listen.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "refengine.backends.fanotify.looker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        with suppress(OSError):  # a smaller one works as well
            fcntl(self._output, F_SETPIPE_SZ, _PIPE)
        if os.read(self._output, 1) != b"\n":
            assert self._process.stderr is not None
            reason = self._process.stderr.read().decode("utf-8", "replace").strip()
            self.close()
            raise BackendError(reason.splitlines()[-1] if reason else "process events cannot be listened to")
        os.set_blocking(self._output, False)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._output

    def read(self) -> list[Sighting]:
        """Return what was heard and seen, in order; nothing where nothing was.

        :raises BackendError: when the process has ended.
        """
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return []
        if not data:
            raise BackendError("the process that listens to process events has ended")
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            told = decode(line)
            if isinstance(told, int):
                self.lost = told
            elif told is not None:
                found.append(told)
        return found

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()
