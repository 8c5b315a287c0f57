"""Requests over the sockets of runtimes, each of which has to be answered in time and in size."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any, Final

from refengine.state.containers.runtime import (
    BROKEN,
    FORBIDDEN,
    NO_RUNTIME,
    NOT_FOUND,
    TIMED_OUT,
    UnknownError,
)

PATIENCE: Final = 2.0
"""Seconds in which a runtime has to answer."""

ANSWER_LIMIT: Final = 4 << 20
"""Bytes that an answer may have."""


class Connection(socket.socket):
    """A connection on which all that is read has to come by `deadline`, a time of the monotonic clock; None is no limit.

    A limit for each part alone would let who sends byte after byte keep the reader for ever.
    """

    def __init__(self, deadline: float) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self.deadline: float | None = deadline

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """Read as a socket does, within the time that is left.

        :raises UnknownError: when none is.
        """
        self.settimeout(None if self.deadline is None else remaining(self.deadline))
        return super().recv_into(buffer, size, flags)


def connected(path: str, deadline: float) -> Connection:
    """Return a connection to the socket at `path`; `deadline` is a time of the monotonic clock.

    :raises UnknownError: when nobody listens there, or nobody may ask.
    """
    connection = Connection(deadline)
    connection.settimeout(remaining(deadline))
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise cause_of(error) from None
    return connection


def remaining(deadline: float) -> float:
    """Return the seconds until a deadline.

    :raises UnknownError: when it has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise UnknownError(TIMED_OUT)
    return left


def cause_of(error: OSError) -> UnknownError:
    """Return why a runtime does not tell, by the error that its socket gave."""
    if isinstance(error, TimeoutError | socket.timeout | BlockingIOError):
        return UnknownError(TIMED_OUT)
    if isinstance(error, PermissionError):
        return UnknownError(FORBIDDEN, lasting=True)
    if isinstance(error, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
        return UnknownError(NO_RUNTIME, lasting=True)
    return UnknownError(BROKEN)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a connection that is there already."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__("localhost")
        self.sock = connection


def get_json(path: str, resource: str) -> Any:
    """Return the JSON value that `resource` is at the HTTP server behind the socket at `path`.

    :raises UnknownError: when it is not there, or does not come in time or in a form that can be used.
    """
    deadline = time.monotonic() + PATIENCE
    connection = connected(path, deadline)
    http_connection = UnixConnection(connection)
    try:
        http_connection.request("GET", resource, headers={"Connection": "close"})
        response = http_connection.getresponse()
        body = bytearray()
        while chunk := response.read1(1 << 16):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise UnknownError(BROKEN, lasting=True)
        if response.length:  # what is missing of it
            raise UnknownError(BROKEN)
    except OSError as error:
        raise cause_of(error) from None
    except http.client.HTTPException:
        raise UnknownError(BROKEN) from None
    finally:
        http_connection.close()
        connection.close()
    if response.status == http.client.NOT_FOUND:
        raise UnknownError(NOT_FOUND)
    if response.status != http.client.OK:
        raise UnknownError(BROKEN)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UnknownError(BROKEN) from None
