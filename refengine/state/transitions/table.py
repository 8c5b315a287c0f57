"""The transitions by event type, and which parameter is the descriptor that an event concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from refengine.event import Event
from refengine.state.threads import Thread
from refengine.state.transitions import descriptors, files, identity, processes, sockets, usage
from refengine.tables.event_types import EVENT_TYPES, EventType
from refengine.values import ValueType

if TYPE_CHECKING:
    from refengine.state.system import SystemState

Transition: TypeAlias = "Callable[[SystemState, Event, Thread], None]"
"""Carries out what an event changes; called with the acting thread before the rules see the event."""

_BY_NAME: Mapping[str, Transition] = {
    **dict.fromkeys(("clone", "clone3", "fork", "vfork"), processes.clone),
    **dict.fromkeys(("execve", "execveat"), processes.execute),
    "procexit": processes.leave,
    **dict.fromkeys(("open", "openat", "openat2", "open_by_handle_at"), files.open_file),
    "creat": files.create_file,
    "close": files.close,
    "close_range": files.close_range,
    "chdir": files.chdir,
    "fchdir": files.fchdir,
    "chroot": files.chroot,
    "eventfd": descriptors.new("e"),
    "eventfd2": descriptors.new("e"),
    "signalfd": descriptors.new("s"),
    "signalfd4": descriptors.new("s"),
    "timerfd_create": descriptors.new("t"),
    "inotify_init": descriptors.new("i"),
    "inotify_init1": descriptors.new("i"),
    "bpf": descriptors.new("b"),
    "userfaultfd": descriptors.new("U"),
    "io_uring_setup": descriptors.new("r"),
    "epoll_create": descriptors.new("l"),
    "epoll_create1": descriptors.new("l"),
    "memfd_create": descriptors.memfd,
    "pidfd_open": descriptors.pidfd_open,
    "pidfd_getfd": descriptors.pidfd_getfd,
    "pipe": descriptors.pipe,
    "pipe2": descriptors.pipe,
    "dup": descriptors.duplicate,
    "dup2": descriptors.duplicate,
    "dup3": descriptors.duplicate,
    "fcntl": descriptors.fcntl,
    "socket": sockets.create,
    "bind": sockets.bind,
    "connect": sockets.connect,
    "accept": sockets.accept,
    "accept4": sockets.accept,
    "socketpair": sockets.socketpair,
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), sockets.send),
    **dict.fromkeys(("recvfrom", "recvmsg", "recvmmsg"), sockets.receive),
    **dict.fromkeys(("setuid", "setresuid", "setreuid"), identity.set_user),
    **dict.fromkeys(("setgid", "setresgid", "setregid"), identity.set_group),
    "capset": identity.set_capabilities,
    "setsid": identity.set_session,
    "setpgid": identity.set_process_group,
    "prctl": identity.set_name,
    "setrlimit": identity.set_limit,
    "prlimit": identity.set_limit,
    **dict.fromkeys(("brk", "mmap", "mmap2", "munmap"), usage.map_memory),
    "switch": usage.switch,
    "procinfo": usage.account,
    "useradded": identity.add_user,
    "userdeleted": identity.remove_user,
    "groupadded": identity.add_group,
    "groupdeleted": identity.remove_group,
}

_ONE_SIDED = frozenset(
    {"procexit", "switch", "procinfo", "useradded", "userdeleted", "groupadded", "groupdeleted"}
)
"""Events without an exit row: they happen at once."""

_FD_TYPES = (ValueType.FD, ValueType.FD32)


def _transition(row: EventType) -> Transition | None:
    if row.is_exit or row.name in _ONE_SIDED:
        return _BY_NAME.get(row.name)
    return None


def _concerned(row: EventType) -> int | None:
    """Return the first parameter that is a descriptor and not the result."""
    if not row.flags & {"uses_fd"}:
        return None
    for position, param in enumerate(row.params):
        if param.type in _FD_TYPES and param.name != "res":
            return position
    return len(row.params)


class Plan(NamedTuple):
    """What is done about events of one type.

    `meets` says whether the event makes a thread known that was not, `concerns` is the position of the
    descriptor that it refers to, and `transition` carries out what it changes, None where that is nothing.
    """

    meets: bool
    concerns: int | None
    transition: Transition | None


PLANS: tuple[Plan, ...] = tuple(
    Plan("skip_parser_reset" not in row.flags, _concerned(row), _transition(row)) for row in EVENT_TYPES
)
"""The plans by event code."""
