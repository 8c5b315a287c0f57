"""Who a thread acts as: users, groups, capabilities, its name, session and process group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.threads import UNKNOWN_ID, Thread
from refengine.state.transitions.params import integer, result, succeeded, text
from refengine.tables.capabilities import CAPABILITIES
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_PRCTL = FLAG_TABLES["prctl_options"]
_PR_SET_NAME = _PRCTL["PR_SET_NAME"]
_SUBREAPER = (_PRCTL["PR_SET_CHILD_SUBREAPER"], _PRCTL["PR_GET_CHILD_SUBREAPER"])
_CLONE_NEWUSER = FLAG_TABLES["clone_flags"]["CLONE_NEWUSER"]
ALL_CAPABILITIES = (1 << len(CAPABILITIES)) - 1
_COMM_LENGTH = 15
_RLIMIT_NOFILE = FLAG_TABLES["rlimit_resources"]["RLIMIT_NOFILE"]


def set_user(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the effective user: `setuid`, `seteuid`'s forms `setresuid` and `setreuid`."""
    uid = integer(event, "euid") if "euid" in event.type.index else integer(event, "uid")
    if succeeded(event) and uid is not None and uid != UNKNOWN_ID:
        thread.uid = uid


def set_group(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the effective group: `setgid`, `setresgid`, `setregid`."""
    gid = integer(event, "egid") if "egid" in event.type.index else integer(event, "gid")
    if succeeded(event) and gid is not None and gid != UNKNOWN_ID:
        thread.gid = gid


def set_capabilities(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the capabilities."""
    inheritable, permitted = integer(event, "cap_inheritable"), integer(event, "cap_permitted")
    effective = integer(event, "cap_effective")
    if succeeded(event) and inheritable is not None and permitted is not None and effective is not None:
        thread.cap_inheritable, thread.cap_permitted = inheritable, permitted
        thread.cap_effective = effective


def set_session(state: SystemState, event: Event, thread: Thread) -> None:
    """Make the process the leader of a new session."""
    sid = result(event)
    if sid is not None and sid >= 0:
        thread.sid = sid


def set_process_group(state: SystemState, event: Event, thread: Thread) -> None:
    """Move a process into a process group."""
    pid, pgid = integer(event, "pid"), integer(event, "pgid")
    if not succeeded(event) or pid is None or pgid is None:
        return
    moved = state.threads.get(pid) if pid else thread
    if moved is not None and moved.vpid == moved.pid:
        moved.pgid = moved.vpgid = pgid or moved.pid


def set_attribute(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the short name of a thread, or whether its process takes over orphans: `prctl`."""
    if not succeeded(event):
        return
    option = integer(event, "option")
    if option == _PR_SET_NAME:
        name = text(event, "arg2_str")
        if name is not None:
            cut = name.encode("utf-8", "surrogateescape")[:_COMM_LENGTH]
            thread.set_comm(cut.decode("utf-8", "surrogateescape"))
    elif option in _SUBREAPER and thread.group is not None:
        thread.group.is_reaper = bool(integer(event, "arg2_int"))


def enter_user_namespace(state: SystemState, event: Event, thread: Thread) -> None:
    """Give the thread every capability, as it has in a new user namespace: `unshare`, `setns`."""
    flags = integer(event, "flags" if "flags" in event.type.index else "nstype") or 0
    if succeeded(event) and flags & _CLONE_NEWUSER:
        thread.cap_inheritable = thread.cap_permitted = thread.cap_effective = ALL_CAPABILITIES


def set_limit(state: SystemState, event: Event, thread: Thread) -> None:
    """Note the limit of open files: `setrlimit`, `getrlimit`, `prlimit`."""
    if not succeeded(event) or integer(event, "resource") != _RLIMIT_NOFILE:
        return
    pid = integer(event, "pid")
    target = state.threads.get(pid) if pid else thread
    limit = integer(event, "newcur" if "newcur" in event.type.index else "cur")
    if target is not None and limit is not None and limit >= 0:
        (target.main or target).fdlimit = limit
