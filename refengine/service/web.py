"""A small web server: whether the program is well, which versions it has, and its metrics."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import BoundedSemaphore, Thread, Timer
from typing import Any, Final

from refengine.errors import RefengineError
from refengine.service.metrics import Metric
from refengine.service.prometheus import CONTENT_TYPE, exposition
from refengine.service.web_settings import WebSettings

PATIENCE: Final = 10.0
"""Seconds that a client may take over everything, so that slow ones cannot keep the others out for long."""


class WebServerError(RefengineError):
    """The web server cannot be started; the message says why."""


Page = Callable[[], "tuple[str, str]"]
"""Returns the content type and the text of a page."""


class WebServer:
    """Answers while it is open, in threads of its own.

    :raises WebServerError: when the address is taken or not there, or the certificate cannot be read.
    """

    def __init__(
        self,
        settings: WebSettings,
        versions: Mapping[str, object],
        metrics: Callable[[], Iterable[Metric]],
    ) -> None:
        pages: dict[str, Page] = {
            settings.healthz: lambda: ("application/json", '{"status": "ok"}'),
            "/versions": lambda: ("application/json", json.dumps(versions, sort_keys=True)),
        }
        if settings.metrics:
            pages["/metrics"] = lambda: (CONTENT_TYPE, exposition(metrics()))
        try:
            self._server = _Server(settings, pages)
        except OSError as error:
            place = f"{settings.address}:{settings.port}"
            raise WebServerError(
                f"the web server cannot listen at {place}: {error.strerror or error}"
            ) from None
        self._thread = Thread(target=self._server.serve_forever, args=(0.2,), name="web server", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port at which it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop to answer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, settings: WebSettings, pages: Mapping[str, Page]) -> None:
        self.pages = pages
        self._slots = BoundedSemaphore(settings.threads)
        self._context: ssl.SSLContext | None = None
        if ":" in settings.address:
            self.address_family = socket.AF_INET6
        if settings.certificate is not None:
            self._context = _context(settings.certificate)
        super().__init__((settings.address, settings.port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, if one is left; a client beyond that finds its connection closed."""
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, over TLS where that is wanted: the handshake is done here, so that it holds nobody up."""
        end = Timer(PATIENCE, _shut, (request,))
        end.daemon = True
        end.start()
        try:
            request.settimeout(PATIENCE)
            if self._context is not None:
                request = self._context.wrap_socket(request, server_side=True)
            super().process_request_thread(request, client_address)
        except OSError:
            self.shutdown_request(request)
        finally:
            end.cancel()
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: what a client does wrong is no concern of who reads the program's messages."""


def _shut(request: socket.socket) -> None:
    """End a connection that a thread is still waiting for."""
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate)
    except OSError as error:
        raise WebServerError(f"cannot use the certificate {certificate}: {error.strerror or error}") from None
    return context


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "refengine"
    sys_version = ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            self._answer(404, "text/plain", "not found\n")
        else:
            self._answer(200, *page())

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, content_type: str, text: str) -> None:
        body = text.encode("utf-8", "backslashreplace")
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
