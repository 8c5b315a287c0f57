"""Alerts by HTTP, to receivers in this process."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from refengine.output.alert import Alert
from refengine.output.channel import ChannelError, LineRefusedError
from refengine.output.formats import LineFormat
from refengine.output.http import HttpChannel
from refengine.output.http_settings import HttpOutput
from refengine.priority import Priority


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent; answers with `status`, and closes each connection after `requests` of them."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[Any] = []
        self.peers: list[Any] = []
        self.status = 200
        self.requests = 1000
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self.left = self.server.requests

    def do_POST(self) -> None:
        server = self.server
        server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        server.headers.append(self.headers)
        server.peers.append(self.client_address)
        self.send_response(server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.left -= 1
        if not self.left:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    server = Receiver()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refengine.output.http.PATIENCE", 60.0)


def channel(url: str, **settings: Any) -> HttpChannel:
    return HttpChannel(HttpOutput(url, **settings))


ALERT = Alert(
    "Terminal shell in container",
    Priority.NOTICE,
    "syscall",
    1_700_000_000_123_456_789,
    7,
    "A shell (user=root)",
    {"user.name": "root", "proc.tty": 34816, "container.id": None},
    ("container", "shell"),
)


def test_the_body_is_what_falcosidekick_documents() -> None:
    with receiving() as server:
        posts = channel(server.url, json=True)
        posts.write(LineFormat(json=True).line(ALERT, "node-1"), Priority.NOTICE)
        posts.close()
    (body,), (headers,) = server.bodies, server.headers
    record = json.loads(body)
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "refengine"
    assert isinstance(record["output"], str)
    assert record["priority"] == "Notice"
    assert record["rule"] == "Terminal shell in container"
    assert record["time"] == "2023-11-14T22:13:20.123456789Z"
    assert record["source"] == "syscall"
    assert record["tags"] == ["container", "shell"]
    assert record["hostname"] == "node-1"
    assert record["output_fields"] == {
        "user.name": "root",
        "proc.tty": 34816,
        "container.id": None,
        "evt.time": 1_700_000_000_123_456_789,
    }


def test_text_is_sent_as_text_and_may_be_packed() -> None:
    with receiving() as server:
        posts = channel(server.url, compress=True, user_agent="me/1")
        posts.write("héllo")
        posts.close()
    assert gzip.decompress(server.bodies[0]).decode() == "héllo"
    headers = server.headers[0]
    assert (headers["Content-Type"], headers["Content-Encoding"]) == ("text/plain", "gzip")
    assert headers["User-Agent"] == "me/1"


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 3)])
def test_a_connection_is_kept_or_not(keep_alive: bool, connections: int) -> None:
    with receiving() as server:
        posts = channel(server.url, keep_alive=keep_alive)
        for _ in range(3):
            posts.write("x")
        posts.close()
    assert len(set(server.peers)) == connections


def test_a_connection_that_the_receiver_gave_up_is_made_anew() -> None:
    with receiving() as server:
        server.requests = 2
        posts = channel(server.url, keep_alive=True)
        for number in range(7):
            posts.write(str(number))
        posts.close()
    assert server.bodies == [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]


@pytest.mark.parametrize(
    ("status", "error"), [(500, ChannelError), (503, ChannelError), (429, ChannelError), (404, ChannelError),
                          (400, LineRefusedError), (413, LineRefusedError)],
)  # fmt: skip
def test_answers_that_may_change_are_told_apart_from_those_that_will_not(
    status: int, error: type[Exception]
) -> None:
    with receiving() as server:
        server.status = status
        posts = channel(server.url)
        with pytest.raises(error, match=str(status)):
            posts.write("x")
        posts.close()


def test_nobody_there_is_an_error_and_no_end() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there, nor can anybody else
        posts = channel(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(ChannelError, match="Connection refused"):
            posts.write("x")


def test_a_receiver_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refengine.output.http.PATIENCE", 0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        posts = channel(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ChannelError, match="timed out"):
            posts.write("x")


def test_answers_are_echoed() -> None:
    answers: list[str] = []
    with receiving() as server:
        posts = HttpChannel(HttpOutput(server.url), answers.append)
        posts.write("x")
        posts.close()
    assert answers == ["ok"]


@pytest.mark.parametrize(
    "url", ["", "example.org", "ftp://example.org", "http://", "http://a b/", "http://h:99999/", "http://é/"]
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ChannelError, match="no address"):
        channel(url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for 127.0.0.1 that it has signed itself."""
    folder = tmp_path_factory.mktemp("certificate")
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("needs openssl to make a certificate")
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


def test_tls_with_certificates_on_both_sides(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    with receiving(context) as server:
        url = server.url.replace("http:", "https:")
        posts = channel(url, authority=certificate, certificate=certificate, key=certificate, keep_alive=True)
        posts.write("a")
        posts.write("b")
        posts.close()
        with pytest.raises(ChannelError, match="certificate"):
            channel(url).write("c")
    assert server.bodies == [b"a", b"b"]


def test_verification_can_be_switched_off(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(context) as server:
        posts = channel(server.url.replace("http:", "https:"), insecure=True)
        posts.write("a")
        posts.close()
    assert server.bodies == [b"a"]


def test_certificates_that_cannot_be_read_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match=r"cannot use the certificates in .*none\.pem"):
        channel("https://localhost", authority=tmp_path / "none.pem")
