"""What `/proc` says of a stopped tracee, by bare calls, since it is asked for often."""

from __future__ import annotations

import os
from functools import lru_cache

from refengine.state.proc_file import read_file


def read_link(path: str) -> str | None:
    """Return where a symbolic link under `/proc` points, None where it cannot be read."""
    try:
        return os.readlink(path)  # noqa: PTH115  a Path costs as much as the call itself
    except OSError:
        return None


def file_status(path: str) -> os.stat_result | None:
    """Return the status of the file behind a link under `/proc`, None where it cannot be had."""
    try:
        return os.stat(path)  # noqa: PTH116  a Path costs as much as the call itself
    except OSError:
        return None


def row(status: bytes, name: bytes) -> bytes:
    """Return a row of a `status` file without its name, given with the line break before it; nothing where there is none."""
    start = status.find(name)
    if start < 0:
        return b""
    start += len(name)
    return status[start : status.find(b"\n", start)]


def memory_sizes(tid: int) -> tuple[int, int, int] | None:
    """Return the virtual, resident and swapped size of a process in kilobytes, None when it is gone."""
    status = read_file(f"/proc/{tid}/status")
    if not status:
        return None
    return _kilobytes(status, b"\nVmSize:"), _kilobytes(status, b"\nVmRSS:"), _kilobytes(status, b"\nVmSwap:")


def _kilobytes(status: bytes, name: bytes) -> int:
    columns = row(status, name).split()
    return int(columns[0]) if columns else 0


def processor(tid: int) -> int:
    """Return the processor on which a thread last ran, 0 where it is gone."""
    stat = read_file(f"/proc/{tid}/stat")
    return int(stat[stat.rfind(b")") + 2 :].split()[36]) if stat else 0


def process_start(tid: int) -> int | None:
    """Return when a process started, in nanoseconds since the epoch, None where that cannot be read."""
    stat = read_file(f"/proc/{tid}/stat")
    boot = _boot_time()
    if not stat or boot is None:
        return None
    ticks = int(stat[stat.rfind(b")") + 2 :].split()[19])
    return boot * 1_000_000_000 + ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@lru_cache(1)
def _boot_time() -> int | None:
    for line in read_file("/proc/stat").splitlines():
        if line.startswith(b"btime "):
            return int(line.split()[1])
    return None


@lru_cache(1)
def host_init_start() -> tuple[str, int] | None:
    """Return our PID namespace, as its link reads, and when its first process started."""
    namespace, start = read_link("/proc/self/ns/pid"), process_start(1)
    return None if namespace is None or start is None else (namespace, start)


def namespace_init_start(tid: int) -> int | None:
    """Return when the first process of the thread's PID namespace started, None where it is not ours."""
    own = host_init_start()
    if own is None or read_link(f"/proc/{tid}/ns/pid") != own[0]:
        return None
    return own[1]
