"""Descriptors that stand for other things than files and connections, and copies of descriptors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.descriptors import Descriptor
from refengine.state.threads import Thread
from refengine.state.transitions.params import integer, result, succeeded, text
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_FCNTL = FLAG_TABLES["fcntl_commands"]
_F_DUPFD, _F_DUPFD_CLOEXEC, _F_SETFD = _FCNTL["F_DUPFD"], _FCNTL["F_DUPFD_CLOEXEC"], _FCNTL["F_SETFD"]
_O_CLOEXEC = FLAG_TABLES["file_flags"]["O_CLOEXEC"]
_FD_CLOEXEC = 1


def new(kind: str) -> Callable[[SystemState, Event, Thread], None]:
    """Return the transition of a call that makes a nameless descriptor of the kind with this letter."""

    def transition(state: SystemState, event: Event, thread: Thread) -> None:
        number = result(event)
        if number is not None and number >= 0:
            state.open(event, thread, number, Descriptor(kind))
        else:
            thread.last_fd = -1

    return transition


def memfd(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a file in memory under its given name."""
    number = result(event)
    if number is not None and number >= 0:
        state.open(event, thread, number, Descriptor("m", text(event, "name") or ""))


def pidfd_open(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a descriptor of a process, named after the process's number."""
    number = result(event)
    if number is not None and number >= 0:
        descriptor = Descriptor("P", f"pid:{integer(event, 'pid')}")
        state.open(event, thread, number, descriptor)


def pidfd_getfd(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a copy of another process's descriptor."""
    number, target, handle = result(event), integer(event, "target_fd"), integer(event, "pid_fd")
    if number is None or number < 0 or target is None or handle is None:
        return
    process = state.descriptor(thread, handle)
    digits = process.name.removeprefix("pid:") if process is not None and process.type == "P" else ""
    owner = state.threads.get(int(digits)) if digits.isdecimal() else None
    original = state.descriptor(owner, target) if owner is not None else None
    if original is not None:
        state.open(event, thread, number, original.copy())


def pipe(state: SystemState, event: Event, thread: Thread) -> None:
    """Record both ends of a pipe; the event concerns the writing one."""
    first, second = integer(event, "fd1"), integer(event, "fd2")
    if not succeeded(event) or first is None or second is None:
        return
    inode = integer(event, "ino") or 0
    flags = integer(event, "flags") or 0
    for number in (first, second):
        descriptor = Descriptor("p", ino=inode, close_on_exec=bool(flags & _O_CLOEXEC))
        state.open(event, thread, number, descriptor)


def duplicate(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the copy that `dup`, `dup2` or `dup3` has made."""
    flags = integer(event, "flags") or 0
    _copy(state, event, thread, bool(flags & _O_CLOEXEC))


def fcntl(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a copy made by `F_DUPFD`, or whether a descriptor is closed on exec."""
    command = integer(event, "cmd")
    if command in (_F_DUPFD, _F_DUPFD_CLOEXEC):
        _copy(state, event, thread, command == _F_DUPFD_CLOEXEC)
    elif command == _F_SETFD and succeeded(event) and event.descriptor is not None:
        event.descriptor.close_on_exec = bool((integer(event, "arg") or 0) & _FD_CLOEXEC)


def _copy(state: SystemState, event: Event, thread: Thread, close_on_exec: bool) -> None:
    number = result(event)
    if number is None or number < 0:
        return
    original = event.descriptor
    if original is None:
        thread.last_fd = number
        return
    copy = original.copy()
    copy.close_on_exec = close_on_exec
    state.open(event, thread, number, copy)
