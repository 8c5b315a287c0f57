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
_COPYING = (_FCNTL["F_DUPFD"], _FCNTL["F_DUPFD_CLOEXEC"])


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
    """Record a descriptor of a process."""
    number = result(event)
    if number is not None and number >= 0:
        descriptor = Descriptor("P", process=integer(event, "pid") or 0)
        state.open(event, thread, number, descriptor)


def pidfd_getfd(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a copy of another process's descriptor."""
    number, target, handle = result(event), integer(event, "target_fd"), integer(event, "pid_fd")
    if number is None or number < 0 or target is None or handle is None:
        return
    held = state.descriptor(thread, handle)
    owner = state.threads.get(held.process) if held is not None else None
    original = state.descriptor(owner, target) if owner is not None else None
    if original is not None:
        state.open(event, thread, number, original.copy())


def pipe(state: SystemState, event: Event, thread: Thread) -> None:
    """Record both ends of a pipe; the event concerns the writing one."""
    first, second = integer(event, "fd1"), integer(event, "fd2")
    if not succeeded(event) or first is None or second is None:
        return
    inode, flags = integer(event, "ino") or 0, integer(event, "flags") or 0
    for number in (first, second):
        state.open(event, thread, number, Descriptor("p", open_flags=flags, ino=inode))


def duplicate(state: SystemState, event: Event, thread: Thread) -> None:
    """Record the copy that `dup`, `dup2` or `dup3` has made."""
    number, original = result(event), event.descriptor
    if number is not None and number >= 0 and original is not None:
        state.open(event, thread, number, original.copy())


def fcntl(state: SystemState, event: Event, thread: Thread) -> None:
    """Record a copy made by `F_DUPFD` or `F_DUPFD_CLOEXEC`."""
    if integer(event, "cmd") in _COPYING:
        duplicate(state, event, thread)
