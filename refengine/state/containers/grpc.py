"""One question and its answer by gRPC over the socket of a runtime."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error

from refengine.state.containers.runtime import BROKEN, FORBIDDEN, NOT_FOUND, TIMED_OUT, UnknownError
from refengine.state.containers.sockets import ANSWER_LIMIT, PATIENCE, cause_of, connected, remaining

_PREFIX = struct.Struct(">BI")
"""What stands before a message: whether it is compressed, and its length."""

_NOT_FOUND, _DEADLINE, _DENIED, _UNIMPLEMENTED, _UNAUTHENTICATED = "5", "4", "7", "12", "16"

NOT_SERVED: Final = "not served there"
"""The cause where a runtime answers, but not to such questions."""

_CHUNK = 1 << 16


def call(path: str, method: str, question: bytes, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the answer to `question` by the method called `/package.Service/Method` of the server at `path`.

    :raises UnknownError: when there is none, or it does not come in time or in a form that can be used.
    """
    deadline = time.monotonic() + PATIENCE
    connection = connected(path, deadline)
    try:
        return _Call(connection, deadline).answer(method, question, metadata or {})
    except OSError as error:
        raise cause_of(error) from None
    except H2Error:
        raise UnknownError(BROKEN) from None
    finally:
        connection.close()


class _Call:
    """A connection that is used for one call."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket = connection
        self._deadline = deadline
        self._http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._ended = False

    def answer(self, method: str, question: bytes, metadata: Mapping[str, str]) -> bytes:
        http = self._http
        http.initiate_connection()
        stream = http.get_next_available_stream_id()
        http.send_headers(
            stream,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", method),
                (":authority", "localhost"),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
                *metadata.items(),
            ],
        )
        http.send_data(stream, _PREFIX.pack(0, len(question)) + question, end_stream=True)
        self._socket.sendall(http.data_to_send())
        while not self._ended:
            self._socket.settimeout(remaining(self._deadline))
            data = self._socket.recv(_CHUNK)
            if not data:
                raise UnknownError(BROKEN)
            for event in http.receive_data(data):
                self._take(event)
            if not self._ended:
                self._socket.sendall(http.data_to_send())
        return self._message()

    def _take(self, event: Event) -> None:
        if isinstance(event, ResponseReceived | TrailersReceived):
            for name, value in event.headers or ():
                self._headers[str(name)] = str(value)
        elif isinstance(event, DataReceived):
            self._body += event.data or b""
            if len(self._body) > ANSWER_LIMIT:
                raise UnknownError(BROKEN, lasting=True)
            assert event.stream_id is not None
            self._http.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif isinstance(event, StreamEnded):
            self._ended = True
        elif isinstance(event, StreamReset | ConnectionTerminated):
            raise UnknownError(BROKEN)

    def _message(self) -> bytes:
        status = self._headers.get("grpc-status")
        if status != "0":
            raise _failure(status)
        if len(self._body) < _PREFIX.size:
            raise UnknownError(BROKEN)
        compressed, size = _PREFIX.unpack_from(self._body)
        message = bytes(self._body[_PREFIX.size : _PREFIX.size + size])
        if compressed or len(message) < size:
            raise UnknownError(BROKEN)
        return message


def _failure(status: str | None) -> UnknownError:
    if status == _NOT_FOUND:
        return UnknownError(NOT_FOUND)
    if status == _DEADLINE:
        return UnknownError(TIMED_OUT)
    if status in (_DENIED, _UNAUTHENTICATED):
        return UnknownError(FORBIDDEN, lasting=True)
    if status == _UNIMPLEMENTED:
        return UnknownError(NOT_SERVED, lasting=True)
    return UnknownError(BROKEN)
