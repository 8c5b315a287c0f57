"""Calls on sockets: addresses, both ends of connections, and data."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from refengine.backends.ptrace import sockets
from refengine.backends.syscalls.addresses import parse_address
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.tables.flags import FLAG_TABLES
from tests.backends.ptrace.conftest import Run, Watch

MakePython = Callable[[str], list[str]]

HOME = bytes([127, 0, 0, 1])
HOME6 = bytes(15) + b"\1"

NAMES = [
    "socket",
    "bind",
    "listen",
    "connect",
    "accept",
    "accept4",
    "socketpair",
    "shutdown",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "setsockopt",
    "getsockopt",
]

TCP = """
import socket, os, sys
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
host = "::1" if sys.argv[1] == "6" else "127.0.0.1"
server = socket.socket(family, socket.SOCK_STREAM)
server.bind((host, 0)); server.listen(5)
client = socket.socket(family, socket.SOCK_STREAM)
client.connect(server.getsockname())
peer, _ = server.accept()
print(server.getsockname()[1], client.getsockname()[1], client.fileno(), peer.fileno(), flush=True)
client.send(b"GET / HTTP/1.1"); peer.recv(100)
peer.sendmsg([b"one", b"two"]); client.recvmsg(100)
client.shutdown(socket.SHUT_WR)
"""


def printed(capfd: pytest.CaptureFixture[str]) -> list[int]:
    return [int(word) for word in capfd.readouterr().out.split()]


@pytest.fixture(params=["borrowed descriptor", "tables in /proc"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the ends of a socket."""
    if request.param == "tables in /proc":
        monkeypatch.setattr(sockets, "borrow_descriptor", lambda process, number: None)
    return str(request.param)


@pytest.mark.parametrize("family", ["4", "6"])
def test_tcp(
    watch: Watch, python_program: MakePython, capfd: pytest.CaptureFixture[str], family: str, way: str
) -> None:
    if family == "6":
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError as error:
                pytest.skip(f"no IPv6 here: {error}")
    run = watch([*python_program(TCP), family], *NAMES)
    server_port, client_port, client_fd, peer_fd = printed(capfd)
    home = HOME6 if family == "6" else HOME
    client, server = InetAddress(home, client_port), InetAddress(home, server_port)
    both = InetTuple(client, server)

    domain = FLAG_TABLES["socket_families"]["AF_INET6" if family == "6" else "AF_INET"]
    made = run.only("socket", fd=client_fd)
    assert made.params[1:] == [domain, 1 | 0o2000000, 0, FLAG_TABLES["file_flags"]["O_CLOEXEC"]]
    assert run.only("bind").params[:2] == [0, InetAddress(home, 0)]
    assert run.only("listen").params[2] == 5
    assert run.only("connect").params == [0, both, client_fd, server]
    assert run.only("accept4").params == [peer_fd, both, None, None, None, 0o2000000]
    assert run.only("sendto").params == [14, b"GET / HTTP/1.1", client_fd, 14, None]
    assert run.only("recvfrom").params == [14, b"GET / HTTP/1.1", both, peer_fd, 100]
    assert run.only("sendmsg").params == [6, b"onetwo", peer_fd, 6, None]
    assert run.only("recvmsg").params == [6, 100, b"onetwo", InetTuple(server, client), None, client_fd]
    assert run.only("shutdown").params == [0, client_fd, FLAG_TABLES["shutdown_how"]["SHUT_WR"]]


def test_udp(watch: Watch, python_program: MakePython, capfd: pytest.CaptureFixture[str]) -> None:
    program = """
import socket
one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
one.bind(("127.0.0.1", 0)); two.bind(("127.0.0.1", 0))
print(one.getsockname()[1], two.getsockname()[1], flush=True)
one.sendto(b"x" * 200, two.getsockname())
two.recvfrom(500)
"""
    run = watch(python_program(program), *NAMES, snap_length=100)
    first, second = (InetAddress(HOME, port) for port in printed(capfd))
    both = InetTuple(first, second)
    assert run.only("sendto").params == [200, b"x" * 100, run.only("sendto").param("fd"), 200, both]
    assert run.only("recvfrom").param("tuple") == both
    assert run.only("recvfrom").param("data") == b"x" * 100


def test_refused_and_unfinished_connections(watch: Watch, python_program: MakePython) -> None:
    program = """
import socket
s = socket.socket(); s.connect_ex(("127.0.0.1", 9))
t = socket.socket(); t.setblocking(False); t.connect_ex(("127.0.0.1", 9))
u = socket.socket(); u.connect_ex(("127.0.0.1", 9)) if False else None
"""
    run = watch(python_program(program), "connect")
    refused, unfinished = run.named("connect")
    target = InetAddress(HOME, 9)
    for event, result in ((refused, -111), (unfinished, -115)):
        assert event.param("res") in (result, -111)
        assert event.param("addr") == target
        pair = event.param("tuple")
        assert isinstance(pair, InetTuple)
        assert pair.destination == target


def unix_run(watch: Watch, python_program: MakePython, path: str) -> Run:
    program = f"""
import socket
path = {path!r}
server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen(1)
client = socket.socket(socket.AF_UNIX); client.connect(path)
server.accept()
missing = socket.socket(socket.AF_UNIX); missing.connect_ex("/no/such/socket")
socket.socketpair()
"""
    return watch(python_program(program), *NAMES)


def test_local_sockets(watch: Watch, python_program: MakePython, tmp_path: Path, way: str) -> None:
    path = os.fspath(tmp_path / "s")
    run = unix_run(watch, python_program, path)
    assert run.only("bind").param("addr") == UnixAddress(path)
    done = run.only("connect", res=0)
    assert done.param("addr") == UnixAddress(path)
    assert done.param("tuple") == UnixTuple(0, 0, path)
    assert run.only("accept4").param("tuple") == UnixTuple(0, 0, path)
    assert run.only("connect", res=-2).param("tuple") == UnixTuple(0, 0, "/no/such/socket")
    pair = run.only("socketpair")
    assert isinstance(pair.param("fd1"), int)
    assert pair.params[3:6] == [0, 0, 1]


def test_an_abstract_local_socket(watch: Watch, python_program: MakePython) -> None:
    name = f"\0refengine-{os.getpid()}"
    run = unix_run(watch, python_program, name)
    assert run.only("bind").param("addr") == UnixAddress(name)
    assert run.only("connect", res=0).param("tuple") == UnixTuple(0, 0, name)


def test_socket_options(watch: Watch, python_program: MakePython) -> None:
    program = """
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
s.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, 1)
"""
    run = watch(python_program(program), "setsockopt", "getsockopt")
    reuse, no_delay = run.named("setsockopt")
    options = FLAG_TABLES["sockopt_options"]
    assert reuse.params[2:] == [FLAG_TABLES["sockopt_levels"]["SOL_SOCKET"], options["SO_REUSEADDR"], 1, 4]
    assert no_delay.params[2:] == [FLAG_TABLES["sockopt_levels"]["SOL_TCP"], 0, b"\1\0\0\0", 4]
    assert run.only("getsockopt").params[3:] == [options["SO_ERROR"], 0, 4]


def addresses() -> Iterator[tuple[bytes, object]]:
    yield b"\2\0\0\x50\x7f\0\0\1" + bytes(8), InetAddress(HOME, 80)
    yield b"\x0a\0\0\x50" + bytes(4) + HOME6 + bytes(4), InetAddress(HOME6, 80)
    yield b"\1\0/run/x\0rest", UnixAddress("/run/x")
    yield b"\1\0\0name", UnixAddress("\0name")
    yield b"\1\0", UnixAddress("")
    yield b"\x10\0" + bytes(10), None  # netlink
    yield b"\2", None
    yield b"\2\0\0", None


@pytest.mark.parametrize(("data", "address"), list(addresses()))
def test_addresses_in_memory(data: bytes, address: object) -> None:
    assert parse_address(data) == address
