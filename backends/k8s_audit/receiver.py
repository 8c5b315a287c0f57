"""What is answered to who posts audit events."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from refengine.backends.base import Statistics
from refengine.backends.k8s_audit.documents import BROKEN, DocumentError, documents, parse
from refengine.backends.k8s_audit.inbox import Inbox
from refengine.backends.k8s_audit.rate import Rate

BODY_TIME: Final = 30.0
"""Seconds in which the body of a request has to arrive."""

BODIES_LIMIT: Final = 64 << 20
"""Bytes of all the bodies that are being received at a time."""

TOO_LARGE: Final = "requests too large"
TOO_SLOW: Final = "requests too slow"
TOO_MANY: Final = "requests over the rate"
NO_ROOM: Final = "refused for want of room"
CUT_OFF: Final = "requests cut off"
"""The causes under which what is not taken in is counted: in events where they are known, else in requests."""

_RETRY = {"Retry-After": "1"}


class _RefusedError(Exception):
    """A body that is not received to its end."""

    def __init__(self, status: HTTPStatus, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause


class Receiver:
    """Takes the audit events out of requests into an inbox.

    Everything is answered that the API server posts: 200 for what was taken in, 400 for what is no JSON or no audit
    event, 429 or 503 for what may be sent again later. `statistics` counts the events that were received and those
    that were not taken in.
    """

    def __init__(self, path: str, inbox: Inbox, body_limit: int, rate: Rate, statistics: Statistics) -> None:
        self._path = path
        self._inbox = inbox
        self._body_limit = body_limit
        self._rate = rate
        self._statistics = statistics
        self._receiving = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Return the answer to a request."""
        if request.path != self._path:
            return _says(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return _says(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        if "Content-Type" in request.headers and request.content_type != "application/json":
            return _says(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if not self._rate.allows():
            return self._refused(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY)
        try:
            body = await asyncio.wait_for(self._body(request), BODY_TIME)
        except asyncio.TimeoutError:
            return self._refused(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW)
        except _RefusedError as refused:
            return self._refused(refused.status, refused.cause)
        except (HttpProcessingError, web.RequestPayloadError, ConnectionError):
            return self._refused(HTTPStatus.BAD_REQUEST, CUT_OFF)
        return self._take(body)

    async def _body(self, request: web.BaseRequest) -> bytes:
        if (request.content_length or 0) > self._body_limit:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = bytearray()
        try:
            async for chunk in request.content.iter_any():
                body += chunk
                self._receiving += len(chunk)
                if len(body) > self._body_limit:
                    raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
                if self._receiving > BODIES_LIMIT:
                    raise _RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, NO_ROOM)
        finally:
            self._receiving -= len(body)
        return bytes(body)

    def _take(self, body: bytes) -> web.Response:
        try:
            found, faults = documents(parse(body))
        except DocumentError as error:
            self._count(BROKEN, 1)
            return _says(HTTPStatus.BAD_REQUEST, str(error))
        if found:
            if not self._inbox.offer(found, len(body)):
                self._count(NO_ROOM, len(found))
                return _says(HTTPStatus.SERVICE_UNAVAILABLE, headers=_RETRY)
            self._statistics.seen += len(found)
        if faults:
            self._count(BROKEN, len(faults))
            if not found:
                return _says(HTTPStatus.BAD_REQUEST, faults[0])
        return web.Response()

    def _refused(self, status: HTTPStatus, cause: str) -> web.Response:
        self._count(cause, 1)
        retry = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        answer = _says(status, headers=_RETRY if retry else None)
        answer.force_close()  # the rest of the body is of no use
        return answer

    def _count(self, cause: str, number: int) -> None:
        self._statistics.seen += number
        self._statistics.dropped[cause] = self._statistics.dropped.get(cause, 0) + number


def _says(status: HTTPStatus, text: str = "", headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=f"{text or status.phrase}\n", headers=headers)
