"""Alerts to the system's log."""

from __future__ import annotations

import errno
import os
import socket
import time
from pathlib import Path
from typing import Final

from refengine.output.channel import ChannelError
from refengine.priority import Priority

SYSTEM_LOG: Final = Path("/dev/log")

_USER: Final = 1 << 3
"""The facility of programs in general."""

_PATIENCE: Final = 1.0
"""Seconds that the log's reader may take to make room."""

_SHORTEST: Final = 1024
"""Bytes that every reader of the log takes."""


class SyslogChannel:
    """A channel to the log behind a socket; the priorities of alerts are those of the log.

    A log that is not there, or was started anew, is looked for with each line. A line that is too long for the
    socket is cut.
    """

    def __init__(self, path: Path = SYSTEM_LOG, identity: str = "refengine") -> None:
        self._path = path
        self._identity = identity
        self._socket: socket.socket | None = None

    def write(self, line: str, priority: Priority) -> None:
        """Send one line."""
        head = f"<{_USER | priority}>{time.strftime('%b %e %H:%M:%S')} {self._identity}[{os.getpid()}]: "
        data = (head + line).encode("utf-8", "backslashreplace")
        try:
            self._send(data)
        except OSError as error:
            self.close()
            raise ChannelError(f"cannot write to the log {self._path}: {error.strerror or error}") from None

    def ready(self, line: str) -> bool:
        """Return false: the log's reader may be slow."""
        return False

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, data: bytes) -> None:
        try:
            self._connected().send(data)
        except (ConnectionError, TimeoutError):
            self.close()
            self._connected().send(data)
        except OSError as error:
            if error.errno != errno.EMSGSIZE or len(data) <= _SHORTEST:
                raise
            self._send(data[: max(_SHORTEST, len(data) // 2)])

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.settimeout(_PATIENCE)
            self._socket.connect(str(self._path))
        return self._socket
