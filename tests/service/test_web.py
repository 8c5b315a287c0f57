from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from refengine.service import web
from refengine.service.metrics import Group, Metric, counter, gauge
from refengine.service.prometheus import exposition
from refengine.service.web import WebServer, WebServerError
from refengine.service.web_settings import WebSettings


def metrics() -> list[Metric]:
    return [
        counter("falcosecurity_falco_rules_matches_total", Group.RULES, "Alerts by rule.",
                [({"rule_name": 'A "quoted" \\ rule', "source": "syscall"}, 3)]),
        gauge("refengine_share", Group.PROGRAM, "A share.", 0.25),
        counter("refengine_empty_total", Group.PROGRAM, "Nothing.", []),
    ]  # fmt: skip


TEXT = r"""# HELP falcosecurity_falco_rules_matches_total Alerts by rule.
# TYPE falcosecurity_falco_rules_matches_total counter
falcosecurity_falco_rules_matches_total{rule_name="A \"quoted\" \\ rule",source="syscall"} 3
# HELP refengine_share A share.
# TYPE refengine_share gauge
refengine_share 0.25
"""


@contextmanager
def serving(**settings: Any) -> Iterator[WebServer]:
    server = WebServer(
        WebSettings(**{"address": "127.0.0.1", "port": 0, "metrics": True, **settings}),
        {"version": "1"},
        metrics,
    )
    try:
        yield server
    finally:
        server.close()


def get(port: int, path: str, method: str = "GET") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def test_the_text_form_of_metrics() -> None:
    assert exposition(metrics()) == TEXT


def test_pages() -> None:
    with serving() as server:
        assert get(server.port, "/healthz") == (200, "application/json", '{"status": "ok"}')
        assert json.loads(get(server.port, "/versions")[2]) == {"version": "1"}
        status, content_type, text = get(server.port, "/metrics?x=1")
        assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert text == TEXT
        assert get(server.port, "/other")[0] == 404
        assert get(server.port, "/healthz", "HEAD")[2] == ""
        assert get(server.port, "/healthz", "POST")[0] == 501


def test_pages_can_be_elsewhere_and_metrics_off() -> None:
    with serving(healthz="/alive", metrics=False) as server:
        assert get(server.port, "/alive")[0] == 200
        assert get(server.port, "/healthz")[0] == 404
        assert get(server.port, "/metrics")[0] == 404


def test_an_address_that_is_taken_is_refused() -> None:
    with serving() as server, pytest.raises(WebServerError, match="cannot listen at"):
        WebServer(WebSettings(address="127.0.0.1", port=server.port), {}, metrics)


def test_slow_clients_cannot_keep_others_out_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.3)
    with serving(threads=2) as server:
        slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
        for client in slow:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
        limit = time.monotonic() + 60
        while True:
            try:
                assert get(server.port, "/healthz")[0] == 200
                break
            except (ConnectionError, http.client.HTTPException):
                assert time.monotonic() < limit
                for client in slow:
                    try:
                        client.send(b"x")  # one byte at a time keeps a connection busy
                    except OSError:
                        continue
                time.sleep(0.05)
        for client in slow:
            client.close()


def test_tls(tmp_path: Path) -> None:
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("needs openssl to make a certificate")
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "cert.pem").read_text())
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with serving(certificate=both) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=context)
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            assert answer.read() == b'{"status": "ok"}'
        connection.close()
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            get(server.port, "/healthz")  # which is answered by the end of the connection
    with pytest.raises(WebServerError, match="cannot use the certificate"):
        WebServer(WebSettings(port=0, certificate=tmp_path / "none.pem"), {}, metrics)
