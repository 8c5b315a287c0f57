"""The program as a service, in a process of its own: it listens for audit events, and needs no privileges."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.addresses import HOST, own_port

pytest.importorskip("aiohttp", reason="needs aiohttp to receive audit events")

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

RULE = """
- rule: {name}
  desc: Somebody creates something
  condition: ka.verb = create
  output: created by %ka.user.name ({name})
  priority: WARNING
  source: k8s_audit
  tags: [k8s]
"""
EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "auditID": "1",
    "stage": "ResponseComplete",
    "verb": "create",
    "requestURI": "/api/v1/namespaces/default/configmaps",
    "user": {"username": "eve"},
    "objectRef": {"resource": "configmaps", "namespace": "default", "name": "x"},
    "requestReceivedTimestamp": "2024-01-01T00:00:00.000000Z",
    "stageTimestamp": "2024-01-01T00:00:00.000001Z",
}


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    limit = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


def replace(file: Path, text: str) -> None:
    """Give a file another text at once: one that is written in place is for a moment empty, and may be loaded then."""
    beside = file.with_name(f"{file.name}.new")
    beside.write_text(text)
    beside.replace(file)


class Receiver(ThreadingHTTPServer):
    """Keeps the alerts that it is sent, unless it is told to fail."""

    daemon_threads = True
    status = 200

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.alerts.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Service:
    """A running program with a configuration file."""

    def __init__(self, folder: Path, more: str = "", **environment: str) -> None:
        self.rules = folder / "rules.yaml"
        self.write_rules("First")
        self.web, self.audit = own_port(), own_port()
        self.configuration = folder / "falco.yaml"
        self.configuration.write_text(
            f"""
rules_files: [{self.rules}]
watch_config_files: true
json_output: true
webserver:
  enabled: true
  listen_address: {HOST}
  listen_port: {self.web}
  prometheus_metrics_enabled: true
metrics:
  enabled: true
  interval: 100ms
  output_file: {folder}/metrics.jsonl
{more}"""
        )
        self.said = folder / "stderr"
        with self.said.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "refengine", "-c", str(self.configuration),
                 "--listen", f"http://{HOST}:{self.audit}/k8s-audit", "-P", str(folder / "pid")],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, **environment},
            )  # fmt: skip
        try:
            until(lambda: self.get("/healthz"))
        except BaseException:
            self.process.kill()
            raise

    def write_rules(self, name: str) -> None:
        replace(self.rules, RULE.format(name=name))

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection(HOST, self.web, timeout=60)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except OSError:
            assert self.process.poll() is None, self.said.read_text()
            return ""
        finally:
            connection.close()

    def post(self, times: int = 1) -> None:
        connection = http.client.HTTPConnection(HOST, self.audit, timeout=60)
        for _ in range(times):
            connection.request("POST", "/k8s-audit", json.dumps(EVENT), {"Content-Type": "application/json"})
            assert connection.getresponse().read() is not None
        connection.close()

    def tells(self, part: str) -> bool:
        return part in self.said.read_text()

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.said.read_text()
        return out

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def test_a_life(tmp_path: Path, receiver: Receiver) -> None:
    http_output = f"http_output: {{enabled: true, keep_alive: true, url: 'http://127.0.0.1:{receiver.server_address[1]}/'}}"
    with Service(tmp_path, http_output) as service:
        service.post()
        until(lambda: receiver.alerts)
        assert receiver.alerts[0]["rule"] == "First"
        assert receiver.alerts[0]["output_fields"]["ka.user.name"] == "eve"
        # A file that changes is loaded, without anybody asking.
        service.write_rules("Second")
        until(lambda: service.tells("reloaded: 1 rules are enabled"))
        service.post()
        until(lambda: len(receiver.alerts) == 2)
        assert receiver.alerts[1]["rule"] == "Second"
        # One that is wrong is not.
        os.kill(service.process.pid, signal.SIGSTOP)  # else it might find the change before it is told of it
        replace(service.rules, "- rule: [")
        os.kill(service.process.pid, signal.SIGHUP)
        os.kill(service.process.pid, signal.SIGCONT)
        until(lambda: service.tells("reload refused, what was loaded before stays"))
        until(lambda: len(receiver.alerts) == 3)
        assert receiver.alerts[2]["rule"] == "Falco internal: hot restart failure"
        assert (receiver.alerts[2]["source"], receiver.alerts[2]["priority"]) == ("internal", "Critical")

        # Who looks at the files has seen this change, too, and does not tell of it again: it has looked twice by now.
        def looks() -> int:
            return len((tmp_path / "metrics.jsonl").read_text().splitlines())

        before = looks()
        until(lambda: looks() >= before + 25)
        service.post()
        until(lambda: len(receiver.alerts) == 4)
        assert receiver.alerts[3]["rule"] == "Second"
        # What has arrived counts as written once that has been answered.
        until(lambda: 'refengine_output_written_total{output="http"} 4' in service.get("/metrics"))
        text = service.get("/metrics")
        assert (
            'falcosecurity_falco_rules_matches_total{priority="4",rule_name="Second",source="k8s_audit",tag_k8s="true"} 2'
            in text
        )
        assert 'refengine_reloads_total{result="done"} 1' in text
        assert 'falcosecurity_scap_engine_name_info{engine_name="k8s_audit",evt_source="k8s_audit"} 1' in text
        assert json.loads(service.get("/versions"))["engine_version_semver"]
        until(lambda: (tmp_path / "metrics.jsonl").exists() and (tmp_path / "metrics.jsonl").read_text())
        assert int((tmp_path / "pid").read_text()) == service.process.pid
        lines = service.end().splitlines()
    rules = [json.loads(line)["rule"] for line in lines]
    assert rules == ["First", "Second", "Falco internal: hot restart failure", "Second"]
    assert service.tells("Events detected: 3")
    assert not (tmp_path / "pid").exists()


def test_a_sink_that_fails_loses_nothing_while_the_queue_holds(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status = 500
    sinks = (
        f"http_output: {{enabled: true, url: 'http://127.0.0.1:{receiver.server_address[1]}/'}}\n"
        "outputs_queue: {capacity: 20}\n"
    )
    with Service(tmp_path, sinks) as service:
        service.post(20)
        until(lambda: service.tells("answered with status 500; alerts wait until it works again"))
        until(lambda: 'refengine_output_queue_depth{output="http"} 20' in service.get("/metrics"))
        service.post(7)
        until(lambda: "falcosecurity_falco_outputs_queue_num_drops_total 7" in service.get("/metrics"))
        receiver.status = 200
        until(lambda: len(receiver.alerts) == 20)
        service.post()
        until(lambda: len(receiver.alerts) == 21)
        lines = service.end().splitlines()
    assert len(lines) == 28, "the other output has them all"
    assert service.tells("Alerts lost by http output: 7")


def test_dead_sinks_do_not_hold_up_the_others_or_the_end(tmp_path: Path) -> None:
    dead = f"http://{HOST}:{own_port()}/"
    sinks = (
        f"http_output: {{enabled: true, url: '{dead}'}}\n"
        "program_output: {enabled: true, keep_alive: true, program: 'sleep 1000'}\n"
        "file_output: {enabled: true, filename: /dev/full}\n"
    )
    with Service(tmp_path, sinks) as service:
        service.post(5)
        until(lambda: 'refengine_output_written_total{output="stdout"} 5' in service.get("/metrics"))
        assert len(service.end().splitlines()) == 5
    assert service.tells("cannot post to")
    assert service.tells("/dev/full: No space left on device")
    assert service.tells("5 alerts for http could not be written before the end")


def test_the_service_manager_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        heard: list[bytes] = []
        # Somebody listens all the time: there is room for a few words only, and more are lost.
        threading.Thread(
            target=lambda: heard.extend(iter(lambda: manager.recv(1000), b"")), daemon=True
        ).start()
        with Service(tmp_path, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="400000") as service:
            until(lambda: heard.count(b"WATCHDOG=1") >= 3)
            assert heard[0].startswith(b"READY=1\n")
            assert set(heard[1:]) == {b"WATCHDOG=1", b"STATUS=Evaluating 1 rules\nX_COMPLETE=1"}
            heard.clear()
            os.kill(service.process.pid, signal.SIGHUP)
            until(lambda: told(heard) == [b"RELOADING=1", b"READY=1"])
            service.end()
            until(lambda: told(heard) == [b"RELOADING=1", b"READY=1", b"STOPPING=1"])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(path))


def told(heard: Sequence[bytes]) -> list[bytes]:
    """Return the first words of what was heard, without the signs of life."""
    return [first for text in tuple(heard) if (first := text.split(b"\n")[0]) != b"WATCHDOG=1"]


def test_repeated_alerts_are_held_back_and_counted(tmp_path: Path) -> None:
    with Service(tmp_path, "throttling: [{rate: 0, max_burst: 2}]\nlog_json: true\n") as service:
        service.post(5)
        held_back = 'refengine_alerts_held_back_total{rule_name="First"} 3'
        until(lambda: held_back in service.get("/metrics"))
        assert len(service.end().splitlines()) == 2
    assert service.tells("Alerts held back since there were too many like them: 3")


def test_outputs_change_with_the_configuration(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.post()
        text = service.configuration.read_text()
        replace(
            service.configuration,
            f"{text}\nfile_output: {{enabled: true, filename: {tmp_path}/alerts}}\nstdout_output: {{enabled: false}}\n",
        )
        until(lambda: service.tells("reloaded"))
        service.post()
        alerts = tmp_path / "alerts"
        until(lambda: alerts.exists() and alerts.read_text().count("\n") == 1)
        assert len(service.end().splitlines()) == 1


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    file, old = tmp_path / "alerts", tmp_path / "alerts.1"
    with Service(
        tmp_path, f"file_output: {{enabled: true, keep_alive: true, filename: {file}}}\n"
    ) as service:
        service.post()
        until(lambda: file.exists() and file.read_text().count("\n") == 1)
        file.rename(old)
        os.kill(service.process.pid, signal.SIGUSR1)

        def arrived_in_the_new_file() -> bool:
            service.post()
            return file.exists()

        until(arrived_in_the_new_file)
        alerts = len(service.end().splitlines())
    assert old.read_text().count("\n") + file.read_text().count("\n") == alerts
