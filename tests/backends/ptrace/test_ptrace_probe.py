"""Sockets as the probe sees them; the process looked at is this one, which the kernel lets us borrow from."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from refengine.backends.ptrace import sockets
from refengine.backends.ptrace.probe import TraceeProbe
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress
from refengine.state.descriptors import Descriptor


@pytest.fixture
def probe() -> TraceeProbe:
    return TraceeProbe()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made


def look(probe: TraceeProbe, number: int, known: Descriptor | None = None) -> Descriptor:
    found = probe.descriptor(os.getpid(), number, known)
    assert found is not None
    assert found.ino == os.fstat(number).st_ino
    return found


@pytest.mark.parametrize(
    ("family", "kind", "type", "protocol"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "4", "tcp"),
        (socket.AF_INET, socket.SOCK_DGRAM, "4", "udp"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "u", None),
        (socket.AF_NETLINK, socket.SOCK_RAW, "n", None),
    ],
)
def test_a_socket_that_no_table_has(
    probe: TraceeProbe, family: int, kind: int, type: str, protocol: str | None
) -> None:
    with socket.socket(family, kind) as made:
        found = look(probe, made.fileno())
        assert (found.type, found.protocol, found.role) == (type, protocol, None)


def test_both_ends_of_a_connection(probe: TraceeProbe, listener: socket.socket) -> None:
    home = socket.inet_aton("127.0.0.1")
    port = listener.getsockname()[1]
    waiting = look(probe, listener.fileno())
    assert (waiting.role, waiting.listening) == ("server", InetAddress(home, port))
    with socket.create_connection(("127.0.0.1", port)) as client:
        seen = look(probe, client.fileno())
        ends = {InetAddress(home, port), InetAddress(home, client.getsockname()[1])}
        assert isinstance(seen.tuple, InetTuple)
        assert {seen.tuple.source, seen.tuple.destination} == ends
        assert seen.connected
        told = Descriptor("4", role="server", ino=seen.ino)
        assert look(probe, client.fileno(), told).role == "server"
        named = Descriptor("4", "as an event named it", role="client", ino=seen.ino)
        assert look(probe, client.fileno(), named) is named


def test_where_borrowing_is_refused_the_tables_are_searched(
    probe: TraceeProbe, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "borrow_descriptor", lambda process, number: None)
    assert look(probe, listener.fileno()).protocol == "tcp"


def test_a_local_socket_is_found_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "borrow_descriptor", lambda process, number: None)
    tracee_sockets = sockets.TraceeSockets()
    with ExitStack() as opened:
        # Their rows take several pages, of which the kernel gives one at a time.
        for number in range(200):
            name = f"\0{os.getpid()}-{number}-{'x' * 60}"
            bound = opened.enter_context(socket.socket(socket.AF_UNIX))
            bound.bind(name)
            assert tracee_sockets.ends(os.getpid(), bound.fileno()).local == UnixAddress(name)


def test_files_are_no_sockets(probe: TraceeProbe, tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        found = look(probe, file.fileno())
        assert (found.type, found.name) == ("f", os.fspath(tmp_path / "file"))
    assert probe.descriptor(os.getpid(), 999_999) is None
