"""Threads and descriptors as /proc shows them."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from refengine.event.sockets import InetAddress, InetTuple
from refengine.state.memory_files import MemoryFiles
from refengine.state.open_files import encoded_device, read_descriptor
from refengine.state.procfs import (
    ProcProbe,
    list_descriptors,
    list_threads,
    parse_cgroups,
    read_boot_time,
    read_thread,
)
from refengine.state.system import SystemState
from refengine.state.threads import UNKNOWN_ID
from refengine.tables.flags import FLAG_TABLES

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the /proc of Linux")

STATUS = """Name:\tmy prog
Tgid:\t42
Pid:\t43
PPid:\t7
Uid:\t1000\t1001\t1000\t1000
Gid:\t100\t101\t100\t100
NStgid:\t42\t2
NSpid:\t43\t3
NSpgid:\t42\t2
NSsid:\t40\t1
VmSize:\t  2048 kB
VmRSS:\t  1024 kB
CapInh:\t0000000000000000
CapPrm:\t0000000000000003
CapEff:\t0000000000000001
"""
STAT = "43 (my) prog) S 7 42 40 34816 42 4194304 11 0 5 0 1 2 0 0 20 0 1 0 250 0 0"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    folder = tmp_path / "43"
    (folder / "fd").mkdir(parents=True)
    (folder / "status").write_text(STATUS)
    (folder / "stat").write_text(STAT)
    (folder / "cmdline").write_bytes(b"./prog\0-v\0\0")
    (folder / "environ").write_bytes(b"HOME=/root\0")
    (folder / "cgroup").write_text("12:cpu,cpuacct:/slice\n0::/unified\n")
    (folder / "loginuid").write_text("1000")
    (folder / "limits").write_text("Limit\nMax open files            1024                 4096      files\n")
    (folder / "cwd").symlink_to("/srv")
    (folder / "exe").symlink_to("/nowhere/prog (deleted)")
    (tmp_path / "stat").write_text("cpu 1 2 3\nbtime 1700000000\n")
    return tmp_path


def test_a_thread(proc: Path) -> None:
    boot = read_boot_time(str(proc))
    thread = read_thread(43, {}, MemoryFiles(), boot, str(proc))
    assert thread is not None
    assert (thread.tid, thread.pid, thread.ptid) == (43, 42, 7)
    assert (thread.vtid, thread.vpid, thread.vpgid, thread.sid, thread.pgid) == (3, 2, 2, 1, 42)
    assert (thread.comm, thread.exe, thread.args) == ("my) prog", "./prog", ("-v", ""))
    assert (thread.uid, thread.gid, thread.loginuid) == (1001, 101, 1000)
    assert (thread.tty, thread.pfminor, thread.pfmajor) == (34816, 11, 5)
    assert (thread.vmsize, thread.vmrss, thread.vmswap) == (2048, 1024, 0)
    assert (thread.cap_permitted, thread.cap_effective) == (3, 1)
    assert thread.cwd == "/srv/"
    assert thread.exepath == "/nowhere/prog"
    assert thread.env == ("HOME=/root",)
    assert thread.fdlimit == 1024
    assert thread.clone_time == boot + 250 * 10**9 // os.sysconf("SC_CLK_TCK")
    assert thread.cgroups == (("cpu", "/slice"), ("cpuacct", "/slice"), ("", "/unified"))


def test_a_hidden_or_vanished_thread(proc: Path) -> None:
    assert read_thread(99, {}, MemoryFiles(), 0, str(proc)) is None
    for name in ("cmdline", "environ", "cgroup", "loginuid", "limits", "stat"):
        (proc / "43" / name).unlink()
    thread = read_thread(43, {}, MemoryFiles(), 0, str(proc))
    assert thread is not None
    assert (thread.args, thread.env, thread.loginuid, thread.fdlimit) == ((), (), UNKNOWN_ID, -1)
    assert ProcProbe(str(proc)).descriptor(43, 0) is None
    assert list_descriptors(99, str(proc)) == []


def process(proc: Path, pid: int, parent: int, numbers: str, start: int) -> None:
    """Have a process in `proc`; `numbers` are those that it has in its namespaces, the outermost first."""
    (proc / f"{pid}").mkdir()
    (proc / f"{pid}" / "status").write_text(
        f"Tgid:\t{pid}\nPPid:\t{parent}\nNStgid:\t{numbers}\nNSpid:\t{numbers}\n"
    )
    (proc / f"{pid}" / "stat").write_text(
        f"{pid} (init) S {parent} 1 1 0 -1 4194304 11 0 5 0 1 2 0 0 20 0 1 0 {start} 0 0"
    )


def namespace_start(proc: Path, pid: int) -> int:
    thread = read_thread(pid, {}, MemoryFiles(), 10**15, str(proc))
    assert thread is not None
    return (thread.pidns_init_start_time - 10**15) * os.sysconf("SC_CLK_TCK") // 10**9


def test_the_start_of_the_namespace(proc: Path) -> None:
    process(proc, 1, 0, "1", 2)
    process(proc, 5, 1, "5\t1", 100)
    process(proc, 7, 5, "7\t2", 200)
    process(proc, 8, 1, "8", 300)
    process(proc, 9, 8, "9\t4", 400)
    assert namespace_start(proc, 43) == 100
    assert namespace_start(proc, 5) == 100
    assert namespace_start(proc, 8) == 2
    # Who has entered it from outside has no ancestor that tells.
    thread = read_thread(9, {}, MemoryFiles(), 10**15, str(proc))
    assert thread is not None
    assert thread.pidns_init_start_time == 0


def test_what_a_thread_has_as_its_root_is_not_opened(proc: Path) -> None:
    """It may be a pipe that nobody writes to."""
    first = proc / "43" / "root" / "proc" / "1"
    first.mkdir(parents=True)
    for name in ("stat", "cmdline", "status"):
        os.mkfifo(first / name)
    assert read_thread(43, {}, MemoryFiles(), 10**15, str(proc)) is not None


def test_groups_with_colons() -> None:
    assert parse_cgroups("1:name=systemd:/a:b\nnonsense\n") == (("name=systemd", "/a:b"),)


def test_this_process() -> None:
    state = SystemState(ProcProbe())
    thread = state.meet(os.getpid())
    assert thread.ptid == os.getppid()
    assert thread.exepath == os.path.realpath(f"/proc/{os.getpid()}/exe")
    assert thread.cwd == f"{Path.cwd()}/"
    assert (thread.uid, thread.gid) == (os.geteuid(), os.getegid())
    assert thread.parent is not None
    assert state.threads[os.getppid()].tid == os.getppid()
    assert os.getpid() in list_threads()


def seen(number: int) -> tuple[str, str]:
    found = read_descriptor(os.getpid(), number)
    assert found is not None
    return found.type, found.name


def test_files_and_directories(tmp_path: Path) -> None:
    path = tmp_path / "data"
    number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = read_descriptor(os.getpid(), number)
        assert found is not None
        assert (found.type, found.name, found.ino) == ("f", str(path), path.stat().st_ino)
        assert found.dev == encoded_device(path.stat().st_dev)
        flags = FLAG_TABLES["file_flags"]
        wanted = flags["O_WRONLY"] | flags["O_APPEND"] | flags["O_CLOEXEC"]
        assert found.open_flags & wanted == wanted
        assert seen(folder) == ("d", str(tmp_path))
        path.unlink()
        assert seen(number) == ("f", str(path))
    finally:
        os.close(number)
        os.close(folder)
    assert read_descriptor(os.getpid(), number) is None


def test_pipes_and_files_in_memory() -> None:
    first, second = os.pipe()
    memory = os.memfd_create("payload")
    try:
        assert seen(first) == ("p", "")
        assert seen(memory) == ("m", "payload")
    finally:
        for number in (first, second, memory):
            os.close(number)


@pytest.fixture
def connected() -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as accepted,
    ):
        yield server, client, accepted


def test_connections(connected: tuple[socket.socket, socket.socket, socket.socket]) -> None:
    server, client, accepted = connected
    (_, port), (_, own) = server.getsockname(), client.getsockname()
    assert seen(server.fileno()) == ("4", f"127.0.0.1:{port}")
    found = read_descriptor(os.getpid(), client.fileno())
    assert found is not None
    assert {found.protocol, found.connected} == {"tcp", True}
    ends = {InetAddress(bytes((127, 0, 0, 1)), port), InetAddress(bytes((127, 0, 0, 1)), own)}
    assert isinstance(found.tuple, InetTuple)
    assert {found.tuple.source, found.tuple.destination} == ends
    assert seen(accepted.fileno())[0] == "4"


def test_a_known_socket_keeps_what_events_told(
    connected: tuple[socket.socket, socket.socket, socket.socket],
) -> None:
    _, client, _ = connected
    known = read_descriptor(os.getpid(), client.fileno())
    assert known is not None
    known.role = "server"
    again = read_descriptor(os.getpid(), client.fileno(), known=known)
    assert again is known
    with tempfile.TemporaryFile() as other:
        assert read_descriptor(os.getpid(), other.fileno(), known=known) is not known


def test_local_sockets(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as local:
        local.bind(path)
        assert seen(local.fileno()) == ("u", path)
