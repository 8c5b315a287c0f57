"""What docker and podman say, and what may come in place of it."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from refengine.state.containers import docker_events, sockets
from refengine.state.containers.docker import DockerRuntime
from refengine.state.containers.docker_events import DockerEvents
from refengine.state.containers.facts import Image, Mount, Pod, image_of
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.runtime import TIMED_OUT, UnknownError

ID = "0123456789abcdef" * 4
IMAGE = "sha256:" + "ab" * 32
CONTAINER: dict[str, Any] = {
    "Id": ID,
    "Name": "/example",
    "Created": "2024-05-06T07:08:00Z",
    "Image": IMAGE,
    "State": {"StartedAt": "2024-05-06T07:08:09.000000005Z"},
    "HostConfig": {"Privileged": True, "PidMode": "host", "NetworkMode": "none", "IpcMode": "private"},
    "Config": {
        "Image": "registry:5000/team/app:1.2",
        "Labels": {
            "app": "web",
            "io.kubernetes.pod.name": "pod",
            "io.kubernetes.pod.namespace": "ns",
            "io.kubernetes.pod.uid": "uid",
            "io.kubernetes.sandbox.id": "sandbox",
        },
        "Healthcheck": {"Test": ["CMD-SHELL", "check it"]},
    },
    "Mounts": [
        {"Type": "bind", "Source": "/etc", "Destination": "/host/etc", "Mode": "ro", "RW": False, "Propagation": "rprivate"},
        {"Source": "/x", "Destination": "/y", "RW": True},
    ],
    "NetworkSettings": {"IPAddress": "", "Networks": {"a": {"IPAddress": ""}, "b": {"IPAddress": "10.1.2.3"}}},
}  # fmt: skip
IMAGE_ANSWER = {
    "RepoTags": ["team/app:1.2"],
    "RepoDigests": ["other@sha256:11", "registry:5000/team/app@sha256:22"],
}


def asked(container: Any = CONTAINER, image: Any = IMAGE_ANSWER) -> Any:
    def get(_path: str, resource: str) -> Any:
        if resource.startswith("/containers/"):
            assert resource == f"/containers/{ID}/json"
            return container
        if isinstance(image, Exception):
            raise image
        assert resource == f"/images/{IMAGE}/json"
        return image

    return DockerRuntime("/socket", "docker", get).ask(ContainerId(ID, "docker", ""))


def test_everything_that_is_said_is_known() -> None:
    facts = asked()
    assert (facts.kind, facts.name, facts.privileged) == ("docker", "example", True)
    assert facts.image == Image(
        "registry:5000/team/app:1.2", "ab" * 32, "registry:5000/team/app", "1.2", "sha256:22"
    )
    assert facts.mounts == (
        Mount("/etc", "/host/etc", "ro", False, "rprivate"),
        Mount("/x", "/y", "", True, ""),
    )
    assert str(facts.mounts[0]) == "/etc:/host/etc:ro:false:rprivate"
    assert facts.labels["app"] == "web"
    assert facts.started == 1714979289000000005
    assert facts.ip == "10.1.2.3"
    assert (facts.host_pid, facts.host_network, facts.host_ipc) == (True, False, False)
    assert facts.health_check == ("/bin/sh", "-c", "check it")
    assert facts.pod == Pod("pod", "ns", "uid", "sandbox")


def test_an_image_that_was_asked_for_by_its_id_has_its_first_name() -> None:
    container = {**CONTAINER, "Config": {"Image": IMAGE}}
    assert asked(container).image.name == "team/app:1.2"
    assert asked(container).image.digest == "sha256:11"
    assert asked({**CONTAINER, "Config": {"Image": "ab" * 8}}).image.tag == "1.2"
    removed = asked(container, UnknownError("not found"))
    assert removed.image.id == "ab" * 32
    assert removed.pod is None


@pytest.mark.parametrize(
    ("name", "repository", "tag", "digest"),
    [
        ("nginx", "nginx", "latest", ""),
        ("nginx:1.2", "nginx", "1.2", ""),
        ("host:5000/a/b", "host:5000/a/b", "latest", ""),
        ("host:5000/a/b:v", "host:5000/a/b", "v", ""),
        ("a/b@sha256:00", "a/b", "", "sha256:00"),
        ("a/b:v@sha256:00", "a/b", "v", "sha256:00"),
    ],
)
def test_names_of_images(name: str, repository: str, tag: str, digest: str) -> None:
    assert image_of(name) == Image(name, "", repository, tag, digest)


@pytest.mark.parametrize(
    "answer",
    [
        None, [], 7, "x", {}, {"Id": "other"}, {"Id": 7},
    ],
)  # fmt: skip
def test_an_answer_about_something_else_is_no_answer(answer: Any) -> None:
    with pytest.raises(UnknownError, match="broken answer"):
        asked(answer)


def test_parts_of_other_types_are_left_out() -> None:
    wrong = dict.fromkeys(CONTAINER, 7) | {"Id": ID}
    facts = asked(wrong, 7)
    assert (facts.name, facts.image.id, facts.mounts, facts.started, facts.pod) == ("", "", (), None, None)
    deeper = {**CONTAINER, "Mounts": [7, None, {"Source": 7}], "Config": {"Labels": {"a": 7, "b": "c"}}}
    facts = asked(deeper, {"RepoTags": [7], "RepoDigests": ["x"]})
    assert facts.labels == {"b": "c"}
    assert len(facts.mounts) == 3


Answer = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(path: Path, answer: Answer, *, read_first: bool = True) -> Iterator[str]:
    """Have whoever connects answered by `answer`, in a thread each, once the request has been read."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        listening.settimeout(60)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                connection.settimeout(60)
                if read_first:
                    connection.recv(65536)
                answer(connection)

        Thread(target=serve, daemon=True).start()
        yield str(path)
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def says(status: str, body: bytes, length: int | None = None) -> Answer:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


def hangs(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass  # until the other side gives up


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.05)


def drips_headers(connection: socket.socket) -> None:
    for part in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
        connection.sendall(bytes([part]))
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (says("404 Not Found", b"{}"), "not found"),
        (says("500 Oops", b"{}"), "broken answer"),
        (says("200 OK", b"{"), "broken answer"),
        (says("200 OK", b"[" * 100_000), "broken answer"),
        (says("200 OK", b"{}", 1000), "broken answer"),
        (says("200 OK", b" " * 100_000), "broken answer"),
        (lambda connection: connection.sendall(b"nonsense\r\n\r\n"), "broken answer"),
        (lambda connection: None, "broken answer"),
        (hangs, "no answer in time"),
        (drips, "no answer in time"),
        (drips_headers, "no answer in time"),
    ],
)
def test_servers_that_do_not_answer_as_they_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, cause: str
) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 0.3 if cause == TIMED_OUT else 60.0)
    monkeypatch.setattr(sockets, "ANSWER_LIMIT", 50_000)
    began = time.monotonic()
    with server(tmp_path / "socket", answer) as path, pytest.raises(UnknownError, match=cause):
        sockets.get_json(path, "/x")
    assert time.monotonic() - began < 30


def test_sockets_that_nobody_listens_at(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "none" / "deeper"):
        with pytest.raises(UnknownError, match="no runtime") as raised:
            sockets.get_json(str(path), "/x")
        assert raised.value.lasting
    with server(tmp_path / "left", lambda _: None):
        pass
    with pytest.raises(UnknownError, match="no runtime"):
        sockets.get_json(str(tmp_path / "left"), "/x")


def test_containers_are_heard_of_as_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sockets, docker_events):
        monkeypatch.setattr(module, "PATIENCE", 60.0)

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for id in ("b", "c"):
            line = json.dumps({"Type": "container", "Action": "create", "Actor": {"ID": id}}).encode() + b"\n"
            for part in (line[:10], line[10:]):
                connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.recv(10)

    def either(connection: socket.socket) -> None:
        if not first:
            first.append(True)
            answer(connection)
        else:
            says("200 OK", json.dumps([{"Id": "a"}, {"Id": 7}, 7]).encode())(connection)

    first: list[bool] = []
    found: list[str] = []
    with server(tmp_path / "socket", either):
        events = DockerEvents(str(tmp_path / "sock*"), found.append)
        events.start()
        deadline = time.monotonic() + 60
        while len(found) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        events.close()
        events.join(60)
    assert found == ["a", "b", "c"]
    assert not events.is_alive()
