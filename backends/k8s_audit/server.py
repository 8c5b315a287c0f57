"""The thread that listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread
from typing import Final

from aiohttp import web

from refengine.backends.k8s_audit.endpoint import Endpoint
from refengine.errors import BackendError

CONNECTIONS_LIMIT: Final = 256
"""Connections at a time."""

FIRST_REQUEST_TIME: Final = 10.0
"""Seconds in which a new connection has to send the head of its first request, encryption agreed on before."""

NEXT_REQUEST_TIME: Final = 120.0
"""Seconds in which a connection has to send its next request; API servers keep theirs for a minute and a half."""

_START_TIME = 30.0
_STOP_TIME = 5.0

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Guarded(web.Server):
    """A server that has a limited number of connections, none of which may wait long with its first request.

    Where there is one too many, the one is closed that has been without a request for longest: who holds
    connections and says nothing keeps nobody else out.
    """

    def __init__(self, answer: Answer, connections: int, patience: float) -> None:
        super().__init__(
            self._heard,
            access_log=None,
            logger=_quiet_logger(),
            keepalive_timeout=NEXT_REQUEST_TIME,
        )
        self._answer = answer
        self._limit = connections
        self._patience = patience
        self._timers: dict[object, asyncio.TimerHandle] = {}
        self._new: dict[object, asyncio.Transport] = {}
        self._used: dict[object, asyncio.Transport] = {}
        """The connections without and with an answered request, those first that have been so for longest."""
        self.refused = 0
        self.given_up = 0

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._new) + len(self._used) >= self._limit:
            self.refused += 1
            among = self._new or self._used
            among.pop(next(iter(among))).abort()
        self._new[handler] = transport
        loop = asyncio.get_running_loop()
        self._timers[handler] = loop.call_later(self._patience, self._give_up, handler)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._stop_waiting(handler)
        self._new.pop(handler, None)
        self._used.pop(handler, None)
        super().connection_lost(handler, exc)

    async def _heard(self, request: web.BaseRequest) -> web.StreamResponse:
        handler = request.protocol
        self._stop_waiting(handler)
        answer = await self._answer(request)
        transport = self._new.pop(handler, None) or self._used.pop(handler, None)
        if transport is not None:
            self._used[handler] = transport
        return answer

    def _give_up(self, handler: object) -> None:
        self._timers.pop(handler, None)
        transport = self._new.pop(handler, None)
        if transport is not None:
            self.given_up += 1
            transport.abort()

    def _stop_waiting(self, handler: object) -> None:
        timer = self._timers.pop(handler, None)
        if timer is not None:
            timer.cancel()


class Server:
    """Listens at an endpoint in a thread of its own, and has `answer` answer each request there."""

    def __init__(self, endpoint: Endpoint, answer: Answer) -> None:
        self._endpoint = endpoint
        self._answer = answer
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._guarded: _Guarded | None = None
        self._thread: Thread | None = None
        self.port = 0
        """The port that is listened at, once that is so."""

    def start(self) -> None:
        """Return when the server listens.

        :raises BackendError: when it cannot.
        """
        listening: Future[int] = Future()
        self._thread = Thread(target=self._run, args=(listening,), name="k8s_audit", daemon=True)
        self._thread.start()
        try:
            self.port = listening.result(_START_TIME)
        except OSError as error:
            where = f"{self._endpoint.host or '*'}:{self._endpoint.port}"
            raise BackendError(f"cannot listen at {where}: {error.strerror or error}") from None

    def stop(self) -> None:
        """Close every connection and return when the thread has ended; nothing happens where it has not begun."""
        if self._thread is None:
            return
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_TIME)
        self._thread = None

    @property
    def refused(self) -> tuple[int, int]:
        """How many connections were closed as there were too many, and as no request came."""
        return (0, 0) if self._guarded is None else (self._guarded.refused, self._guarded.given_up)

    def _run(self, listening: Future[int]) -> None:
        try:
            asyncio.run(self._serve(listening))
        except BaseException as error:
            if listening.done():
                raise
            listening.set_exception(error)

    async def _serve(self, listening: Future[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._guarded = _Guarded(self._answer, CONNECTIONS_LIMIT, FIRST_REQUEST_TIME)
        tls = self._endpoint.tls
        handshake = None if tls is None else FIRST_REQUEST_TIME
        server = await self._loop.create_server(
            self._guarded, self._endpoint.host, self._endpoint.port, ssl=tls, ssl_handshake_timeout=handshake
        )
        listening.set_result(server.sockets[0].getsockname()[1])
        await self._stop.wait()
        server.close()
        await self._guarded.shutdown(timeout=1.0)


def _quiet_logger() -> logging.Logger:
    """Return a logger that keeps what clients do wrong to itself, since it is counted and answered."""
    logger = logging.getLogger("refengine.k8s_audit")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
