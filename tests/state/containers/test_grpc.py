"""Asking by gRPC, of a server made of the same library, and of servers that are none."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

pytest.importorskip("h2", reason="h2 is not installed")

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from refengine.state.containers import grpc
from refengine.state.containers.containerd import ContainerdRuntime
from refengine.state.containers.containerd_images import image_named
from refengine.state.containers.cri import CriRuntime
from refengine.state.containers.facts import Image, Mount, Pod
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.protobuf import Message, message
from refengine.state.containers.runtime import NOT_FOUND, UnknownError
from tests.state.containers.test_docker import hangs, server

ID = "0123456789abcdef" * 4
Reply = Callable[[H2Connection, int], None]
FIELDS = some.dictionaries(
    some.integers(1, 2**28),
    some.one_of(some.integers(0, 2**64 - 1), some.text(), some.binary(max_size=300)),
)


@given(FIELDS)
def test_messages_are_read_as_they_were_written(fields: dict[int, int | str | bytes]) -> None:
    found = Message(message(fields))
    for number, value in fields.items():
        if isinstance(value, int):
            assert found.number(number) == value
        elif isinstance(value, str):
            assert found.text(number) == value
        else:
            assert found.blob(number) == value


@given(some.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(UnknownError):
        found = Message(data)
        for number in range(20):
            found.number(number)
            found.text(number)
            found.each(number)
            found.texts(number)


def test_fields_that_are_missing_have_the_empty_value() -> None:
    found = Message(message({1: 7, 2: "x"}))
    assert (found.number(2), found.text(1), found.blob(3), found.texts(4), found.each(5)) == (
        0,
        "",
        b"",
        {},
        [],
    )
    assert found.below(9).number(1) == 0
    assert Message(b"\x09" + bytes(8) + b"\x15" + bytes(4)).blob(1) == bytes(8)


def label(key: str, value: str) -> bytes:
    return message({1: key, 2: value})


SANDBOX = message(
    {
        1: message(
            {
                1: "sandbox",
                2: message({1: "pod", 2: "uid", 3: "ns"}),
                4: 5,
                5: message({1: "10.0.0.7"}),
                6: message({1: message({2: message({1: 2, 2: 0, 3: 2})})}),
                7: label("app", "web"),
            }
        )
        + message({}),
        2: label("info", '{"cniResult": {"a": 1}}'),
    }
)
CONTAINER = message(
    {
        1: message(
            {
                1: ID,
                2: message({1: "web"}),
                4: 1,
                5: 1714979289000000005,
                8: message({1: "docker.io/team/app:1.2"}),
                9: "docker.io/team/app@sha256:22",
                12: label("io.kubernetes.pod.name", "pod"),
                14: message({1: "/host/etc", 2: "/etc", 3: 1, 5: 1}),
            }
        ),
        2: label(
            "info",
            '{"sandboxID": "sandbox", "config": {"image": {"image": "sha256:abcd"}, '
            '"linux": {"security_context": {"privileged": true}}}}',
        ),
    }
)


def test_containers_of_kubernetes_with_their_pods() -> None:
    def call(path: str, method: str, question: bytes) -> bytes:
        assert path == "/socket"
        asked = Message(question)
        assert asked.number(2) == 1
        service, name = method[1:].split("/")
        assert service == "runtime.v1.RuntimeService"
        return {"ContainerStatus": {ID: CONTAINER}, "PodSandboxStatus": {"sandbox": SANDBOX}}[name][
            asked.text(1)
        ]

    facts = CriRuntime("/socket", call).ask(ContainerId(ID, "containerd", ""))
    assert (facts.kind, facts.name, facts.privileged) == ("containerd", "web", True)
    assert facts.image == Image("docker.io/team/app:1.2", "abcd", "docker.io/team/app", "1.2", "sha256:22")
    assert facts.mounts == (Mount("/etc", "/host/etc", "", False, "rslave"),)
    assert facts.started == 1714979289000000005
    assert (facts.host_pid, facts.host_network, facts.host_ipc) == (False, True, True)
    assert facts.pod == Pod("pod", "ns", "uid", "sandbox", {"app": "web"}, "10.0.0.7", '{"a":1}')


def test_a_sandbox_is_a_container_of_its_pod_without_a_name() -> None:
    def call(_path: str, method: str, _question: bytes) -> bytes:
        if method.endswith("/ContainerStatus"):
            raise UnknownError(NOT_FOUND)
        return SANDBOX

    facts = CriRuntime("/run/crio/crio.sock", call).ask(ContainerId(ID, "cri-o", ""))
    assert (facts.kind, facts.name) == ("cri-o", "")
    assert facts.pod is not None
    assert facts.pod.name == "pod"


def test_a_container_is_known_though_its_sandbox_is_not() -> None:
    def call(_path: str, method: str, _question: bytes) -> bytes:
        if method.endswith("/PodSandboxStatus"):
            raise UnknownError("no answer in time")
        return CONTAINER

    facts = CriRuntime("/socket", call).ask(ContainerId(ID, "containerd", ""))
    assert (facts.name, facts.pod) == ("web", None)


@pytest.mark.parametrize(
    ("cgroup", "asked"), [("/default/x", ["default"]), (f"/a/nerdctl-{ID}.scope", ["k8s.io", "default"])]
)
def test_containers_of_containerd_are_looked_for_in_namespaces(cgroup: str, asked: list[str]) -> None:
    spec = (
        b'{"mounts": [{"destination": "/d", "source": "/s", "type": "bind", "options": ["rbind", "ro", "rprivate"]}, '
        b'{"type": "proc"}], "linux": {"namespaces": [{"type": "pid"}]}}'
    )
    answer = message(
        {
            1: message(
                {
                    1: "x",
                    2: label("nerdctl/name", "web"),
                    3: "docker.io/a/b:c",
                    5: message({1: "type", 2: spec}),
                    8: message({1: 17, 2: 5}),
                }
            )
        }
    )
    namespaces = []

    def call(_path: str, method: str, question: bytes, metadata: object) -> bytes:
        if not method.endswith(".Containers/Get"):
            raise UnknownError(NOT_FOUND)
        assert Message(question).text(1) == "x"
        assert isinstance(metadata, dict)
        namespaces.append(metadata["containerd-namespace"])
        if metadata["containerd-namespace"] == "default":
            return answer
        raise UnknownError(NOT_FOUND)

    facts = ContainerdRuntime("/socket", call).ask(ContainerId("x", "containerd", cgroup))
    assert namespaces == asked
    assert (facts.name, facts.image.repository, facts.started) == ("web", "docker.io/a/b", 17000000005)
    assert facts.mounts == (Mount("/s", "/d", "rbind,ro,rprivate", False, "rprivate"),)
    assert (facts.host_pid, facts.host_network, facts.privileged) == (False, True, False)


MANIFEST = b'{"config": {"digest": "sha256:c0ffee"}}'


@pytest.mark.parametrize(
    ("contents", "id"),
    [
        ({"sha256:11": MANIFEST}, "c0ffee"),
        (
            {
                "sha256:11": b"""{"manifests": [
                    {"digest": "sha256:22", "platform": {"architecture": "other"}},
                    {"digest": "sha256:33", "platform": {"architecture": "machine"}}
                ]}""",
                "sha256:33": MANIFEST,
            },
            "c0ffee",
        ),
        ({"sha256:11": b"[" * 100_000}, ""),
        ({"sha256:11": b'{"manifests": 1, "config": []}'}, ""),
        ({}, ""),
    ],
    ids=["plain", "for several machines", "no JSON", "another form", "not there"],
)
def test_images_of_containerd_have_the_id_of_their_settings(
    contents: dict[str, bytes], id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "machine")

    def ask(method: str, question: bytes) -> bytes:
        wanted = Message(question).text(1)
        if method.endswith(".Images/Get"):
            assert wanted == "docker.io/a/b:c"
            return message({1: message({1: wanted, 3: message({1: "type", 2: "sha256:11"})})})
        if wanted not in contents:
            raise UnknownError(NOT_FOUND)
        return message({2: contents[wanted]})

    assert image_named("docker.io/a/b:c", ask) == Image(
        "docker.io/a/b:c", id, "docker.io/a/b", "c", "sha256:11"
    )


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc, "PATIENCE", 60.0)


QUESTION = b"question"


def replies(reply: Reply) -> Callable[[socket.socket], None]:
    """Return the server that reads one question and replies to it."""

    def answer(connection: socket.socket) -> None:
        http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        http.initiate_connection()
        connection.sendall(http.data_to_send())
        body = b""
        while True:
            for event in http.receive_data(connection.recv(65536)):
                if isinstance(event, RequestReceived):
                    headers = {str(name): str(value) for name, value in event.headers or ()}
                    assert headers[":path"] == "/package.Service/Method"
                    assert headers["content-type"] == "application/grpc"
                    assert headers["containerd-namespace"] == "ns"
                elif isinstance(event, DataReceived):
                    body += event.data or b""
                elif isinstance(event, StreamEnded):
                    assert body == struct.pack(">BI", 0, len(QUESTION)) + QUESTION
                    assert event.stream_id is not None
                    reply(http, event.stream_id)
                    connection.sendall(http.data_to_send())
                    while connection.recv(65536):
                        pass  # closing with something unread would take the reply back
                    return
            connection.sendall(http.data_to_send())

    return answer


HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


def with_status(status: str, body: bytes = b"") -> Reply:
    def reply(http: H2Connection, stream: int) -> None:
        http.send_headers(stream, HEADERS)
        if body:
            http.send_data(stream, body)
        http.send_headers(stream, [("grpc-status", status)], end_stream=True)

    return reply


def only_trailers(http: H2Connection, stream: int) -> None:
    http.send_headers(stream, [*HEADERS, ("grpc-status", "5"), ("grpc-message", "none")], end_stream=True)


def without_status(http: H2Connection, stream: int) -> None:
    http.send_headers(stream, HEADERS, end_stream=True)


def resets(http: H2Connection, stream: int) -> None:
    http.reset_stream(stream)


def leaves(http: H2Connection, _stream: int) -> None:
    http.close_connection()


def framed(data: bytes, size: int | None = None, compressed: int = 0) -> bytes:
    return struct.pack(">BI", compressed, len(data) if size is None else size) + data


def call(path: str) -> bytes:
    return grpc.call(path, "/package.Service/Method", QUESTION, {"containerd-namespace": "ns"})


def test_a_question_is_answered(tmp_path: Path) -> None:
    with server(tmp_path / "socket", replies(with_status("0", framed(b"answer"))), read_first=False) as path:
        assert call(path) == b"answer"
        assert call(path) == b"answer"


def test_a_long_answer_is_taken_in_parts(tmp_path: Path) -> None:
    def reply(http: H2Connection, stream: int) -> None:
        http.send_headers(stream, HEADERS)
        data = framed(bytes(60_000))
        for at in range(0, len(data), 10_000):
            http.send_data(stream, data[at : at + 10_000])
        http.send_headers(stream, [("grpc-status", "0")], end_stream=True)

    with server(tmp_path / "socket", replies(reply), read_first=False) as path:
        assert call(path) == bytes(60_000)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (with_status("5"), "not found"),
        (only_trailers, "not found"),
        (with_status("4"), "no answer in time"),
        (with_status("7"), "not allowed to ask"),
        (with_status("12"), "not served there"),
        (with_status("2"), "broken answer"),
        (without_status, "broken answer"),
        (resets, "broken answer"),
        (leaves, "broken answer"),
        (with_status("0"), "broken answer"),
        (with_status("0", framed(b"answer", 1000)), "broken answer"),
        (with_status("0", framed(b"answer", compressed=1)), "broken answer"),
        (with_status("0", framed(bytes(15_000))), "broken answer"),
    ],
)
def test_what_is_answered_in_place_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, cause: str
) -> None:
    monkeypatch.setattr(grpc, "ANSWER_LIMIT", 10_000)
    bare = server(tmp_path / "socket", replies(reply), read_first=False)
    with bare as path, pytest.raises(UnknownError, match=cause):
        call(path)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (hangs, "no answer in time"),
        (lambda connection: None, "broken answer"),
        (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "broken answer"),
        (lambda connection: connection.sendall(bytes(1000)), "broken answer"),
    ],
)
def test_servers_that_speak_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[socket.socket], None], cause: str
) -> None:
    if answer is hangs:
        monkeypatch.setattr(grpc, "PATIENCE", 0.3)
    began = time.monotonic()
    with server(tmp_path / "socket", answer) as path, pytest.raises(UnknownError, match=cause):
        call(path)
    assert time.monotonic() - began < 30
