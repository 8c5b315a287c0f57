"""The events of a process's life: execution of a program, new threads and processes, their ends."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from refengine.backends.ptrace.details import Details
from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.process import namespace_init_start, read_link
from refengine.backends.ptrace.snapshot import FailedExecution, Snapshot
from refengine.backends.syscalls import kernel_bits as kb
from refengine.event import ParamValue
from refengine.state.proc_file import read_file
from refengine.tables.event_types import EventType
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import BY_NAME

_EXECVE = FLAG_TABLES["execve_flags"]
_WRITABLE: Final = _EXECVE["EXE_WRITABLE"]
_FROM_MEMFD: Final = _EXECVE["EXE_FROM_MEMFD"]
_IN_PID_NAMESPACE: Final = FLAG_TABLES["clone_flags"]["CLONE_CHILD_IN_PIDNS"]

_CAP_DAC_OVERRIDE: Final = 1 << 1
_CAP_FOWNER: Final = 1 << 3
_UNSET_ID: Final = 0xFFFFFFFF

_CGROUP_CONTROLLERS: Final = (b"cpuset", b"cpu", b"cpuacct", b"io", b"memory")
"""The controllers under which the one path of the unified hierarchy is reported."""

Read: TypeAlias = "Callable[[Snapshot], ParamValue | None]"
Params: TypeAlias = "list[ParamValue | None]"


def _program_flags(snapshot: Snapshot) -> int:
    path, program = snapshot.program_path(), snapshot.program()
    flags = 0
    if path is not None and path.startswith("/memfd:"):
        flags |= _FROM_MEMFD
    if program is not None and _is_writable(snapshot, program):
        flags |= _WRITABLE
    return flags


def _is_writable(snapshot: Snapshot, program: os.stat_result) -> bool:
    """Tell whether the process may write to its own program, or may give itself the permission to."""
    is_owner = snapshot.number(b"\nUid:", 1) == program.st_uid
    if is_owner or snapshot.mask(b"\nCapEff:") & (_CAP_DAC_OVERRIDE | _CAP_FOWNER):
        return True
    groups = snapshot.numbers(b"\nGroups:")
    if program.st_gid == snapshot.number(b"\nGid:", 1) or program.st_gid in groups:
        return bool(program.st_mode & stat.S_IWGRP)
    return bool(program.st_mode & stat.S_IWOTH)


def _of_program(member: str) -> Read:
    def read(snapshot: Snapshot) -> int | None:
        program = snapshot.program()
        value: int | None = None if program is None else getattr(program, member)
        return value

    return read


def _descriptor_limit(snapshot: Snapshot) -> int:
    try:
        return resource.prlimit(snapshot.tid, resource.RLIMIT_NOFILE)[0]
    except (OSError, ValueError):
        return -1


def _login_id(snapshot: Snapshot) -> int:
    data = read_file(f"/proc/{snapshot.tid}/loginuid").strip()
    return int(data) if data.isdigit() else _UNSET_ID


def _cgroups(snapshot: Snapshot) -> bytes:
    return _cgroup_pairs(read_file(f"/proc/{snapshot.tid}/cgroup"))


@lru_cache(64)
def _cgroup_pairs(content: bytes) -> bytes:
    """Return `controller=path` pairs, NUL after each, from a `cgroup` file, whose content is mostly the same."""
    pairs: list[bytes] = []
    for line in filter(None, content.split(b"\n")):  # a path may have other ends of lines
        _, controllers, path = line.split(b":", 2)
        if controllers.startswith(b"name="):
            continue  # a hierarchy without a controller, which limits nothing
        if controllers:
            pairs += [name + b"=" + path for name in controllers.split(b",")]
        elif not pairs or path != b"/":
            known = {pair.partition(b"=")[0] for pair in pairs}
            pairs += [name + b"=" + path for name in _CGROUP_CONTROLLERS if name not in known]
    return b"".join(pair + b"\0" for pair in pairs)


_READERS: Final[Mapping[str, Read]] = {
    "exe": lambda snapshot: snapshot.exe().decode("utf-8", "surrogateescape"),
    "args": lambda snapshot: snapshot.args(),
    "tid": lambda snapshot: snapshot.tid,
    "pid": lambda snapshot: snapshot.number(b"\nTgid:"),
    "ptid": lambda snapshot: snapshot.number(b"\nPPid:"),
    "cwd": lambda snapshot: read_link(f"/proc/{snapshot.tid}/cwd") or "",
    "fdlimit": _descriptor_limit,
    "pgft_maj": lambda snapshot: snapshot.column(9),
    "pgft_min": lambda snapshot: snapshot.column(7),
    "vm_size": lambda snapshot: snapshot.number(b"\nVmSize:"),
    "vm_rss": lambda snapshot: snapshot.number(b"\nVmRSS:"),
    "vm_swap": lambda snapshot: snapshot.number(b"\nVmSwap:"),
    "comm": lambda snapshot: snapshot.comm(),
    "cgroups": _cgroups,
    "env": lambda snapshot: snapshot.environment(),
    "tty": lambda snapshot: snapshot.column(4) & 0xFFFFFFFF,
    "vpgid": lambda snapshot: snapshot.number(b"\nNSpgid:", -1, snapshot.column(2)),
    "loginuid": _login_id,
    "cap_inheritable": lambda snapshot: snapshot.mask(b"\nCapInh:"),
    "cap_permitted": lambda snapshot: snapshot.mask(b"\nCapPrm:"),
    "cap_effective": lambda snapshot: snapshot.mask(b"\nCapEff:"),
    "exe_ino": _of_program("st_ino"),
    "exe_ino_ctime": _of_program("st_ctime_ns"),
    "exe_ino_mtime": _of_program("st_mtime_ns"),
    "uid": lambda snapshot: snapshot.number(b"\nUid:", 1),
    "trusted_exepath": lambda snapshot: snapshot.program_path(),
    "pgid": lambda snapshot: snapshot.column(2),
    "gid": lambda snapshot: snapshot.number(b"\nGid:", 1),
    "filename": lambda snapshot: snapshot.called_path(),
    "vtid": lambda snapshot: snapshot.number(b"\nNSpid:", -1, snapshot.tid),
    "vpid": lambda snapshot: snapshot.number(b"\nNStgid:", -1, snapshot.number(b"\nTgid:")),
    "pidns_init_start_ts": lambda snapshot: namespace_init_start(snapshot.tid),
}
"""What an event's parameter is, by its name; `flags` mean different things in executions and births."""


class _Form:
    """The parameters of one type of event, of which only those `wanted` are read; others stay absent."""

    __slots__ = ("_readers", "_size", "flags")

    def __init__(self, type: EventType, wanted: Iterable[str], flags: Read | None = None) -> None:
        readers = _READERS if flags is None else {**_READERS, "flags": flags}
        self.flags = type.index["flags"]
        self._size = len(type.params)
        self._readers = tuple(
            (type.index[name], readers[name]) for name in wanted if name in type.index and name in readers
        )

    def read(self, result: int, snapshot: Snapshot) -> Params | None:
        """Return the parameters, None when the thread is gone."""
        params: Params = [None] * self._size
        params[0] = result
        try:
            for position, read in self._readers:
                params[position] = read(snapshot)
        except ProcessLookupError:
            return None
        return params


class Lifecycle:
    """Reads the parameters of events of the execution and of the clone family. None is what is gone by then."""

    __slots__ = ("_birth", "_execution", "_failures", "_memory")

    def __init__(self, details: Details, memory: Memory) -> None:
        self._memory = memory
        self._execution = _Form(BY_NAME["execve"].exit, details.execution, _program_flags)
        self._failures = {
            name: _Form(BY_NAME[name].exit, details.failure, _program_flags)
            for name in ("execve", "execveat")
        }
        self._birth = _Form(BY_NAME["clone"].exit, details.birth)

    def executed(self, tid: int) -> Params | None:
        """Return the parameters of a successful execution, read from the new program."""
        return self._execution.read(0, Snapshot(self._memory, tid))

    def failed(self, name: str, tid: int, result: int, path: int, argv: int, envp: int) -> Params | None:
        """Return the parameters of a failed execution: the old process, the new program's name and arguments."""
        return self._failures[name].read(result, FailedExecution(self._memory, tid, path, argv, envp))

    def cloned(self, result: int, tid: int, kernel_flags: int) -> Params | None:
        """Return the parameters of a `clone` exit of thread `tid`: the parent's, or the child's with result 0."""
        snapshot = Snapshot(self._memory, tid)
        params = self._birth.read(result, snapshot)
        if params is not None:
            in_namespace = snapshot.number(b"\nNSpid:", -1, tid) != tid
            params[self._birth.flags] = kb.clone_flags(kernel_flags) | _IN_PID_NAMESPACE * in_namespace
        return params


def exited(status: int, reaper: int | None) -> Params:
    """Return the parameters of a thread's end from its wait status: status, code, signal, core, new parent."""
    signal = status & 0x7F
    return [status, 0 if signal else status >> 8 & 0xFF, signal, status >> 7 & 1, reaper]
