"""From the connector's messages to events of system calls that do such things."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from refengine.backends.fanotify.programs import Glance, program_of
from refengine.backends.fanotify.sightings import Sighting
from refengine.backends.netlink import process_events as connector
from refengine.backends.netlink.process_events import ProcessEvent
from refengine.event import Event, ParamValue
from refengine.state.procfs import read_boot_time
from refengine.state.threads import CLONE_FILES, CLONE_FS, CLONE_THREAD
from refengine.tables.event_types import BY_ENUM, EventType
from refengine.tables.flags import FLAG_TABLES

_EXECVE: Final = BY_ENUM["SYSCALL_EXECVE_19_X"]
_CLONE: Final = BY_ENUM["SYSCALL_CLONE_20_X"]
_EXIT: Final = BY_ENUM["PROCEXIT_1_E"]
_SETRESUID: Final = BY_ENUM["SYSCALL_SETRESUID_X"]
_SETRESGID: Final = BY_ENUM["SYSCALL_SETRESGID_X"]
_SETSID: Final = BY_ENUM["SYSCALL_SETSID_X"]
_PRCTL: Final = BY_ENUM["SYSCALL_PRCTL_X"]

PROCESS_EVENTS: Final = frozenset(
    {"execve", "clone", "procexit", "setresuid", "setresgid", "setsid", "prctl"}
)
"""The types of the events that are made of the connector's messages."""

_PROGRAM = FLAG_TABLES["execve_flags"]
_PR_SET_NAME: Final = FLAG_TABLES["prctl_options"]["PR_SET_NAME"]
_OF_THREADS: Final = CLONE_THREAD | CLONE_FILES | CLONE_FS
_TEXTS_LIMIT: Final = 4096


class ProcessEvents:
    """Makes events of messages.

    `unseen` counts programs that had ended before they could be looked at.
    """

    def __init__(self) -> None:
        self.unseen = 0
        self._boot_time = read_boot_time()
        self._offset = time.time_ns() - time.monotonic_ns()

    def events(self, sighting: Sighting, opened: Sequence[str] = ()) -> list[Event]:
        """Return the events of a message: of a fork the maker's and the child's return.

        `opened` are the files that were opened to execute the program: itself, and what interprets it.
        """
        message, seen = sighting
        kind, tid, pid, numbers = message.kind, message.tid, message.pid, message.numbers
        if kind == connector.EXEC and seen is not None:
            return [self._event(_EXECVE, message, self._execution(pid, seen, opened), pid)]
        if kind == connector.FORK:
            child, process = numbers
            flags = _OF_THREADS if process == pid else 0
            return [
                self._event(_CLONE, message, _cloned(child, tid, pid, None, flags)),
                self._event(_CLONE, message, _cloned(0, child, process, pid, flags), child),
            ]
        if kind == connector.EXIT:
            status = numbers[0]
            signal = status & 0x7F
            code = 0 if signal else status >> 8 & 0xFF
            return [self._event(_EXIT, message, (status, code, signal, status >> 7 & 1, None))]
        if kind == connector.UID:
            return [self._event(_SETRESUID, message, (0, *numbers, None))]
        if kind == connector.GID:
            return [self._event(_SETRESGID, message, (0, *numbers, None))]
        if kind == connector.SID:
            return [self._event(_SETSID, message, (pid,))]
        if kind == connector.COMM:
            return [self._event(_PRCTL, message, (0, _PR_SET_NAME, message.text, None))]
        return []

    def _event(
        self,
        type: EventType,
        message: ProcessEvent,
        params: tuple[ParamValue | None, ...],
        tid: int | None = None,
    ) -> Event:
        return Event(
            type,
            message.time + self._offset,
            message.tid if tid is None else tid,
            params,
            cpu=message.cpu,
        )

    def _execution(self, pid: int, seen: Glance, opened: Sequence[str]) -> tuple[ParamValue | None, ...]:
        """Return the parameters of a new program, as the process shows them now."""
        if not seen.command:
            self.unseen += 1
        now, is_there = program_of(pid, seen, opened, self._boot_time)
        flags = (_PROGRAM["EXE_WRITABLE"] if now.exe_writable else 0) | (
            _PROGRAM["EXE_FROM_MEMFD"] if now.exe_from_memfd else 0
        )
        known: dict[str, ParamValue | None] = {
            "res": 0,
            "exe": now.exe,
            "args": _terminated(now.args),
            "tid": pid,
            "pid": pid,
            "comm": now.comm,
            "flags": flags if is_there else None,
            "cwd": now.cwd,
            "env": _terminated(now.env),
            "exe_ino": now.exe_ino or None,
            "exe_ino_ctime": now.exe_ino_ctime or None,
            "exe_ino_mtime": now.exe_ino_mtime or None,
            "trusted_exepath": now.exepath,
        }
        if is_there:
            known |= {
                "ptid": now.ptid,
                "fdlimit": now.fdlimit,
                "pgft_maj": now.pfmajor,
                "pgft_min": now.pfminor,
                "vm_size": now.vmsize,
                "vm_rss": now.vmrss,
                "vm_swap": now.vmswap,
                "tty": now.tty,
                "vpgid": now.vpgid,
                "loginuid": now.loginuid,
                "cap_inheritable": now.cap_inheritable,
                "cap_permitted": now.cap_permitted,
                "cap_effective": now.cap_effective,
                "uid": now.uid,
                "pgid": now.pgid,
                "gid": now.gid,
            }
        return tuple(known.get(param.name) for param in _EXECVE.params)


def _cloned(result: int, tid: int, pid: int, parent: int | None, flags: int) -> tuple[ParamValue | None, ...]:
    """Return the parameters of a new thread; what it inherits is what is known of its maker."""
    known = {"res": result, "tid": tid, "pid": pid, "ptid": parent, "flags": flags}
    return tuple(known.get(param.name) for param in _CLONE.params)


def _terminated(texts: tuple[str, ...]) -> bytes:
    return b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in texts)[:_TEXTS_LIMIT]
