"""The events of a process's life, from the kernel's records of it."""

from __future__ import annotations

import stat
import struct
from typing import Final

from refengine.backends.ebpf.captures import STRINGS_MAX
from refengine.backends.ebpf.layout import BlobKind, Program
from refengine.backends.ebpf.record import Record, decoded
from refengine.backends.syscalls import kernel_bits as kb
from refengine.event import ParamValue
from refengine.tables.event_types import BY_ENUM, EventType
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import BY_NAME, BY_NUMBER

EXECVE: Final = BY_NAME["execve"].exit
PROCESS_EXIT: Final = BY_ENUM["PROCEXIT_1_E"]
_CLONE: Final = BY_NAME["clone"].exit
_BIRTHS: Final = {BY_NAME[name].number: BY_NAME[name].exit for name in ("clone", "clone3", "fork", "vfork")}

_EXECVE_FLAGS = FLAG_TABLES["execve_flags"]
_WRITABLE: Final = _EXECVE_FLAGS["EXE_WRITABLE"]
_UPPER_LAYER: Final = _EXECVE_FLAGS["EXE_UPPER_LAYER"]
_LOWER_LAYER: Final = _EXECVE_FLAGS["EXE_LOWER_LAYER"]
_FROM_MEMFD: Final = _EXECVE_FLAGS["EXE_FROM_MEMFD"]
_POINTER: Final = struct.Struct("=Q")
_CAP_DAC_OVERRIDE: Final = 1 << 1
_CAP_FOWNER: Final = 1 << 3
_KILOBYTES_A_PAGE: Final = 4
_CONTROLLERS: Final = (b"cpuset", b"cpu", b"cpuacct", b"io")
"""The controllers that are reported under the one path of the unified hierarchy."""


def executed(record: Record) -> list[ParamValue | None]:
    """Return the parameters of a successful execution."""
    head = record.head
    program = record.program()
    first, _, rest = (record.blob(BlobKind.ARGUMENTS) or b"").partition(b"\0")
    path = record.path(BlobKind.PROGRAM_PATH)
    params: list[ParamValue | None] = [
        0,
        decoded(first),
        rest,
        head.tid,
        head.pid,
        head.ppid,
        record.path(BlobKind.WORKING_DIRECTORY),
    ]
    if program is None:
        params += [None] * 6
    else:
        params += [
            program.descriptor_limit if program.descriptor_limit < 1 << 63 else -1,
            program.major_faults,
            program.minor_faults,
            program.mapped * _KILOBYTES_A_PAGE,
            None,
            None,
        ]
    params += [record.comm, cgroups(record), record.blob(BlobKind.ENVIRONMENT)]
    if program is None:
        params += [None] * 10
    else:
        params += [
            program.tty,
            program.vpgid,
            program.loginuid,
            _flags(program, head.uid, head.gid, path or ""),
            program.inheritable,
            program.permitted,
            program.effective,
            program.inode,
            program.changed,
            program.modified,
        ]
    params += [
        head.uid,
        path,
        None if program is None else program.pgid,
        head.gid,
        record.text(BlobKind.CALLED_PATH),
    ]
    return params


def cgroups(record: Record) -> bytes | None:
    """Return the control groups as `controller=path`, NUL after each; None where the record does not tell."""
    unified = record.blob(BlobKind.CGROUP, 0)
    memory = record.blob(BlobKind.CGROUP, 1)
    if unified is None and memory is None:
        return None
    pairs = [b"memory=" + memory] if memory is not None else []
    if unified is not None and (unified != b"/" or not pairs):
        pairs += [name + b"=" + unified for name in _CONTROLLERS]
    return b"".join(pair + b"\0" for pair in pairs)


def _flags(program: Program, uid: int, gid: int, path: str) -> int:
    flags = 0
    if path.startswith("/memfd:"):
        flags |= _FROM_MEMFD
    if program.upper_layer:
        flags |= _UPPER_LAYER
    if program.lower_layer:
        flags |= _LOWER_LAYER
    if _is_writable(program, uid, gid):
        flags |= _WRITABLE
    return flags


def _is_writable(program: Program, uid: int, gid: int) -> bool:
    """Tell whether the process may write to its own program, or may give itself the permission to."""
    if program.effective & (_CAP_DAC_OVERRIDE | _CAP_FOWNER) or uid == program.owner:
        return True
    if gid == program.group:
        return bool(program.mode & stat.S_IWGRP)
    return bool(program.mode & stat.S_IWOTH)


def failed_execution(record: Record, name: str) -> list[ParamValue | None]:
    """Return the parameters of an execution that failed: of the new program, path and arguments are known."""
    head = record.head
    type = BY_NAME[name].exit
    params: list[ParamValue | None] = [None] * len(type.params)
    position = 1 if name == "execveat" else 0
    arguments = _meant_arguments(record, head.args[position + 1])
    for parameter, value in (
        ("res", head.result),
        ("exe", arguments[0] if arguments else None),
        (
            "args",
            b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in arguments[1:])
            if arguments
            else None,
        ),
        ("tid", head.tid),
        ("pid", head.pid),
        ("ptid", head.ppid),
        ("comm", record.comm),
        ("uid", head.uid),
        ("gid", head.gid),
        ("filename", record.string(head.tid, head.args[position])),
    ):
        index = type.index.get(parameter)
        if index is not None:
            params[index] = value
    return params


def _meant_arguments(record: Record, address: int) -> list[str]:
    """Return the arguments in the vector at an address, as many as were copied and could be read."""
    table = record.bytes_at(record.head.tid, address, STRINGS_MAX * _POINTER.size) or b""
    found = []
    for (entry,) in _POINTER.iter_unpack(table[: len(table) & ~7]):
        text = record.string(record.head.tid, entry) if entry else None
        if text is None:
            break
        found.append(text)
    return found


def born(record: Record) -> list[ParamValue | None]:
    """Return the parameters of the call that made a thread or process, as they are for the one that made it."""
    head, child = record.head, record.child()
    type = birth_type(record)
    params: list[ParamValue | None] = [None] * len(type.params)
    flags = 0 if child is None else child.flags
    if type.name == "clone":
        flags |= head.arg0 & 0xFFFFFFFF
    for parameter, value in (
        ("res", head.result),
        ("tid", head.tid),
        ("pid", head.pid),
        ("ptid", head.ppid),
        ("comm", record.comm),
        ("flags", kb.clone_flags(flags)),
        ("uid", head.uid),
        ("gid", head.gid),
        ("vtid", head.tid if child is None else child.vtid),
        ("vpid", head.pid if child is None else child.vpid),
    ):
        params[type.index[parameter]] = value
    return params


def returned(record: Record) -> list[ParamValue | None] | None:
    """Return the parameters of the same call as they are for the one that was made, None where it is not known."""
    child = record.child()
    if child is None:
        return None
    params = born(record)
    type = birth_type(record)
    for parameter, value in (("res", 0), ("tid", child.tid), ("pid", child.pid), ("ptid", child.parent)):
        params[type.index[parameter]] = value
    return params


def birth_type(record: Record) -> EventType:
    """Return the type of the event of a new thread or process."""
    call = BY_NUMBER.get(record.head.number)
    return _CLONE if call is None else _BIRTHS.get(call.number, _CLONE)


def ended(record: Record) -> list[ParamValue | None]:
    """Return the parameters of a thread's end: status, code, signal, core, new parent."""
    status = record.head.result & 0xFFFFFFFF
    signal = status & 0x7F
    return [status, 0 if signal else status >> 8 & 0xFF, signal, status >> 7 & 1, None]
