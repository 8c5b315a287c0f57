"""Who a thread acts as: users, groups, capabilities, its name, session and process group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.threads import UNKNOWN_ID, Thread
from refengine.state.transitions.params import integer, result, succeeded, text
from refengine.state.users import Group, User
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_PR_SET_NAME = FLAG_TABLES["prctl_options"]["PR_SET_NAME"]
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
    """Make the process the leader of a new session, with no terminal."""
    sid = result(event)
    if sid is not None and sid >= 0:
        thread.sid = sid
        thread.tty = 0


def set_process_group(state: SystemState, event: Event, thread: Thread) -> None:
    """Move a process into a process group."""
    pid, pgid = integer(event, "pid"), integer(event, "pgid")
    if not succeeded(event) or pid is None or pgid is None:
        return
    moved = state.threads.get(pid) if pid else thread
    if moved is not None and moved.vpid == moved.pid:
        moved.pgid = moved.vpgid = pgid or moved.pid


def set_name(state: SystemState, event: Event, thread: Thread) -> None:
    """Change the short name of a thread: `prctl(PR_SET_NAME)`."""
    name = text(event, "arg2_str")
    if succeeded(event) and integer(event, "option") == _PR_SET_NAME and name is not None:
        thread.set_comm(
            name.encode("utf-8", "surrogateescape")[:_COMM_LENGTH].decode("utf-8", "surrogateescape")
        )


def set_limit(state: SystemState, event: Event, thread: Thread) -> None:
    """Note a new limit of open files."""
    if not succeeded(event) or integer(event, "resource") != _RLIMIT_NOFILE:
        return
    pid = integer(event, "pid")
    target = state.threads.get(pid) if pid else thread
    limit = integer(event, "newcur" if "newcur" in event.type.index else "cur")
    if target is not None and limit is not None and limit >= 0:
        (target.main or target).fdlimit = limit


def add_user(state: SystemState, event: Event, thread: Thread) -> None:
    """Take in a user that was added to the machine's own users."""
    uid, gid = integer(event, "uid"), integer(event, "gid")
    if uid is not None and gid is not None and not text(event, "container_id"):
        name, home, shell = text(event, "name") or "", text(event, "home") or "", text(event, "shell") or ""
        state.users.add_user(User(uid, gid, name, home, shell))


def remove_user(state: SystemState, event: Event, thread: Thread) -> None:
    """Forget a user that was removed from the machine's own users."""
    uid = integer(event, "uid")
    if uid is not None and not text(event, "container_id"):
        state.users.remove_user(uid)


def add_group(state: SystemState, event: Event, thread: Thread) -> None:
    """Take in a group that was added to the machine's own groups."""
    gid = integer(event, "gid")
    if gid is not None and not text(event, "container_id"):
        state.users.add_group(Group(gid, text(event, "name") or ""))


def remove_group(state: SystemState, event: Event, thread: Thread) -> None:
    """Forget a group that was removed from the machine's own groups."""
    gid = integer(event, "gid")
    if gid is not None and not text(event, "container_id"):
        state.users.remove_group(gid)
