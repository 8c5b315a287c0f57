"""The choice of backends, and several sources at once."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from refengine.backends.target import Address, Target
from refengine.cli.audit_plugin import plugin_address
from refengine.cli.backends import choose
from refengine.cli.configuration import Configuration, load_configuration
from refengine.cli.document import Document, Node
from refengine.cli.options import parse_options
from refengine.errors import UsageError
from refengine.terminal import Style
from tests.addresses import HOST, own_port
from tests.corpus import corpus
from tests.running import ROOT, completed, running, wait_for

EVENT = {"kind": "Event", "auditID": "1", "verb": "get", "user": {"username": "eve"}}
RULES = """
- rule: Audit
  desc: A request
  condition: ka.user.name = eve
  output: audit %ka.verb
  priority: INFO
  source: k8s_audit
- rule: Started
  desc: A program is started
  condition: evt.type = execve and proc.name = true
  output: started %proc.name
  priority: INFO
"""


def chosen(*arguments: str, configuration: Configuration | None = None) -> list[tuple[str, Target]]:
    options = parse_options(arguments, Style(False))
    return list(choose(options, configuration or Configuration()))


URL = "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--", "true"), [("ptrace", Target(("true",)))]),
        (("--listen", URL), [("k8s_audit", Target(address=Address(URL)))]),
        (("--enable-source", "k8s_audit"), [("k8s_audit", Target())]),
        (("--backend", "k8s_audit"), [("k8s_audit", Target())]),
        (("--enable-source", "k8s_audit", "--enable-source", "syscall"), [("ebpf", Target()), ("k8s_audit", Target())]),
        (("--backend", "ebpf", "--backend", "k8s_audit", "--listen", URL), [("ebpf", Target()), ("k8s_audit", Target(address=Address(URL)))]),
        (("--listen", URL, "--", "true"), [("ptrace", Target(("true",))), ("k8s_audit", Target(address=Address(URL)))]),
        (("--listen", URL, "--max-requests", "2.5"), [("k8s_audit", Target(address=Address(URL, requests_per_second=2.5)))]),
        (("--watch", "/x", "--listen", URL), [("fanotify", Target(watched=(Path("/x"),))), ("k8s_audit", Target(address=Address(URL)))]),
    ],
)  # fmt: skip
def test_backends_share_what_is_given(arguments: tuple[str, ...], expected: list[tuple[str, Target]]) -> None:
    assert chosen(*arguments) == expected


@pytest.mark.parametrize(
    ("content", "backend"),
    [
        (json.dumps(EVENT).encode(), "k8s_audit"),
        (gzip.compress(json.dumps(EVENT).encode(), mtime=0), "k8s_audit"),
        (b'[{"apiVersion":"audit.k8s.io/v1"}]', "k8s_audit"),
        (b'{"evt.type": "open"}', "events"),
        (b"\x0a\x0d\x0d\x0a", "capture"),
        (gzip.compress(b"\x0a\x0d\x0d\x0a", mtime=0), "capture"),
        (gzip.compress(b"{" * 5000, mtime=0)[:-9], "capture"),
    ],
)
def test_recordings_are_known_by_how_they_begin(tmp_path: Path, content: bytes, backend: str) -> None:
    path = tmp_path / "recording"
    path.write_bytes(content)
    assert chosen("-e", str(path)) == [(backend, Target(files=(path,)))]
    both = chosen("-e", str(path), "--listen", URL)
    assert both[0][0] == backend
    assert both[0][1].files == (path,)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "nothing to watch"),
        (("--backend", "ebpf", "--backend", "k8s_audit", "--", "true"), "none of the backends ebpf, k8s_audit takes the command"),
        (("--tls-key", "x", "--", "true"), "certificates go with --listen"),
        (("--max-requests", "9", "--", "true"), "--max-requests goes with --listen"),
        (("--listen", URL, "--max-requests", "0"), "'0' is not a number of requests above zero"),
    ],
)  # fmt: skip
def test_what_nobody_takes_is_an_error(arguments: tuple[str, ...], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        chosen(*arguments)


@pytest.mark.parametrize("switch", ["--enable-source", "--disable-source"])
def test_switching_sources_is_without_effect_on_recordings(tmp_path: Path, switch: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"evt.type": "execve", "proc.name": "true"}\n')
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    for source in ("syscall", "k8s_audit", "nope"):
        done = completed("-r", rules, "-e", path, switch, source)
        assert (done.returncode, "started true" in done.stdout) == (0, True)
    replay = ("-o", "engine.kind=replay", "-o", f"engine.replay.capture_file={path}")
    assert "started true" in completed("-r", rules, *replay, switch, "k8s_audit").stdout


@pytest.mark.parametrize("switch", ["--enable-source", "--disable-source"])
def test_a_source_that_does_not_exist_is_named(tmp_path: Path, switch: str) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    done = completed("-r", rules, switch, "nope", "--", "true")
    assert done.returncode == 1
    assert "unknown event source 'nope': there are k8s_audit, syscall" in done.stderr


@pytest.mark.parametrize("kind", ["foo", "gvisor", "ebpf", "KMOD"])
def test_an_engine_that_does_not_exist_is_named(tmp_path: Path, kind: str) -> None:
    fault = f"'engine.kind' must be one of modern_ebpf, kmod, replay, nodriver, not '{kind}'"
    path = tmp_path / "falco.yaml"
    path.write_text(f"engine: {{kind: {kind}}}\n")
    for arguments in ((path, ()), (None, (f"engine.kind={kind}",))):
        with pytest.raises(UsageError) as caught:
            load_configuration(*arguments)
        assert fault in str(caught.value)


def test_without_a_driver_there_are_the_events_of_others() -> None:
    configuration = load_configuration(None, ["engine.kind=nodriver"])
    audit = ("k8s_audit", Target(address=Address(URL)))
    assert chosen("--listen", URL, configuration=configuration) == [audit]
    assert chosen("--listen", URL, "--", "true", configuration=configuration) == [
        ("ptrace", Target(("true",))),
        audit,
    ]
    for arguments in ((), ("--enable-source", "syscall")):
        with pytest.raises(UsageError, match="nothing to watch: engine kind nodriver is without"):
            chosen(*arguments, configuration=configuration)


def test_a_replay_needs_a_file() -> None:
    configuration = load_configuration(None, ["engine.kind=replay"])
    with pytest.raises(UsageError, match=r"needs 'engine\.replay\.capture_file'"):
        chosen(configuration=configuration)


def test_the_plugin_of_a_falco_configuration_is_the_backend(tmp_path: Path) -> None:
    path = tmp_path / "falco.yaml"
    path.write_text(
        """
load_plugins: [k8saudit, json]
plugins:
  - name: json
    library_path: libjson.so
  - name: k8saudit
    library_path: libk8saudit.so
    init_config:
      webhookMaxBatchSize: 1000
    open_params: "http://:9765/k8s-audit"
"""
    )
    configuration = load_configuration(path)
    address = Address("http://:9765/k8s-audit", body_limit=1000)
    assert configuration.audit_address == address
    assert chosen(configuration=configuration) == [("k8s_audit", Target(address=address))]
    assert chosen("--", "true", configuration=configuration)[1][1].address == address
    assert chosen("--backend", "ptrace", "--", "true", configuration=configuration) == [
        ("ptrace", Target(("true",)))
    ]


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        ({"open_params": "https://:1/x"}, Address("https://:1/x", Path("/etc/falco/falco.pem"))),
        (
            {"open_params": "https://:1/x", "init_config": '{"sslCertificate": "/a.pem", "webhookMaxBatchSize": 5}'},
            Address("https://:1/x", Path("/a.pem"), body_limit=5),
        ),
        ({"open_params": "http://:1/x", "init_config": ""}, Address("http://:1/x")),
        (
            {"open_params": "http://:1/x", "init_config": {"webhookMaxRequestsPerSecond": "50"}},
            Address("http://:1/x", requests_per_second=50),
        ),
    ],
)  # fmt: skip
def test_settings_of_the_plugin(plugin: dict[str, Node], expected: Address) -> None:
    root: dict[str, Node] = {"load_plugins": ["k8saudit"], "plugins": [{"name": "k8saudit", **plugin}]}
    assert plugin_address(Document(root)) == expected
    assert plugin_address(Document({**root, "load_plugins": ["json"]})) is None


@pytest.mark.parametrize(
    ("plugin", "fault"),
    [
        ({}, "must be an address, not ''"),
        ({"open_params": "/var/log/audit"}, "files are read with -e"),
        ({"open_params": "http://:1/", "init_config": "{"}, "is no JSON"),
        ({"open_params": "http://:1/", "init_config": "[1]"}, "must be a mapping"),
        ({"open_params": "http://:1/", "init_config": {"webhookMaxBatchSize": "-5"}}, "above zero, not '-5'"),
        (
            {"open_params": "http://:1/", "init_config": {"webhookMaxRequestsPerSecond": "x"}},
            "requests above zero, not 'x'",
        ),
    ],
)
def test_settings_of_the_plugin_that_make_no_sense(plugin: dict[str, Node], fault: str) -> None:
    root: dict[str, Node] = {"load_plugins": ["k8saudit"], "plugins": [{"name": "k8saudit", **plugin}]}
    with pytest.raises(UsageError, match=fault):
        plugin_address(Document(root))
    with pytest.raises(UsageError, match="which 'plugins' says nothing of"):
        plugin_address(Document({"load_plugins": ["k8saudit"]}))


def test_a_plugin_that_is_not_built_in_is_warned_of_where_it_is_to_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "falco.yaml"
    path.write_text("load_plugins: [cloudtrail, json]\nplugins: [{name: cloudtrail}, {name: github}]\n")
    (warning,) = load_configuration(path).warnings
    assert warning.startswith(
        "the plugin 'cloudtrail' cannot be loaded: built in are container, json, k8saudit"
    )
    assert load_configuration(path, ["load_plugins=[]"]).warnings == ()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@contextlib.contextmanager
def started(rules: Path, *arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = own_port()
    with running("-r", rules, "--listen", f"http://{HOST}:{port}/k8s-audit", *arguments) as run:
        yield run, port


def post(port: int, event: Mapping[str, object] = EVENT) -> None:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        try:
            connection.request("POST", "/k8s-audit", json.dumps(event))
            assert connection.getresponse().status == 200
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()


def test_an_event_that_is_posted_raises_an_alert_at_once(rules: Path) -> None:
    with started(rules) as (run, port):
        post(port)
        assert run.stdout is not None
        assert run.stdout.readline().endswith(": Informational audit get\n")
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 0
    assert "Events seen: 1\n" in out
    assert "the k8s_audit backend has no events of source syscall, so rule 'Started' is not evaluated" in err


def reads_a_config_map(user: str, *groups: str) -> dict[str, object]:
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": user,
        "stage": "ResponseComplete",
        "verb": "get",
        "user": {"username": user, "groups": groups},
        "objectRef": {"resource": "configmaps", "namespace": "prod", "name": "keys"},
        "responseObject": {"kind": "ConfigMap", "metadata": {"labels": {"sensitive": "true"}}},
    }


@pytest.mark.corpus
def test_who_may_not_read_a_sensitive_config_map_raises_an_alert(tmp_path: Path) -> None:
    wiki = corpus("rules/wiki_rules.yaml")
    with started(ROOT / "rules" / "k8s_audit_macros.yaml", "-r", wiki) as (run, port):
        for user, group in (("admin", "x"), ("trusted-user", "x"), ("root", "system:masters"), ("eve", "x")):
            post(port, reads_a_config_map(user, group))
        wait_for(run, "sensitive ConfigMaps detected. (user=eve verb=get namespace=prod)\n")
        run.send_signal(signal.SIGTERM)
        out, _ = run.communicate(timeout=60)
    assert "Events detected: 1\n" in out
    assert "Events seen: 4\n" in out


@pytest.mark.ptrace
def test_a_command_and_what_is_posted_are_watched_at_once_until_the_command_ends(
    rules: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    script = f"/bin/true; while ! test -e {go}; do sleep 0.05; done; exit 5"
    with started(rules, "--", "sh", "-c", script) as (run, port):
        post(port)
        assert run.stdout is not None
        lines = {run.stdout.readline().partition(": ")[2] for _ in range(2)}
        assert lines == {"Informational audit get\n", "Informational started true\n"}
        go.touch()
        out, err = run.communicate(timeout=60)
    assert run.returncode == 5
    assert err == ""
    assert "Events detected: 2\n" in out


@pytest.mark.ptrace
def test_one_that_cannot_start_ends_the_others(rules: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/k8s-audit"
        done = completed("-r", rules, "--listen", url, "--", "sleep", "30")
    assert done.returncode == 1
    assert "Error: cannot listen at 127.0.0.1" in done.stderr


def test_audit_events_are_printed_as_they_came_or_by_what_rules_read(rules: Path, tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(json.dumps(EVENT) + "\n")

    def printed(*arguments: str | Path) -> list[dict[str, object]]:
        done = completed("--print-events", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert printed("-e", log) == [EVENT]
    (line,) = printed("-e", log, "-r", rules)
    assert (line["ka.user.name"], line["ka.verb"], line["evt.source"]) == ("eve", "get", "k8s_audit")
    log.write_text(json.dumps(line) + "\n")
    assert printed("-e", log, "-r", rules) == [
        {**line, "source": "k8s_audit", "time": line["evt.rawtime"], "number": 1}
    ]
