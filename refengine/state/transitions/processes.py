"""New threads and processes, programs that they start, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.threads import CLONE_FILES, CLONE_FS, CLONE_PARENT, CLONE_THREAD, Thread
from refengine.state.transitions.params import data, integer, result, strings, succeeded, text
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_CHILD_IN_PIDNS = FLAG_TABLES["clone_flags"]["CLONE_CHILD_IN_PIDNS"]
_EXECVE = FLAG_TABLES["execve_flags"]
_INIT = 1


def clone(state: SystemState, event: Event, thread: Thread) -> None:
    """Take in the new thread, at the return of `clone`, `fork` and the like in the parent or in the child."""
    returned = result(event)
    if returned is None or returned < 0:
        return
    if returned > 0:
        _clone_in_parent(state, event, thread, returned)
    elif thread.clone_time == 0 or thread.pid < 0:
        _clone_in_child(state, event, thread)


def _clone_in_parent(state: SystemState, event: Event, parent: Thread, tid: int) -> None:
    flags = integer(event, "flags") or 0
    if flags & _CHILD_IN_PIDNS and not flags & CLONE_THREAD:
        # The numbers that this side knows are those of another namespace: the child's own return tells.
        return
    known = state.threads.get(tid)
    if known is not None and not known.is_dead and known.ptid in (parent.tid, parent.pid, parent.ptid):
        return
    is_thread = bool(flags & CLONE_THREAD)
    child = _copied(parent, tid, parent.pid if is_thread else tid, flags)
    child.ptid = parent.ptid if flags & (CLONE_THREAD | CLONE_PARENT) else parent.tid
    in_namespace = parent.vtid not in (-1, parent.tid)
    child.vtid = -1 if in_namespace else tid
    child.vpid = parent.vpid if is_thread else child.vtid
    child.clone_time = event.time
    _read_common(state, event, child)
    _share_descriptors(parent, child)
    state.threads.add(child)


def _clone_in_child(state: SystemState, event: Event, thread: Thread) -> None:
    """Fill in a thread that is first heard of by its own return from the call."""
    flags = integer(event, "flags") or 0
    pid = integer(event, "pid")
    ptid = integer(event, "ptid")
    is_thread = bool(flags & CLONE_THREAD)
    model = state.threads.get(pid if is_thread and pid is not None else ptid or -1)
    if model is None:
        model = thread
    child = _copied(model, thread.tid, pid if pid is not None and pid > 0 else thread.tid, flags)
    child.ptid = ptid if ptid is not None else model.tid
    child.vtid = _or(integer(event, "vtid"), thread.tid)
    child.vpid = _or(integer(event, "vpid"), child.pid)
    start = integer(event, "pidns_init_start_ts")
    child.pidns_init_start_time = start if start is not None else model.pidns_init_start_time
    child.clone_time = event.time
    _read_common(state, event, child)
    if model is not thread:
        _share_descriptors(model, child)
    state.threads.add(child)
    event.thread = child


def execute(state: SystemState, event: Event, thread: Thread) -> None:
    """Give the thread the program that it has started: `execve`, `execveat`."""
    if not succeeded(event):
        return
    main = _leader(state, event, thread)
    comm, args = text(event, "comm"), strings(event, "args")
    if comm is None or args is None or text(event, "trusted_exepath") is None:
        _refresh(state, main)
    _read_common(state, event, main)
    main.flags &= ~(CLONE_FILES | CLONE_FS | CLONE_THREAD)
    env = strings(event, "env")
    if env is not None:
        main.set_env(env)
    _read_identity(state, event, main)
    _read_executable(event, main)
    main.exec_time = event.time
    for number, descriptor in tuple(main.descriptors.items()):
        if descriptor.close_on_exec:
            del main.descriptors[number]


def leave(state: SystemState, event: Event, thread: Thread) -> None:
    """End a thread, handing its children on; it stays known while this event is evaluated."""
    state.threads.mark_dead(thread)
    state.leave_later(thread.tid)
    if not thread.children:
        return
    heir = _heir(state, event, thread)
    for tid in tuple(thread.children):
        child = state.threads.get(tid)
        if child is not None and heir is not None and child is not heir:
            state.threads.reparent(child, heir)
    thread.children.clear()


def _leader(state: SystemState, event: Event, thread: Thread) -> Thread:
    """Return the main thread of the process, which alone is left once a program has been started."""
    main = thread
    if thread.pid not in (-1, thread.tid):
        main = state.threads.get(thread.pid) or thread
        event.thread = main
    group = main.group
    if group is not None and len(group.members) > 1:
        for tid in tuple(group.members):
            if tid != main.tid:
                state.threads.drop(tid)
    return main


def _heir(state: SystemState, event: Event, thread: Thread) -> Thread | None:
    """Return who takes over the children: whom the event names, another thread of the process, or init."""
    named = integer(event, "reaper_tid")
    if named is not None and named > 0:
        return state.threads.get(named)
    group = thread.group
    for tid in group.members if group is not None else ():
        other = state.threads.get(tid)
        if other is not None and not other.is_dead:
            return other
    return state.threads.get(_INIT)


def _copied(model: Thread, tid: int, pid: int, flags: int) -> Thread:
    """Return a new thread with what a child inherits."""
    child = Thread(tid, pid, model.threads)
    child.pgid, child.vpgid, child.sid, child.tty = model.pgid, model.vpgid, model.sid, model.tty
    child.inherit_command(model)
    child.cwd, child.root = model.working_directory(), model.root
    child.uid, child.gid, child.loginuid = model.uid, model.gid, model.loginuid
    child.cap_permitted, child.cap_inheritable = model.cap_permitted, model.cap_inheritable
    child.cap_effective = model.cap_effective
    child.cgroups = model.cgroups
    child.pidns_init_start_time = model.pidns_init_start_time
    child.exec_time = model.exec_time
    child.fdlimit = model.fdlimit
    child.flags = flags
    return child


def _share_descriptors(parent: Thread, child: Thread) -> None:
    """Give the child its copy of the parent's descriptors, unless the two share one table."""
    if child.pid == parent.pid:
        child.flags |= CLONE_FILES
        child.descriptors = parent.descriptors
    elif child.flags & CLONE_FILES:
        child.descriptors = parent.descriptors
    else:
        child.descriptors = parent.descriptors.copy()


def _read_common(state: SystemState, event: Event, thread: Thread) -> None:
    """Take over what the events of new threads and of new programs both tell."""
    comm, exe, args = text(event, "comm"), text(event, "exe"), strings(event, "args")
    if comm is not None or exe is not None or args is not None:
        thread.set_command(
            thread.comm if comm is None else comm,
            thread.exe if exe is None else exe,
            thread.args if args is None else args,
        )
    cgroups = data(event, "cgroups")
    if cgroups is not None:
        thread.cgroups = state.cgroups(cgroups)
    thread.fdlimit = _or(integer(event, "fdlimit"), thread.fdlimit)
    thread.pfmajor = _or(integer(event, "pgft_maj"), thread.pfmajor)
    thread.pfminor = _or(integer(event, "pgft_min"), thread.pfminor)
    thread.vmsize = _or(integer(event, "vm_size"), thread.vmsize)
    thread.vmrss = _or(integer(event, "vm_rss"), thread.vmrss)
    thread.vmswap = _or(integer(event, "vm_swap"), thread.vmswap)
    thread.uid = _or(integer(event, "uid"), thread.uid)
    thread.gid = _or(integer(event, "gid"), thread.gid)


def _read_identity(state: SystemState, event: Event, thread: Thread) -> None:
    pid, ptid = integer(event, "pid"), integer(event, "ptid")
    if thread.pid < 0 and pid is not None:
        state.threads.enter_process(thread, pid)
        thread.vtid, thread.vpid = thread.tid, pid
    if thread.ptid < 0 and ptid is not None:
        thread.ptid = ptid
    thread.tty = _or(integer(event, "tty"), thread.tty)
    thread.vpgid = _or(integer(event, "vpgid"), thread.vpgid)
    thread.pgid = _or(integer(event, "pgid"), thread.pgid)
    thread.loginuid = _or(integer(event, "loginuid"), thread.loginuid)
    thread.cap_inheritable = _or(integer(event, "cap_inheritable"), thread.cap_inheritable)
    thread.cap_permitted = _or(integer(event, "cap_permitted"), thread.cap_permitted)
    thread.cap_effective = _or(integer(event, "cap_effective"), thread.cap_effective)


def _read_executable(event: Event, thread: Thread) -> None:
    path = text(event, "trusted_exepath")
    if path is not None:
        thread.exepath = path
    flags = integer(event, "flags")
    if flags is not None:
        thread.exe_writable = bool(flags & _EXECVE["EXE_WRITABLE"])
        thread.exe_upper_layer = bool(flags & _EXECVE["EXE_UPPER_LAYER"])
        thread.exe_lower_layer = bool(flags & _EXECVE["EXE_LOWER_LAYER"])
        thread.exe_from_memfd = bool(flags & _EXECVE["EXE_FROM_MEMFD"])
    thread.exe_ino = _or(integer(event, "exe_ino"), thread.exe_ino)
    thread.exe_ino_ctime = _or(integer(event, "exe_ino_ctime"), thread.exe_ino_ctime)
    thread.exe_ino_mtime = _or(integer(event, "exe_ino_mtime"), thread.exe_ino_mtime)


def _refresh(state: SystemState, thread: Thread) -> None:
    """Take over what the probe says of a program whose start the event does not tell in full."""
    now = state.probe.thread(thread.tid, state.threads)
    if now is None:
        return
    thread.inherit_command(now)
    thread.cwd, thread.root, thread.tty = now.cwd, now.root, now.tty
    thread.uid, thread.gid, thread.loginuid = now.uid, now.gid, now.loginuid
    thread.pgid, thread.vpgid, thread.sid = now.pgid, now.vpgid, now.sid
    thread.cap_permitted, thread.cap_effective = now.cap_permitted, now.cap_effective
    thread.cap_inheritable = now.cap_inheritable
    thread.cgroups = now.cgroups
    thread.vmsize, thread.vmrss, thread.vmswap = now.vmsize, now.vmrss, now.vmswap


def _or(value: int | None, other: int) -> int:
    return other if value is None else value
