"""A stopped tracee's process as `/proc` shows it: what the events of exec and clone carry."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

UNSET_ID: Final = 0xFFFFFFFF
_ARGUMENTS_MAX: Final = 4096
"""How much of the arguments and of the environment events carry, in bytes."""

_CGROUP_CONTROLLERS: Final = ("cpuset", "cpu", "cpuacct", "io", "memory")
"""The controllers under which the one path of the unified hierarchy is reported."""


def read_file(path: str) -> bytes:
    """Return the content of a file under `/proc`, nothing where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
            if len(part) < 4096:  # such files give whole pages while there is more
                break
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


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


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _status_lines(tid: int) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in read_file(f"/proc/{tid}/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def _kilobytes(status: dict[bytes, bytes], name: bytes) -> int:
    return int(status.get(name, b"0").split()[0])


def memory_sizes(tid: int) -> tuple[int, int, int] | None:
    """Return the virtual, resident and swapped size of a process in kilobytes, None when it is gone."""
    status = _status_lines(tid)
    if not status:
        return None
    return _kilobytes(status, b"VmSize"), _kilobytes(status, b"VmRSS"), _kilobytes(status, b"VmSwap")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One thread at one moment. Sizes in kilobytes; ids in the tracer's namespace, `v…` in the innermost one."""

    tid: int
    pid: int
    ptid: int
    vtid: int
    vpid: int
    pgid: int
    vpgid: int
    comm: str
    exe: str
    args: bytes
    cwd: str
    fdlimit: int
    major_faults: int
    minor_faults: int
    vm_size: int
    vm_rss: int
    vm_swap: int
    cgroups: bytes
    tty: int
    uid: int
    gid: int
    groups: frozenset[int]
    cap_inheritable: int
    cap_permitted: int
    cap_effective: int


def read_snapshot(tid: int) -> Snapshot | None:
    """Return what `/proc` says of a thread, None when it is gone."""
    status = _status_lines(tid)
    stat = read_file(f"/proc/{tid}/stat")
    if not status or not stat:
        return None
    opened, closed = stat.find(b"("), stat.rfind(b")")
    columns = stat[closed + 2 :].split()  # from the state on, which proc(5) counts as the third
    exe, _, args = read_file(f"/proc/{tid}/cmdline").partition(b"\0")
    own_ids = {name: status.get(name, b"").split() for name in (b"Uid", b"Gid")}
    pid = int(status.get(b"Tgid", b"0"))
    pgid = int(columns[2])
    return Snapshot(
        tid=tid,
        pid=pid,
        ptid=int(columns[1]),
        vtid=_innermost(status, b"NSpid", tid),
        vpid=_innermost(status, b"NStgid", pid),
        pgid=pgid,
        vpgid=_innermost(status, b"NSpgid", pgid),
        comm=_text(stat[opened + 1 : closed]),
        exe=_text(exe),
        args=args[:_ARGUMENTS_MAX],
        cwd=read_link(f"/proc/{tid}/cwd") or "",
        fdlimit=_descriptor_limit(tid),
        major_faults=int(columns[9]),
        minor_faults=int(columns[7]),
        vm_size=_kilobytes(status, b"VmSize"),
        vm_rss=_kilobytes(status, b"VmRSS"),
        vm_swap=_kilobytes(status, b"VmSwap"),
        cgroups=_cgroups(tid),
        tty=int(columns[4]) & 0xFFFFFFFF,
        uid=int(own_ids[b"Uid"][1]),
        gid=int(own_ids[b"Gid"][1]),
        groups=frozenset(map(int, status.get(b"Groups", b"").split())),
        cap_inheritable=int(status.get(b"CapInh", b"0"), 16),
        cap_permitted=int(status.get(b"CapPrm", b"0"), 16),
        cap_effective=int(status.get(b"CapEff", b"0"), 16),
    )


def read_environment(tid: int) -> bytes:
    """Return the environment with which the process's program was started, NUL after each variable."""
    return read_file(f"/proc/{tid}/environ")[:_ARGUMENTS_MAX]


def read_login_id(tid: int) -> int:
    """Return the user id of the login session, `UNSET_ID` where there is none."""
    data = read_file(f"/proc/{tid}/loginuid").strip()
    return int(data) if data.isdigit() else UNSET_ID


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


def _innermost(status: dict[bytes, bytes], name: bytes, default: int) -> int:
    numbers = status.get(name, b"").split()
    return int(numbers[-1]) if numbers else default


def _descriptor_limit(tid: int) -> int:
    try:
        limit = resource.prlimit(tid, resource.RLIMIT_NOFILE)[0]
    except (OSError, ValueError):
        return -1
    return limit


def _cgroups(tid: int) -> bytes:
    """Return `controller=path` pairs, NUL after each."""
    pairs: list[bytes] = []
    for line in read_file(f"/proc/{tid}/cgroup").splitlines():
        _, controllers, path = line.split(b":", 2)
        if controllers.startswith(b"name="):
            continue  # a hierarchy without a controller, which limits nothing
        if controllers:
            pairs += [name + b"=" + path for name in controllers.split(b",")]
        elif not pairs or path != b"/":
            known = {pair.partition(b"=")[0] for pair in pairs}
            pairs += [
                name.encode() + b"=" + path for name in _CGROUP_CONTROLLERS if name.encode() not in known
            ]
    return b"".join(pair + b"\0" for pair in pairs)
