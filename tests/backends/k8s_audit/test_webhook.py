"""Audit events that are posted over real connections of this machine."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from refengine.backends.target import Address
from refengine.errors import BackendError
from tests.backends.k8s_audit.audit import EVERYTHING, audit, listed

pytest.importorskip("aiohttp", reason="aiohttp is not installed")

from refengine.backends.k8s_audit import receiver, server
from refengine.backends.k8s_audit.webhook import WebhookBackend

CERTIFICATES = Path(__file__).with_name("certificates")
URL = "http://127.0.0.1:0/k8s-audit"
Start = Callable[..., WebhookBackend]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[WebhookBackend] = []

    def begin(url: str = URL, *, events: int = 1000, size: int = 1 << 20, **how: Any) -> WebhookBackend:
        backend = WebhookBackend(Address(url, **how), events=events, size=size)
        started.append(backend)
        backend.open(EVERYTHING)
        return backend

    yield begin
    for backend in started:
        backend.close()
        backend.close()


def post(
    backend: WebhookBackend,
    body: Any,
    path: str = "/k8s-audit",
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=60)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, headers or {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def ids(backend: WebhookBackend, timeout: float = 60) -> list[str]:
    return [event.document["auditID"] for event in backend.read(timeout)]  # type: ignore[attr-defined]


def test_single_events_and_lists_arrive_in_order_with_their_numbers(start: Start) -> None:
    backend = start()
    assert post(backend, listed(audit(1), audit(2))).status == 200
    assert post(backend, audit(3), headers={}).status == 200
    first, second = backend.read(60), backend.read(60)
    assert [event.number for event in (*first, *second)] == [1, 2, 3]
    assert backend.read(0.01) == []
    assert (backend.statistics().seen, backend.statistics().delivered) == (3, 3)
    assert backend.statistics().dropped == {}
    assert backend.warnings == ()


def test_one_connection_may_post_often(start: Start) -> None:
    backend = start()
    connection = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=60)
    for number in range(20):
        connection.request("POST", "/k8s-audit", json.dumps(audit(number)))
        assert connection.getresponse().read() == b""
    connection.close()
    assert [ids(backend)[0] for _ in range(20)] == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        (audit(1), {"path": "/"}, 404),
        (audit(1), {"path": "/k8s-audit/x"}, 404),
        (b"", {"method": "GET"}, 405),
        (audit(1), {"method": "PUT"}, 405),
        (audit(1), {"headers": {"Content-Type": "text/plain"}}, 415),
        (audit(1), {"headers": {"Content-Type": "application/json; charset=utf-8"}}, 200),
        (b"{", {}, 400),
        (b"", {}, 400),
        (b"[" * 100_000, {}, 400),
        ({"kind": "Pod"}, {}, 400),
        (listed(), {}, 200),
        ([audit(1), {"kind": "Pod"}], {}, 200),
    ],
)
def test_what_is_answered(start: Start, body: Any, options: dict[str, Any], status: int) -> None:
    assert post(start(), body, **options).status == status


def test_broken_texts_are_counted(start: Start) -> None:
    backend = start()
    post(backend, b"{")
    post(backend, [audit(1), 7, 8])
    assert ids(backend) == ["1"]
    assert backend.statistics().dropped == {"no audit events": 3}
    assert backend.statistics().seen == 4


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_the_limit_is_refused(start: Start, chunked: bool) -> None:
    backend = start(body_limit=10_000)
    body = json.dumps(audit(1, filler="x" * 100_000)).encode()
    connection = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=60)
    try:
        connection.request(
            "POST", "/k8s-audit", iter([body[:50_000], body[50_000:]]) if chunked else body, encode_chunked=chunked,
            headers={"Transfer-Encoding": "chunked"} if chunked else {},
        )  # fmt: skip
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has been refused before all of it was sent
    connection.close()
    assert backend.statistics().dropped == {"requests too large": 1}
    assert post(backend, audit(2)).status == 200
    assert ids(backend) == ["2"]


def test_a_compressed_body_counts_by_what_it_becomes(start: Start) -> None:
    backend = start(body_limit=10_000)
    packed = gzip.compress(json.dumps(audit(1, filler="x" * 1_000_000)).encode())
    assert len(packed) < 10_000
    assert post(backend, packed, headers={"Content-Encoding": "gzip"}).status == 413
    assert (
        post(
            backend, gzip.compress(json.dumps(audit(2)).encode()), headers={"Content-Encoding": "gzip"}
        ).status
        == 200
    )
    assert ids(backend) == ["2"]


def test_where_there_is_no_room_the_sender_is_asked_to_come_again(start: Start) -> None:
    backend = start(events=3)
    assert post(backend, listed(audit(1), audit(2))).status == 200
    refused = post(backend, listed(audit(3), audit(4)))
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert backend.statistics().dropped == {"refused for want of room": 2}
    assert ids(backend) == ["1", "2"]
    assert (
        post(backend, listed(*map(audit, range(5)))).status == 200
    )  # too many for the room, but it is empty
    assert len(ids(backend)) == 5


def test_more_requests_than_wanted_are_turned_away(start: Start) -> None:
    backend = start(requests_per_second=0.001)
    answers = [post(backend, audit(number)).status for number in range(6)]
    assert answers == [200, *[429] * 5]
    assert backend.statistics().dropped["requests over the rate"] == 5


def test_a_client_that_sends_no_request_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FIRST_REQUEST_TIME", 0.2)
    backend = start()
    with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as silent:
        silent.sendall(b"POST /k8s-audit HTTP/1.1\r\nHost: ")
        with contextlib.suppress(ConnectionResetError):  # where what was sent had not been read
            assert silent.recv(10) == b""
    assert backend.warnings == ("1 connections were closed, as no request came",)


def test_a_client_that_sends_its_body_slowly_is_given_up(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "BODY_TIME", 0.2)
    backend = start()
    with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as slow:
        slow.sendall(b"POST /k8s-audit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in slow.recv(100)
    assert backend.statistics().dropped == {"requests too slow": 1}


def test_a_client_that_leaves_within_its_body_harms_nobody(start: Start) -> None:
    backend = start()
    with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as leaver:
        leaver.sendall(b"POST /k8s-audit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert post(backend, audit(1)).status == 200
    assert ids(backend) == ["1"]


def test_what_is_no_http_harms_nobody(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    backend = start()
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\x00" * 100_000, b"POST / HTTP/9.9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", backend.port), timeout=60) as client:
            client.sendall(garbage)
    assert post(backend, audit(1)).status == 200
    assert ids(backend) == ["1"]
    assert capfd.readouterr().err == ""


def test_who_holds_connections_keeps_nobody_out(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_LIMIT", 5)
    backend = start()
    faithful = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=60)
    faithful.request("POST", "/k8s-audit", json.dumps(audit(0)))
    faithful.getresponse().read()
    slow = b"POST /k8s-audit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    clients = [socket.create_connection(("127.0.0.1", backend.port), timeout=60) for _ in range(30)]
    for client in clients[::2]:
        with contextlib.suppress(ConnectionError):
            client.sendall(slow)
    for number in range(1, 4):
        assert post(backend, audit(number)).status == 200
    faithful.request("POST", "/k8s-audit", json.dumps(audit(4)))
    assert faithful.getresponse().status == 200
    assert [ids(backend) for _ in range(5)] == [[str(number)] for number in range(5)]
    assert backend.warnings[0].endswith("connections were closed, as there were too many at a time")
    faithful.close()
    for client in clients:
        client.close()


def test_an_address_that_is_taken(start: Start) -> None:
    port = start().port
    with pytest.raises(
        BackendError, match=rf"cannot listen at 127\.0\.0\.1:{port}: .*[Aa]ddress already in use"
    ):
        start(f"http://127.0.0.1:{port}/k8s-audit")


@pytest.mark.parametrize(
    ("url", "how", "fault"),
    [
        ("127.0.0.1:9765", {}, "is no address to listen at"),
        ("http://127.0.0.1/k8s-audit", {}, "is no address to listen at"),
        ("http://127.0.0.1:x/", {}, "is no address to listen at"),
        ("ftp://127.0.0.1:1/", {}, "is no address to listen at"),
        ("https://127.0.0.1:0/", {}, "needs a certificate"),
        ("http://127.0.0.1:0/", {"certificate": Path("x")}, "is not encrypted: write https"),
        ("https://127.0.0.1:0/", {"certificate": Path("/none.pem")}, "cannot be read: No such file"),
        ("https://127.0.0.1:0/", {"certificate": Path(__file__)}, "cannot be used"),
        ("https://127.0.0.1:0/", {"certificate": CERTIFICATES / "authority.pem"}, "cannot be used"),
        (
            "https://127.0.0.1:0/",
            {"certificate": CERTIFICATES / "server.pem", "client_authority": Path(__file__)},
            "cannot be used",
        ),
    ],
)
def test_addresses_that_cannot_be_listened_at(
    start: Start, url: str, how: dict[str, Any], fault: str
) -> None:
    with pytest.raises(BackendError, match=fault):
        start(url, **how)


def secure(backend: WebhookBackend, certificate: Path | None) -> int:
    context = ssl.create_default_context(cafile=CERTIFICATES / "authority.pem")
    if certificate is not None:
        context.load_cert_chain(certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", backend.port, timeout=60, context=context)
    try:
        connection.request("POST", "/k8s-audit", json.dumps(audit(1)))
        return connection.getresponse().status
    finally:
        connection.close()


def test_connections_may_be_encrypted(start: Start) -> None:
    backend = start("https://127.0.0.1:0/k8s-audit", certificate=CERTIFICATES / "server.pem")
    assert secure(backend, None) == 200
    assert ids(backend) == ["1"]
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        post(backend, audit(1))
    assert secure(backend, None) == 200


def test_clients_may_need_a_certificate(start: Start) -> None:
    backend = start(
        "https://127.0.0.1:0/k8s-audit",
        certificate=CERTIFICATES / "server.pem",
        client_authority=CERTIFICATES / "authority.pem",
    )
    assert secure(backend, CERTIFICATES / "client.pem") == 200
    assert ids(backend) == ["1"]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secure(backend, None)
    assert secure(backend, CERTIFICATES / "client.pem") == 200


def test_reading_before_listening_is_refused() -> None:
    with pytest.raises(BackendError, match="has not been listened at"):
        WebhookBackend(Address(URL)).read(0)
