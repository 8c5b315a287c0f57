"""The transitions by event type, and which parameter is the descriptor that an event concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from refengine.event import Event
from refengine.state.threads import Thread
from refengine.state.transitions import descriptors, files, identity, notices, processes, sockets, usage
from refengine.tables.event_types import BY_ENUM, EVENT_TYPES, EventType
from refengine.values import ValueType

if TYPE_CHECKING:
    from refengine.state.system import SystemState

Transition: TypeAlias = "Callable[[SystemState, Event, Thread], None]"
"""Carries out what an event changes; called with the acting thread before the rules see the event."""

Notice: TypeAlias = "Callable[[SystemState, Event], None]"
"""Carries out what an event without a thread changes."""

_BY_NAME: Mapping[str, Transition] = {
    **dict.fromkeys(("clone", "clone3", "fork", "vfork"), processes.clone),
    **dict.fromkeys(("execve", "execveat"), processes.execute),
    "procexit": processes.leave,
    **dict.fromkeys(("open", "openat", "openat2", "open_by_handle_at"), files.open_file),
    "creat": files.create_file,
    "close": files.close,
    "close_range": files.close_range,
    **dict.fromkeys(("chdir", "getcwd"), files.chdir),
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
    **dict.fromkeys(("send", "sendto", "sendmsg", "sendmmsg"), sockets.send),
    **dict.fromkeys(("recv", "recvfrom", "recvmsg", "recvmmsg"), sockets.receive),
    **dict.fromkeys(("setuid", "setresuid", "setreuid"), identity.set_user),
    **dict.fromkeys(("setgid", "setresgid", "setregid"), identity.set_group),
    "capset": identity.set_capabilities,
    "setsid": identity.set_session,
    "setpgid": identity.set_process_group,
    "prctl": identity.set_attribute,
    **dict.fromkeys(("unshare", "setns"), identity.enter_user_namespace),
    **dict.fromkeys(("setrlimit", "getrlimit"), identity.set_limit),
    "prlimit": identity.set_limit,
    **dict.fromkeys(("brk", "mmap", "mmap2", "munmap"), usage.map_memory),
    "switch": usage.switch,
    "procinfo": usage.account,
}

NOTICES: Mapping[int, Notice] = {
    BY_ENUM["USER_ADDED_E"].code: notices.add_user,
    BY_ENUM["USER_DELETED_E"].code: notices.remove_user,
    BY_ENUM["GROUP_ADDED_E"].code: notices.add_group,
    BY_ENUM["GROUP_DELETED_E"].code: notices.remove_group,
}
"""What events without a thread change, by their codes."""

_ONE_SIDED = frozenset({"procexit", "switch", "procinfo"})
"""Events without an exit row: they happen at once."""

_UNMET = frozenset({"procexit", "switch"})
"""Events that do not make a thread known: it is about to go, or has its events behind it."""

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

    `has_thread` is false for those that no thread did, `meets` says whether the event makes a thread known that
    was not, `concerns` is the position of the descriptor that it refers to, and `transition` carries out what it
    changes, None where that is nothing.
    """

    has_thread: bool
    meets: bool
    concerns: int | None
    transition: Transition | None


def _plan(row: EventType) -> Plan:
    is_made_up = row.source == "metaevent"
    meets = not is_made_up and row.name not in _UNMET and "skip_parser_reset" not in row.flags
    return Plan(not is_made_up or row.name == "procinfo", meets, _concerned(row), _transition(row))


PLANS: tuple[Plan, ...] = tuple(map(_plan, EVENT_TYPES))
"""The plans by event code."""
