"""The backend on the running kernel: attached for real, with real programs that do what rules look for."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.monitor import program_ids, programs_left
from refengine import Engine, load_rules
from refengine.backends.base import Connection, Interest
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.event import Event
from refengine.interest import interest_of
from refengine.output.alert import Alert
from refengine.output.escape import single_line
from refengine.source import Source
from tests.ebpf import observed, require_ebpf

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULES = """
- macro: ours
  condition: (proc.aname contains "python" or proc.name contains "python" or proc.name = "\\x1b[31m")
- rule: Wanted file
  desc: d
  condition: evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name = {folder}/wanted
  output: "%proc.name %fd.name %proc.pname %user.uid"
  priority: INFO
- rule: Wanted folder
  desc: d
  condition: evt.type in (open, openat) and evt.is_open_write = true and fd.directory = {folder}/sub
  output: "%proc.name %fd.name %fd.filename"
  priority: INFO
- rule: Program
  desc: d
  condition: evt.type = execve and proc.args contains "marked-{unique}"
  output: "%proc.exepath %proc.cmdline %proc.pname %proc.cwd"
  priority: INFO
- rule: Connection
  desc: d
  condition: evt.type = connect and fd.sport = {port}
  output: "%fd.name %fd.l4proto %evt.res"
  priority: INFO
- rule: Link
  desc: d
  condition: evt.type in (symlink, symlinkat) and evt.arg.target contains {unique}
  output: "%evt.arg.target %evt.arg.linkpath"
  priority: INFO
- rule: Mode
  desc: d
  condition: evt.type in (fchmod, chmod, fchmodat) and (fd.name = {folder}/wanted or evt.arg.filename = {folder}/wanted)
  output: "%evt.type %evt.arg.mode"
  priority: INFO
- rule: Made
  desc: d
  condition: evt.type = openat and evt.is_open_create = true and fd.directory = {folder}/made
  output: "%fd.name %evt.arg.ino %fd.ino"
  priority: INFO
- rule: Renamed
  desc: d
  condition: evt.type in (rename, renameat, renameat2) and evt.arg.newpath endswith {unique}
  output: "%evt.arg.oldpath"
  priority: INFO
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """Where a socket listens, at a port that the kernel chose."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Its name is nobody else's: rules look for that alone, and another process of the test run does the same as this one.
    found = tmp_path_factory.mktemp(f"ebpf-{secrets.token_hex(4)}")
    (found / "wanted").write_text("x")
    (found / "sub").mkdir()
    (found / "made").mkdir()
    return found


@pytest.fixture(scope="module")
def watching(folder: Path, server: tuple[str, int]) -> Iterator[tuple[Connection, Engine]]:
    require_ebpf()
    text = RULES.format(folder=folder, unique=folder.name, port=server[1])
    rules = load_rules(Source("live.yaml", text)).enabled("syscall")
    engine = Engine(rules, "all")
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(interest_of(rules, backend.capabilities.decides))
    try:
        yield connection, engine
    finally:
        backend.close()


@pytest.fixture
def provoke(watching: tuple[Connection, Engine]) -> Callable[[str], list[Alert]]:
    """Return a function that runs a Python program elsewhere and returns the alerts until it is over."""
    connection, engine = watching

    def run(program: str) -> list[Alert]:
        child = subprocess.Popen([sys.executable, "-c", program])
        alerts: list[Alert] = []
        for event in observed(connection, lambda: child.poll() is not None, 200):
            alerts.extend(engine.process(event))
        assert child.wait() == 0
        return alerts

    return run


def outputs(alerts: list[Alert], rule: str) -> list[str]:
    return [alert.message for alert in alerts if alert.rule == rule]


def test_files_are_recognised_however_they_are_named(
    provoke: Callable[[str], list[Alert]], folder: Path
) -> None:
    path = folder / "wanted"
    names = [str(path), f"{folder}//wanted", f"{folder}/sub/../wanted", f"{folder}/./wanted"]
    relative = ["wanted", "./wanted", "sub/../wanted", f"../{folder.name}/wanted"]
    program = (
        "import os\n"
        f"for name in {names!r}: os.close(os.open(name, os.O_RDONLY))\n"
        f"os.chdir({str(folder)!r})\n"
        f"for name in {relative!r}: os.close(os.open(name, os.O_RDONLY))\n"
        f"d = os.open({str(folder)!r}, os.O_RDONLY | os.O_DIRECTORY)\n"
        "os.close(os.open('wanted', os.O_RDONLY, dir_fd=d))\n"
        "for _ in range(2000): os.close(os.open('/dev/null', os.O_RDONLY))\n"
        "os.close(os.open('wanted', os.O_WRONLY))\n"
    )
    found = outputs(provoke(program), "Wanted file")
    assert len(found) == len(names) + len(relative) + 1
    assert all(f" {path} " in f" {line} " for line in found)
    assert all(line.endswith(str(os.geteuid())) for line in found)


def test_what_no_rule_matches_stays_in_the_kernel(
    provoke: Callable[[str], list[Alert]], watching: tuple[Connection, Engine]
) -> None:
    backend = watching[0].backend
    before = backend.statistics()
    provoke("import os\nfor _ in range(5000): os.close(os.open('/dev/null', os.O_RDONLY))")
    after = backend.statistics()
    assert after.filtered - before.filtered >= 5000


def test_hostile_names_stay_in_one_line(provoke: Callable[[str], list[Alert]], folder: Path) -> None:
    program = (
        "import os, ctypes\n"
        "ctypes.CDLL(None).prctl(15, b'\\x1b[31m', 0, 0, 0)\n"
        f"os.chdir({str(folder / 'sub')!r})\n"
        "for name in (b'a\\nb', b'\\xff\\xfe', b'\\x1b[2J', b'x' * 255):\n"
        "    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.open(ctypes.c_void_p(1), 0)\n"
        "libc.open(b'y' * 5000, 0)\n"
    )
    alerts = [alert for alert in provoke(program) if alert.rule == "Wanted folder"]
    assert len(alerts) == 4
    assert all(single_line(alert.message).isprintable() for alert in alerts)


def test_a_program_that_is_gone_at_once_is_known_in_full(
    provoke: Callable[[str], list[Alert]], folder: Path
) -> None:
    program = (
        "import os, subprocess\n"
        f"subprocess.run(['/bin/true', 'marked-{folder.name}', 'a b'], cwd={str(folder)!r})\n"
    )
    lines = [alert.message for alert in provoke(program) if alert.rule == "Program"]
    (line,) = [line for line in lines if "subprocess" not in line]
    assert f"true marked-{folder.name} a b" in line
    assert "python" in line
    assert str(folder) in line


def test_connections_links_modes_and_names(
    provoke: Callable[[str], list[Alert]], folder: Path, server: tuple[str, int]
) -> None:
    program = (
        "import os, socket\n"
        f"os.chdir({str(folder)!r})\n"
        "s = socket.socket()\n"
        f"s.connect({server!r})\n"
        f"os.symlink('/x/{folder.name}', 'link'); os.unlink('link')\n"
        "os.chmod('wanted', 0o640); f = open('wanted'); os.fchmod(f.fileno(), 0o600)\n"
        f"open('old', 'w').close(); os.rename('old', 'new-{folder.name}')\n"
    )
    alerts = provoke(program)
    (connection,) = [alert.message for alert in alerts if alert.rule == "Connection"]
    assert f"->127.0.0.1:{server[1]} tcp SUCCESS" in connection
    assert len([alert for alert in alerts if alert.rule == "Link"]) == 1
    assert len([alert for alert in alerts if alert.rule == "Mode"]) == 2
    (renamed,) = [alert.message for alert in alerts if alert.rule == "Renamed"]
    assert renamed.endswith(f"{folder}/old")


def test_files_that_an_open_makes(provoke: Callable[[str], list[Alert]], folder: Path) -> None:
    (folder / "made" / "old").write_text("")
    program = (
        "import os\n"
        f"os.chdir({str(folder / 'made')!r})\n"
        "for name in ('old', 'new', 'new'): os.close(os.open(name, os.O_WRONLY | os.O_CREAT))\n"
    )
    found = [alert.message for alert in provoke(program) if alert.rule == "Made"]
    inode = str((folder / "made" / "new").stat().st_ino)
    assert found == [f"{folder}/made/new {inode} {inode}"]


def test_every_event_is_watched_by_one_program_at_all_exits(tmp_path: Path) -> None:
    """What others do is watched too, and may be more than can be read: the child goes on until all was seen."""
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(Interest(None, frozenset({"fd.name"})))
    program = (
        f"import os, subprocess, sys\nwhile True:\n    os.mkdir({str(tmp_path / 'new')!r})\n"
        f"    os.rmdir({str(tmp_path / 'new')!r})\n"
        "    os.sched_yield()\n    r, w = os.pipe()\n    os.write(w, b'x')\n    os.read(r, 1)\n    os.getppid()\n"
        "    os.close(r)\n    os.close(w)\n    subprocess.run([sys.executable, '-S', '-c', ''])\n"
    )
    wanted = {"mkdir", "sched_yield", "pipe2", "write", "read", "getppid", "execve", "procexit", "mmap"}
    seen: set[str] = set()
    child = subprocess.Popen([sys.executable, "-c", program])
    try:
        deadline = time.monotonic() + 200
        while time.monotonic() < deadline and not wanted <= seen:
            events = backend.read(0.1)
            assert events is not None
            for event in events:
                connection.observe(event)
                thread = event.thread if isinstance(event, Event) else None
                if thread is not None and child.pid in (
                    thread.pid,
                    *(ancestor.pid for ancestor in thread.ancestors()),
                ):
                    seen.add(event.name)
        assert child.poll() is None
        assert wanted <= seen
    finally:
        child.kill()
        child.wait()
        start = time.monotonic()
        backend.close()
    assert time.monotonic() - start < 30


def test_nothing_stays_attached() -> None:
    """Closing gives every descriptor back, and the kernel lets go of the programs."""
    connection = connect("ebpf", Target())
    backend = connection.backend
    descriptors, programs = set(os.listdir("/proc/self/fd")), program_ids(os.getpid())  # noqa: PTH208
    backend.open(Interest(frozenset({"mkdir"})))
    try:
        own = program_ids(os.getpid()) - programs
        subprocess.run(
            [sys.executable, "-S", "-c", "import os\ntry: os.mkdir('/')\nexcept OSError: pass"], check=True
        )
    finally:
        backend.close()
        backend.close()
    assert own
    assert set(os.listdir("/proc/self/fd")) <= descriptors  # noqa: PTH208
    assert not programs_left(own)
    assert backend.read(0) is None
    assert backend.statistics().seen > 0
