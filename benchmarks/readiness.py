"""Knowing when a program has been started: it says so as to a service manager."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from types import TracebackType

PATIENCE = 150.0
"""Seconds that a program may take to get ready."""


class Readiness:
    """A service manager for one program: a socket that it tells, for as long as the body of `with` runs.

    `environment` has to be added to that of the program.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("")  # the kernel chooses a name that nobody has, in the abstract name space
        self._socket.settimeout(0.2)
        name = self._socket.getsockname().decode()
        self.environment = {"NOTIFY_SOCKET": f"@{name[1:]}", "PYTHONFAULTHANDLER": "1"}

    def __enter__(self) -> Readiness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def wait(self, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
        """Return when the program has said that all is attached and what was there already has been taken in.

        :raises RuntimeError: when it ends instead, or does not say so in time.
        """
        self._wait_for(b"READY=1", process)

    def wait_until_complete(self, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
        """Return when the program, which is ready, has said that nothing more is to come that makes events cheaper.

        :raises RuntimeError: when it ends instead, or does not say so in time.
        """
        self._wait_for(b"X_COMPLETE=1", process)

    def _wait_for(self, word: bytes, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            try:
                if word in self._socket.recv(4096).splitlines():
                    return
            except TimeoutError:
                if process.poll() is not None:
                    raise RuntimeError(f"the program ended: {process.args!r}") from None
        process.send_signal(signal.SIGABRT)  # so that it says where it is
        process.wait(10)
        raise RuntimeError(f"the program did not say {word.decode()}: {process.args!r}")
