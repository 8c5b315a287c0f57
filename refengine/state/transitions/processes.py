"""New threads and processes, programs that they start, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refengine.event import Event
from refengine.state.threads import CLONE_FILES, CLONE_FS, CLONE_THREAD, Thread
from refengine.state.transitions.params import data, integer, result, strings, succeeded, text
from refengine.tables.flags import FLAG_TABLES

if TYPE_CHECKING:
    from refengine.state.system import SystemState

_CLONE = FLAG_TABLES["clone_flags"]
_INVERTED = _CLONE["CLONE_INVERTED"]
_IN_NAMESPACE = _CLONE["CLONE_CHILD_IN_PIDNS"] | _CLONE["CLONE_NEWPID"]
_TOLD_BY_CHILD = _IN_NAMESPACE | _CLONE["CLONE_PARENT"] | _CLONE["CLONE_VFORK"]
"""Flags with which only the child's own return tells its numbers, or comes first for certain."""

_STALE = 2 * 10**9
"""How old, in nanoseconds, a thread is that a child's return cannot mean: its exit was missed."""

_EXECVE = FLAG_TABLES["execve_flags"]
_INIT = 1
_CLONES = frozenset({"clone", "clone3", "fork", "vfork"})


def clone(state: SystemState, event: Event, thread: Thread) -> None:
    """Take in the new thread, at the return of `clone`, `fork` and the like in the parent or in the child."""
    returned = result(event)
    if returned is None or returned < 0:
        return
    if returned > 0:
        _clone_in_parent(state, event, thread, returned)
    elif not 0 <= event.time - thread.clone_time < _STALE or thread.pid < 0:
        _clone_in_child(state, event, thread)


def newborn(state: SystemState, event: Event) -> Thread | None:
    """Return a bare thread for one that is first heard of by its own return from the call that made it.

    The event and its maker's thread tell the rest. None for anything else, and where the maker is not known: then there
    is more to be learnt from the probe.
    """
    if event.type.name not in _CLONES or result(event) != 0 or _maker(state, event) is None:
        return None
    return Thread(event.tid, -1, state.threads)


def _maker(state: SystemState, event: Event) -> Thread | None:
    """Return whom a new thread has been copied from: its process's first thread, or its parent."""
    is_thread = (integer(event, "flags") or 0) & CLONE_THREAD
    return state.threads.get(_or(integer(event, "pid" if is_thread else "ptid"), -1))


def _clone_in_parent(state: SystemState, event: Event, parent: Thread, tid: int) -> None:
    flags = integer(event, "flags") or 0
    is_known = parent.pid >= 0
    if not is_known:
        _introduce(state, event, parent)
    if flags & _TOLD_BY_CHILD or parent.tid != parent.vtid or event.type.name == "vfork":
        return
    known = state.threads.get(tid)
    if known is not None and known.flags & _INVERTED and not known.is_dead:
        return
    is_thread = bool(flags & CLONE_THREAD)
    child = _copied(parent, tid, parent.pid if is_thread else tid, flags)
    child.ptid = parent.ptid if is_thread else parent.tid
    child.vtid, child.vpid = tid, child.pid
    child.pidns_init_start_time = state.boot_time
    child.clone_time = event.time
    _read_common(state, event, child)
    _give_descriptors(parent, child)
    state.threads.add(child)
    if not is_known:
        parent.set_command(child.comm, child.exe, child.args)


def _introduce(state: SystemState, event: Event, parent: Thread) -> None:
    """Learn the numbers of a parent that was not known."""
    pid, ptid, vpid = integer(event, "pid"), integer(event, "ptid"), integer(event, "vpid")
    if pid is not None:
        state.threads.enter_process(parent, pid)
    parent.ptid = _or(ptid, parent.ptid)
    parent.vtid = parent.tid if vpid is None else _or(integer(event, "vtid"), parent.tid)
    parent.vpid = _or(vpid, -1)


def _clone_in_child(state: SystemState, event: Event, thread: Thread) -> None:
    """Take in a thread that is first heard of by its own return from the call."""
    flags = (integer(event, "flags") or 0) | _INVERTED
    pid = _or(integer(event, "pid"), thread.tid)
    ptid = _or(integer(event, "ptid"), -1)
    model = _maker(state, event)
    if model is None or model is thread:
        model = Thread(ptid, -1, state.threads)
    child = _copied(model, thread.tid, pid, flags)
    child.ptid = ptid
    vpid = integer(event, "vpid")
    child.vtid = thread.tid if vpid is None else _or(integer(event, "vtid"), thread.tid)
    child.vpid = _or(vpid, -1)
    start = integer(event, "pidns_init_start_ts")
    if not flags & _IN_NAMESPACE and child.tid == child.vtid:
        child.pidns_init_start_time = state.boot_time
    elif start is not None:
        child.pidns_init_start_time = start + state.boot_time
    child.clone_time = event.time
    _read_common(state, event, child)
    _give_descriptors(model, child)
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
    main.flags &= _INVERTED
    env = strings(event, "env")
    if env is not None:
        main.set_env(env)
    _read_identity(state, event, main)
    _read_executable(event, main)


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
    state.threads.revive(main)
    group = main.group
    if group is not None and len(group.members) > 1:
        for tid in tuple(group.members):
            if tid != main.tid:
                state.threads.drop(tid)
    return main


def _heir(state: SystemState, event: Event, thread: Thread) -> Thread | None:
    """Return who takes over the children: whom the event names, another thread of the process, a reaper."""
    named = integer(event, "reaper_tid")
    if named is not None and named > 0:
        return state.threads.get(named)
    group = thread.group
    for tid in group.members if group is not None else ():
        other = state.threads.get(tid)
        if other is not None and not other.is_dead:
            return other
    for ancestor in thread.ancestors():
        if ancestor.group is not None and ancestor.group.is_reaper and not ancestor.is_dead:
            return ancestor
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
    child.fdlimit = model.fdlimit
    child.flags = flags
    return child


def _give_descriptors(parent: Thread, child: Thread) -> None:
    """Let threads of a process share its table; a process gets a copy, whatever its flags say."""
    if child.flags & CLONE_THREAD:
        child.flags |= CLONE_FILES | CLONE_FS
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
    thread.note_executable_age()


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
