"""Processes that want to hold up, or to mislead, whoever reads of them under `/proc`."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from refengine.state.memory_files import STUCK_MAX, MemoryFiles
from refengine.state.open_files import local_socket, read_descriptor
from refengine.state.procfs import ProcProbe, parse_cgroups

_SECONDS = 6.0
_EXIT = """
import sys
from refengine.state.procfs import ProcProbe
probe = ProcProbe()
assert probe.thread(int(sys.argv[1]), {}).args == ()
print(probe.warnings())
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Run a process whose memory cannot be read; give its number and that of a file that has no status."""
    if os.geteuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("needs root and /dev/fuse")
    program = Path(__file__).with_name("locked_memory.py")
    with subprocess.Popen(
        [sys.executable, str(program), str(tmp_path_factory.mktemp("served")), str(_SECONDS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            told = process.stdout.readline().split()
            if not told:
                pytest.skip(f"no filesystem can be served: {process.stderr.read().strip()}")
            time.sleep(0.1)
            if "State:\tD" not in Path(f"/proc/{told[0]}/status").read_text(encoding="utf-8"):
                pytest.skip("this kernel lets no process lock its memory so")
            yield int(told[0]), int(told[1])
        finally:
            # The one that serves is of the session as well, and with its end all others go on.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_process_whose_memory_is_locked_holds_nobody_up(locked: tuple[int, int]) -> None:
    pid, _ = locked
    probe = ProcProbe()
    start = time.monotonic()
    thread = probe.thread(pid, {})
    assert time.monotonic() - start < 1
    assert thread is not None
    assert thread.comm
    assert thread.exepath
    assert thread.exe == thread.comm
    assert thread.args == ()
    assert thread.env == ()
    assert probe.warnings() == ["1 times a process kept its arguments and environment from being read"]
    own = probe.thread(os.getpid(), {})
    assert own is not None
    assert own.args


def test_few_threads_wait_for_memory_that_does_not_come(locked: tuple[int, int]) -> None:
    pid, _ = locked
    before = threading.active_count()
    files = MemoryFiles(patience=0.01)
    for _ in range(3 * STUCK_MAX):
        assert files.read((f"/proc/{pid}/cmdline",)) == [b""]
    assert files.late == 3 * STUCK_MAX
    assert threading.active_count() - before <= STUCK_MAX


def test_waiting_for_memory_does_not_hold_up_the_end(locked: tuple[int, int]) -> None:
    pid, _ = locked
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _EXIT, str(pid)], capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    assert "kept its arguments" in done.stdout
    assert time.monotonic() - start < 2.5


def test_a_file_whose_status_does_not_come_is_described_all_the_same(locked: tuple[int, int]) -> None:
    pid, number = locked
    start = time.monotonic()
    found = read_descriptor(pid, number)
    assert time.monotonic() - start < 1
    assert found is not None
    assert found.type == "f"
    assert found.ino == 2


def _line(inode: int, name: str) -> str:
    return f"0000000000000000: 00000002 00000000 00010000 0001 01 {inode} {name}"


def test_a_name_that_looks_like_another_sockets_line_renames_nothing(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX) as local,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unbound,
        socket.socket(socket.AF_UNIX) as first,
        socket.socket(socket.AF_UNIX) as second,
    ):
        local.bind(str(tmp_path / "real"))
        for forger, victim in ((first, local), (second, unbound)):
            inode = os.fstat(victim.fileno()).st_ino
            forger.bind(b"\0\n" + _line(inode, f"/forged{os.getpid()}").encode())
            forger.listen()
        found = read_descriptor(os.getpid(), local.fileno())
        assert found is not None
        assert found.type == "u"
        assert "forged" not in found.name
        found = read_descriptor(os.getpid(), unbound.fileno())
        assert found is not None
        assert found.type != "u"
        assert not found.name
        found = read_descriptor(os.getpid(), first.fileno())
        assert found is not None
        assert found.type == "u"
        assert "forged" not in found.name


def test_a_local_socket_is_found_by_its_one_whole_line() -> None:
    lines = [_line(12, "/a b\x85c\r"), "/forged 1 2 3 4 5 12 x", "", _line(13, "@x"), _line(13, "/y")]
    found = local_socket(lines, "12")
    assert found is not None
    assert found.name == "/a b\x85c\r"
    assert local_socket(lines, "13") is None
    assert local_socket(lines, "14") is None


def test_a_short_name_of_any_characters_is_read_whole() -> None:
    name = ") S 1 \n\x85\r\x0b"
    with subprocess.Popen(["sleep", "30"]) as process:
        try:
            thread = ProcProbe().thread(process.pid, {})
        finally:
            process.kill()
    assert thread is not None
    assert thread.comm == "sleep"

    told: list[str] = []

    def rename() -> None:
        ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
        found = ProcProbe().thread(threading.get_native_id(), {})
        told.append("" if found is None else found.comm)
        assert found is not None
        assert found.ptid == os.getppid()
        assert found.pid == os.getpid()

    renamed = threading.Thread(target=rename)
    renamed.start()
    renamed.join()
    assert told == [name]


def test_a_control_group_of_any_name_is_read_whole() -> None:
    pid = os.getpid()
    name = f"a{pid}\r\x0b\x0c\x1c\x1d\x1e\x85\u20288:pids:_docker"
    folder = None
    for line in Path("/proc/self/mountinfo").read_bytes().decode("utf-8", "surrogateescape").split("\n"):
        found = re.match(r"(?:\S+ ){4}(\S+) .* - cgroup2? ", line)
        if found is not None and "cpuset" not in line:
            with suppress(OSError):
                folder = Path(found[1]) / name
                folder.mkdir()
                break
            folder = None
    if folder is None:
        pytest.skip("no control group can be made here")
    try:
        with subprocess.Popen(["sleep", "30"]) as process:
            try:
                (folder / "cgroup.procs").write_text(str(process.pid), encoding="ascii")
                thread = ProcProbe().thread(process.pid, {})
            finally:
                process.kill()
        assert thread is not None
        assert [path for _, path in thread.cgroups if path.endswith(name)]
        assert ("pids", "_docker") not in thread.cgroups
    finally:
        folder.rmdir()


def test_lines_of_control_groups_end_where_the_kernel_ends_them() -> None:
    assert parse_cgroups("0::/a\x85b\r1:pids:/c\n") == (("", "/a\x85b\r1:pids:/c"),)
