"""The events of a process's life: execution of a program, new threads and processes, their ends."""

from __future__ import annotations

import os
import stat
from typing import Final

from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.process import (
    Snapshot,
    file_status,
    namespace_init_start,
    read_environment,
    read_file,
    read_link,
    read_login_id,
    read_snapshot,
)
from refengine.backends.syscalls import kernel_bits as kb
from refengine.event import ParamValue
from refengine.tables.flags import FLAG_TABLES

_EXECVE = FLAG_TABLES["execve_flags"]
_WRITABLE: Final = _EXECVE["EXE_WRITABLE"]
_FROM_MEMFD: Final = _EXECVE["EXE_FROM_MEMFD"]
_IN_PID_NAMESPACE: Final = FLAG_TABLES["clone_flags"]["CLONE_CHILD_IN_PIDNS"]

_CAP_DAC_OVERRIDE: Final = 1 << 1
_CAP_FOWNER: Final = 1 << 3
_AT_EXECFN: Final = 31
_ARGUMENTS_MAX: Final = 4096


def executed(memory: Memory, tid: int) -> list[ParamValue | None] | None:
    """Return the parameters of a successful execution, read from the new program; None when it is gone."""
    snapshot = read_snapshot(tid)
    if snapshot is None:
        return None
    return _execution(
        0, snapshot, snapshot.exe, snapshot.args, read_environment(tid), _called_path(memory, tid)
    )


def execution_failed(
    memory: Memory, tid: int, result: int, path: int, argv: int, envp: int
) -> list[ParamValue | None] | None:
    """Return the parameters of a failed execution: the old process, the new program's name and arguments."""
    snapshot = read_snapshot(tid)
    if snapshot is None:
        return None
    arguments = memory.string_array(tid, argv, _ARGUMENTS_MAX)
    environment = memory.string_array(tid, envp, _ARGUMENTS_MAX)
    exe = arguments[0].decode("utf-8", "surrogateescape") if arguments else ""
    return _execution(
        result, snapshot, exe, _terminated(arguments[1:]), _terminated(environment), memory.string(tid, path)
    )


def _execution(
    result: int, snapshot: Snapshot, exe: str, args: bytes, environment: bytes, filename: str | None
) -> list[ParamValue | None]:
    tid = snapshot.tid
    path = read_link(f"/proc/{tid}/exe")
    program = file_status(f"/proc/{tid}/exe")
    return [
        result,
        exe,
        args,
        tid,
        snapshot.pid,
        snapshot.ptid,
        snapshot.cwd,
        snapshot.fdlimit,
        snapshot.major_faults,
        snapshot.minor_faults,
        snapshot.vm_size,
        snapshot.vm_rss,
        snapshot.vm_swap,
        snapshot.comm,
        snapshot.cgroups,
        environment,
        snapshot.tty,
        snapshot.vpgid,
        read_login_id(tid),
        _program_flags(snapshot, path, program),
        snapshot.cap_inheritable,
        snapshot.cap_permitted,
        snapshot.cap_effective,
        None if program is None else program.st_ino,
        None if program is None else program.st_ctime_ns,
        None if program is None else program.st_mtime_ns,
        snapshot.uid,
        path,
        snapshot.pgid,
        snapshot.gid,
        filename,
    ]


def _terminated(strings: tuple[bytes, ...]) -> bytes:
    return b"".join(string + b"\0" for string in strings)[:_ARGUMENTS_MAX]


def _called_path(memory: Memory, tid: int) -> str | None:
    """Return the path that the execution named, which the kernel leaves on the new program's stack."""
    vector = read_file(f"/proc/{tid}/auxv")
    for offset in range(0, len(vector) - 15, 16):
        if int.from_bytes(vector[offset : offset + 8], "little") == _AT_EXECFN:
            return memory.string(tid, int.from_bytes(vector[offset + 8 : offset + 16], "little"))
    return None


def _program_flags(snapshot: Snapshot, path: str | None, program: os.stat_result | None) -> int:
    flags = 0
    if path is not None and path.startswith("/memfd:"):
        flags |= _FROM_MEMFD
    if program is not None and _is_writable(snapshot, program):
        flags |= _WRITABLE
    return flags


def _is_writable(snapshot: Snapshot, program: os.stat_result) -> bool:
    """Tell whether the process may write to its own program, or may give itself the permission to."""
    if snapshot.cap_effective & (_CAP_DAC_OVERRIDE | _CAP_FOWNER) or snapshot.uid == program.st_uid:
        return True
    if program.st_gid == snapshot.gid or program.st_gid in snapshot.groups:
        return bool(program.st_mode & stat.S_IWGRP)
    return bool(program.st_mode & stat.S_IWOTH)


def cloned(result: int, tid: int, kernel_flags: int) -> list[ParamValue | None] | None:
    """Return the parameters of a `clone` exit of thread `tid`: the parent's, or the child's with result 0."""
    snapshot = read_snapshot(tid)
    if snapshot is None:
        return None
    flags = kb.clone_flags(kernel_flags)
    if snapshot.vtid != snapshot.tid:
        flags |= _IN_PID_NAMESPACE
    return [
        result,
        snapshot.exe,
        snapshot.args,
        tid,
        snapshot.pid,
        snapshot.ptid,
        snapshot.cwd,
        snapshot.fdlimit,
        snapshot.major_faults,
        snapshot.minor_faults,
        snapshot.vm_size,
        snapshot.vm_rss,
        snapshot.vm_swap,
        snapshot.comm,
        snapshot.cgroups,
        flags,
        snapshot.uid,
        snapshot.gid,
        snapshot.vtid,
        snapshot.vpid,
        namespace_init_start(tid),
    ]


def exited(status: int, reaper: int | None) -> list[ParamValue | None]:
    """Return the parameters of a thread's end from its wait status: status, code, signal, core, new parent."""
    signal = status & 0x7F
    return [status, 0 if signal else status >> 8 & 0xFF, signal, status >> 7 & 1, reaper]
