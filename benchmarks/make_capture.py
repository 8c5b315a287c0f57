"""Make a large capture of mixed events, to measure replaying on.

    python -m benchmarks.make_capture FILE.scap [--events 1200000] [--gzip] [--seed 1]

A shell starts one short-lived program after another. Each loads libraries, reads and writes files, some talk to a
server, and all end; one in a hundred reads the passwords. What each does is drawn with a fixed seed, so that
the same arguments make the same file. About one event in ten changes what is known of threads, one in two that of
descriptors, as on a busy machine.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from refengine.backends.capture.sections import (
    DescriptorRecord,
    GroupRecord,
    MachineInfo,
    ProcessRecord,
    UserRecord,
)
from refengine.backends.capture.tables import SystemTables
from refengine.backends.capture.writer import CaptureWriter
from refengine.event import Event, ParamValue
from refengine.event.sockets import InetAddress, InetTuple
from refengine.tables.event_types import BY_ENUM, EventType
from refengine.tables.flags import FLAG_TABLES

START = 1_700_000_000 * 10**9
STEP = 2_000
"""Nanoseconds between two events."""
SHELL = 1000
FIRST_PID = 2000
LAST_PID = 32000
NON_CURRENT_DIRECTORY = -100

PROGRAMS: Sequence[tuple[str, str, bool]] = (
    ("/usr/bin/ls", "-l /srv/data", False),
    ("/usr/bin/cat", "/srv/data/report.txt", False),
    ("/usr/bin/grep", "-r needle /srv/data", False),
    ("/usr/bin/curl", "-s http://192.0.2.10/status", True),
    ("/usr/bin/python3", "/srv/app/worker.py --once", True),
    ("/usr/bin/tar", "czf /srv/backup/data.tar.gz /srv/data", False),
)
"""Program, arguments, and whether it talks to a server."""

LIBRARIES = ("libc.so.6", "libm.so.6", "libz.so.1", "libssl.so.3", "libcrypto.so.3", "libpthread.so.0")
CGROUPS = b"cpu=/user.slice\0memory=/user.slice/user-1000.slice\0"
ENVIRONMENT = b"PATH=/usr/local/bin:/usr/bin:/bin\0HOME=/home/user\0LANG=C.UTF-8\0TERM=xterm\0"

_OPEN_FLAGS = FLAG_TABLES["file_flags"]
READ_ONLY = _OPEN_FLAGS["O_RDONLY"] | _OPEN_FLAGS["O_CLOEXEC"]
WRITE_NEW = _OPEN_FLAGS["O_WRONLY"] | _OPEN_FLAGS["O_CREAT"] | _OPEN_FLAGS["O_TRUNC"]

EventRow = tuple[EventType, int, "tuple[ParamValue | None, ...]"]


def tables() -> SystemTables:
    """Return a machine with an init process and the shell that starts everything."""
    init = ProcessRecord(1, 1, 0, "systemd", "/sbin/init", (), "/", 1024, 0, 0, 0, 1, 1, vtid=1, vpid=1)
    shell = ProcessRecord(
        SHELL, SHELL, 1, "bash", "/bin/bash", ("-l",), "/home/user", 1024, 0, 1000, 1000, SHELL, SHELL
    )
    shell.exepath, shell.vtid, shell.vpid, shell.tty = "/usr/bin/bash", SHELL, SHELL, 34816
    shell.env = tuple(ENVIRONMENT.decode().rstrip("\0").split("\0"))
    terminal = [DescriptorRecord(SHELL, number, 5, "f", "/dev/pts/0", 3) for number in range(3)]
    return SystemTables(
        MachineInfo(4, 8 << 30, 32768, "bench", START - 10**15),
        [init, shell],
        terminal,
        [
            UserRecord(0, 0, "root", "/root", "/bin/bash"),
            UserRecord(1000, 1000, "user", "/home/user", "/bin/bash"),
        ],
        [GroupRecord(0, "root"), GroupRecord(1000, "user")],
    )


def life(pid: int, draw: random.Random) -> Iterator[EventRow]:
    """Yield what happens from the start of a program in process `pid` to its end."""
    program, arguments, talks = draw.choice(PROGRAMS)
    name = program.rpartition("/")[2]
    yield from _start(pid, program, name, arguments)
    for library in draw.sample(LIBRARIES, 4):
        yield from _read_file(pid, 3, f"/usr/lib/x86_64-linux-gnu/{library}", 1, draw)
    for number in range(draw.randrange(2, 12)):
        yield from _read_file(pid, 3, f"/srv/data/part-{number}.txt", draw.randrange(1, 6), draw)
    if draw.random() < 0.01:
        yield from _read_file(pid, 3, "/etc/shadow", 1, draw)
    if talks:
        yield from _talk(pid, 4, draw)
    yield from _write_file(pid, 3, f"/tmp/{name}.{pid}", draw.randrange(1, 4))
    yield BY_ENUM["PROCEXIT_1_E"], pid, (0, 0, 0, 0, 1)


def _start(pid: int, program: str, name: str, arguments: str) -> Iterator[EventRow]:
    clone = BY_ENUM["SYSCALL_CLONE_20_X"]
    shared = ("/home/user", 1024, 0, 120, 9000, 4000, 0)
    ids = (1000, 1000)
    parent = ("/bin/bash", b"-l\0", SHELL, SHELL, 1, *shared, "bash", CGROUPS, 0, *ids, SHELL, SHELL, START)
    child = ("/bin/bash", b"-l\0", pid, pid, SHELL, *shared, "bash", CGROUPS, 0, *ids, pid, pid, START)
    yield clone, SHELL, (pid, *parent)
    yield clone, pid, (0, *child)
    args = arguments.replace(" ", "\0").encode() + b"\0"
    capabilities = (0, 0, 0)
    file = (4711, START - 10**15, START - 10**15)
    executed = (0, program, args, pid, pid, SHELL, *shared, name, CGROUPS, ENVIRONMENT, 34816, pid, 1000, 1)
    rest = (*capabilities, *file, 1000, program, pid, 1000, program)
    yield BY_ENUM["SYSCALL_EXECVE_19_X"], pid, (*executed, *rest)
    yield BY_ENUM["SYSCALL_BRK_4_X"], pid, (0x55D0_0000_0000, 9000, 4000, 0, 0)


def _read_file(pid: int, fd: int, path: str, reads: int, draw: random.Random) -> Iterator[EventRow]:
    if draw.random() < 0.2:
        yield (
            BY_ENUM["SYSCALL_OPENAT_2_X"],
            pid,
            (-2, NON_CURRENT_DIRECTORY, path + ".old", READ_ONLY, 0, 0, 0),
        )
    yield BY_ENUM["SYSCALL_OPENAT_2_X"], pid, (fd, NON_CURRENT_DIRECTORY, path, READ_ONLY, 0, 2049, 918273)
    yield BY_ENUM["SYSCALL_FSTAT_X"], pid, (0, fd)
    for _ in range(reads):
        yield (
            BY_ENUM["SYSCALL_READ_X"],
            pid,
            (80, b"some data of the file " * 3 + b"and some more.", fd, 4096),
        )
    yield BY_ENUM["SYSCALL_MMAP_X"], pid, (0x7F00_0000_0000, 9000, 4000, 0, 0, 65536, 1, 2, fd, 0)
    yield BY_ENUM["SYSCALL_CLOSE_X"], pid, (0, fd)
    yield BY_ENUM["GENERIC_X"], pid, (12 if draw.random() < 0.5 else 13, 72)


def _write_file(pid: int, fd: int, path: str, writes: int) -> Iterator[EventRow]:
    yield (
        BY_ENUM["SYSCALL_OPENAT_2_X"],
        pid,
        (fd, NON_CURRENT_DIRECTORY, path, WRITE_NEW, 0o644, 2049, 918274),
    )
    for _ in range(writes):
        yield BY_ENUM["SYSCALL_WRITE_X"], pid, (70, b"a line that is written\n" * 3, fd, 70)
    yield BY_ENUM["SYSCALL_CLOSE_X"], pid, (0, fd)


def _talk(pid: int, fd: int, draw: random.Random) -> Iterator[EventRow]:
    client = InetAddress(bytes((10, 0, 0, 5)), draw.randrange(32768, 61000))
    server = InetAddress(bytes((192, 0, 2, 10)), 80)
    pair = InetTuple(client, server)
    yield BY_ENUM["SOCKET_SOCKET_X"], pid, (fd, 2, 1, 6, 0)
    yield BY_ENUM["SOCKET_CONNECT_E"], pid, (fd, server)
    yield BY_ENUM["SOCKET_CONNECT_X"], pid, (-115, pair, fd, server)
    yield BY_ENUM["SYSCALL_POLL_X"], pid, (1, ((fd, 4),), 1000)
    yield (
        BY_ENUM["SOCKET_SENDTO_X"],
        pid,
        (60, b"GET /status HTTP/1.1\r\nHost: 192.0.2.10\r\n\r\n", fd, 60, pair),
    )
    for _ in range(3):
        yield BY_ENUM["SOCKET_RECVFROM_X"], pid, (80, b"HTTP/1.1 200 OK\r\n" * 4, pair, fd, 4096)
    yield BY_ENUM["SYSCALL_CLOSE_X"], pid, (0, fd)


def events(count: int, seed: int) -> Iterator[Event]:
    """Yield at least `count` events: whole lives of processes, until there are enough."""
    draw = random.Random(seed)
    number, pid = 0, FIRST_PID
    while number < count:
        for type, tid, params in life(pid, draw):
            number += 1
            yield Event(type, START + number * STEP, tid, params, number=number, cpu=pid % 4)
        pid = FIRST_PID if pid == LAST_PID else pid + 1


def make_capture(path: Path, count: int, *, compress: bool = False, seed: int = 1) -> int:
    """Write a capture of at least `count` events to `path`; return how many it has."""
    with CaptureWriter(path, compress=compress) as writer:
        writer.write_tables(tables())
        for event in events(count, seed):
            writer.write(event)
        return writer.events


def main() -> None:
    """Make the capture that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=1_200_000)
    parser.add_argument("--gzip", action="store_true", help="compress the file")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    made = make_capture(options.file, options.events, compress=options.gzip, seed=options.seed)
    print(f"{options.file}: {made} events, {options.file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
