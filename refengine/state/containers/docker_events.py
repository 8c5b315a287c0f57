"""Hearing from docker and podman of containers as they are made, started and renamed.

Both keep a container locked while it starts, so that whoever asks for it then has to wait until its first program runs;
and only once it has started do they know its address.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from glob import glob
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from refengine.state.containers.answers import text
from refengine.state.containers.runtime import UnknownError
from refengine.state.containers.sockets import ANSWER_LIMIT, PATIENCE, UnixConnection, connected, get_json

_FILTERS: Final = quote(json.dumps({"type": ["container"], "event": ["create", "start", "rename"]}))
_TRY_AGAIN: Final = 2.0
"""Seconds after which a socket is tried again."""


class DockerEvents(Thread):
    """Tells `found` the id of every running container, and later of each that is made, has started or is renamed.

    `pattern` gives the sockets' paths; the first that answers is listened to, until `close`.
    """

    def __init__(self, pattern: str, found: Callable[[str], None]) -> None:
        super().__init__(name="container-events", daemon=True)
        self._pattern = pattern
        self._found = found
        self._over = Flag()
        self._lock = Lock()
        self._socket: socket.socket | None = None

    def run(self) -> None:
        """Listen until the end, to whoever is there by then."""
        while not self._over.is_set():
            for path in sorted(glob(self._pattern)):  # noqa: PTH207  (the pattern is absolute)
                with suppress(UnknownError, OSError, ValueError, http.client.HTTPException):
                    self._listen(path)
            self._over.wait(_TRY_AGAIN)

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        with self._lock, suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _listen(self, path: str) -> None:
        connection = connected(path, monotonic() + PATIENCE)
        with self._lock:
            self._socket = connection
        http_connection = UnixConnection(connection)
        try:
            http_connection.request("GET", f"/events?filters={_FILTERS}")
            response = http_connection.getresponse()
            if response.status != http.client.OK:
                return
            self._tell_all(get_json(path, "/containers/json"))
            connection.deadline = None
            rest = b""
            while not self._over.is_set():
                chunk = response.read1(1 << 16)
                if not chunk or len(rest) > ANSWER_LIMIT:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._tell(json.loads(line), "Actor", "ID")
        finally:
            with self._lock:
                self._socket = None
            http_connection.close()
            connection.close()

    def _tell_all(self, running: Any) -> None:
        for each in running if isinstance(running, list) else ():
            self._tell(each, "Id")

    def _tell(self, value: Any, *keys: str) -> None:
        id = text(value, *keys)
        if id:
            self._found(id)
