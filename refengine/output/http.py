"""Alerts by HTTP POST, in the form that Falcosidekick and other receivers of Falco's alerts take."""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from refengine.output.channel import ChannelError, LineRefusedError
from refengine.output.http_settings import HttpOutput
from refengine.priority import Priority

PATIENCE: Final = 5.0
"""Seconds that the receiver may take to accept a connection, or for any part of its answer."""

_REFUSED: Final = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422, 431})
"""Answers that say that this very request is wrong, so that it will be no better next time."""

_ANSWER_LIMIT: Final = 1 << 20
"""Bytes of an answer that are read; a connection whose answer is longer is given up."""


class HttpChannel:
    """A channel that posts each line by itself; the content type is that of JSON or plain text.

    A connection is kept with `keep_alive`, and made anew where the receiver has given it up meanwhile. `echo`
    gets the texts of the answers.

    :raises ChannelError: when the address makes no sense or a certificate cannot be read.
    """

    def __init__(self, settings: HttpOutput, echo: Callable[[str], None] | None = None) -> None:
        address, port = _address(settings.url)
        self._host = address.hostname or ""
        self._port = port
        self._target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        self._context = _context(settings) if address.scheme == "https" else None
        self._settings = settings
        self._echo = echo
        self._connection: http.client.HTTPConnection | None = None
        self._headers = {
            "Content-Type": "application/json" if settings.json else "text/plain",
            "User-Agent": settings.user_agent,
        }
        if settings.compress:
            self._headers["Content-Encoding"] = "gzip"
        if not settings.keep_alive:
            self._headers["Connection"] = "close"

    def write(self, line: str, priority: Priority = Priority.DEBUG) -> None:
        """Post one line."""
        body = line.encode("utf-8", "backslashreplace")
        if self._settings.compress:
            body = gzip.compress(body, 6)
        used_before = self._connection is not None
        try:
            status = self._post(body)
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            if not used_before:
                raise self._failure(error) from None
            # The receiver may have closed a connection that was idle, which shows only when it is used.
            try:
                status = self._post(body)
            except (OSError, http.client.HTTPException) as second:
                self.close()
                raise self._failure(second) from None
        except OSError as error:
            self.close()
            raise self._failure(error) from None
        if status in _REFUSED:
            raise LineRefusedError(f"{self._settings.url} refused an alert with status {status}")
        if not 200 <= status < 300:
            raise ChannelError(f"{self._settings.url} answered with status {status}")

    def ready(self, line: str) -> bool:
        """Return false: networks may take any time."""
        return False

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def _post(self, body: bytes) -> int:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._target, body, self._headers)
        with self._connection.getresponse() as response:
            answer = response.read(_ANSWER_LIMIT)
            if self._echo is not None:
                self._echo(answer.decode("utf-8", "backslashreplace").strip())
            if response.will_close or not response.isclosed():
                self.close()
            return response.status

    def _connect(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)
        return http.client.HTTPSConnection(self._host, self._port, timeout=PATIENCE, context=self._context)

    def _failure(self, error: Exception) -> ChannelError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ChannelError(f"cannot post to {self._settings.url}: {reason}")


def _address(url: str) -> tuple[SplitResult, int | None]:
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as error:
        raise ChannelError(f"'{url}' is no address to post to: {error}") from None
    printable = url.isascii() and url.isprintable() and " " not in url
    if address.scheme not in {"http", "https"} or not address.hostname or not printable:
        raise ChannelError(f"'{url}' is no address to post to: it must begin with http:// or https://")
    return address, port


def _context(settings: HttpOutput) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.authority, capath=settings.authorities)
        if settings.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:
        files = ", ".join(
            str(path)
            for path in (settings.authority, settings.authorities, settings.certificate, settings.key)
            if path is not None
        )
        raise ChannelError(f"cannot use the certificates in {files}: {error.strerror or error}") from None
    return context
