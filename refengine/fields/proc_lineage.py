"""The line of processes that the acting one comes from, its session and process group (`proc.p*`, `proc.a*`…)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import dropwhile

from refengine.event import Event
from refengine.fields.extractor import AttributePath, Extract, Extractor, plain
from refengine.fields.proc import open_descriptors, variable
from refengine.state.threads import Thread
from refengine.values import Value

Read = Callable[[Thread], str]
"""Reads a text of one thread."""


def _comm(thread: Thread) -> str:
    return thread.comm


def _exe(thread: Thread) -> str:
    return thread.exe


def _exepath(thread: Thread) -> str:
    return thread.exepath


def of_parent(read: Read) -> Extract:
    """Return the reader of a text of the parent, absent where that is not known."""

    def extract(event: Event) -> str | None:
        thread = event.thread
        parent = None if thread is None else thread.threads.get(thread.ptid)
        return None if parent is None else read(parent)

    return extract


def parent_pid(event: Event) -> int | None:
    """`proc.ppid`."""
    thread = event.thread
    main = None if thread is None else thread.main
    return None if main is None or main.ptid <= 0 else main.ptid


def parent_virtual_pid(event: Event) -> int | None:
    """`proc.pvpid`."""
    parent = _parent(event)
    return None if parent is None else parent.vpid


def parent_duration(event: Event) -> int | None:
    """`proc.ppid.duration`: nanoseconds since the parent began.

    Where the parent is known and its start is not, the value is that of `proc.fdopencount`, as rules have it
    from Falco.
    """
    parent = _parent(event)
    if parent is None:
        return None
    return event.time - parent.clone_time if parent.clone_time else open_descriptors(event)


def parent_start(event: Event) -> int | None:
    """`proc.ppid.ts`: the moment at which the parent began, 0 where that is not known."""
    parent = _parent(event)
    return None if parent is None else parent.clone_time


def of_ancestor(read: Read) -> Extractor:
    """Return the extractor of a text of the ancestors: of one generation, or of all from the parent up."""

    def bind(argument: str | None) -> Extract:
        if argument is None:
            return joined
        generation = int(argument) if argument.isdecimal() else 0

        def extract(event: Event) -> str | None:
            thread = event.thread
            ancestor = None if thread is None else thread.ancestor(generation)
            return None if ancestor is None else read(ancestor)

        return extract

    def joined(event: Event) -> str | None:
        thread = event.thread
        found = [] if thread is None else [read(ancestor) for ancestor in thread.ancestors()]
        # The nearest ones are left out, with their blank, as long as they have nothing to show.
        return " ".join(dropwhile(lambda text: not text, found)) or None

    def candidates(event: Event) -> Iterable[Value] | None:
        thread = event.thread
        found = [] if thread is None else [read(ancestor) for ancestor in thread.ancestors()]
        return found or None

    return Extractor(bind, candidates)


def ancestor_pid(argument: str | None) -> Extract:
    """`proc.apid`: the process number of an ancestor; of the process itself without a generation."""
    generation = int(argument) if argument is not None and argument.isdecimal() else 0

    def extract(event: Event) -> int | None:
        thread = event.thread
        ancestor = None if thread is None else thread.ancestor(generation)
        return None if ancestor is None else ancestor.pid

    return extract


def ancestor_pids(event: Event) -> Iterable[Value] | None:
    """Return the process numbers of all ancestors, None where none is known."""
    thread = event.thread
    return (None if thread is None else [ancestor.pid for ancestor in thread.ancestors()]) or None


def ancestor_env(argument: str | None) -> Extract:
    """`proc.aenv`: the environment, of an ancestor by generation, or one variable's value by its name.

    A name is looked for from the parent up to the first process that has the variable.
    """
    if argument is None:
        return lambda event: None if event.thread is None else event.thread.env_text()
    if argument.isdecimal():
        generation = int(argument)

        def extract_generation(event: Event) -> str | None:
            thread = event.thread
            ancestor = None if thread is None else thread.ancestor(generation)
            return None if ancestor is None else ancestor.env_text()

        return extract_generation

    def extract(event: Event) -> str | None:
        thread = event.thread
        if thread is None:
            return None
        return next(filter(None, (variable(ancestor, argument) for ancestor in thread.ancestors())), "")

    return extract


def ancestor_envs(event: Event) -> Iterable[Value] | None:
    """Return the environments of all ancestors, None where none is known."""
    thread = event.thread
    return (None if thread is None else [ancestor.env_text() for ancestor in thread.ancestors()]) or None


def login_shell(event: Event) -> int | None:
    """`proc.loginshellid`: the number of the highest shell in the line, this process included."""
    thread = event.thread
    main = None if thread is None else thread.main
    if main is None:
        return None
    found = main.pid if main.comm.endswith("sh") and len(main.comm) > 1 else None
    for ancestor in main.ancestors():
        if ancestor.comm.endswith("sh"):
            found = ancestor.pid
    return found


def of_leader(identifier: Callable[[Thread], int], read: Read) -> Extract:
    """Return the reader of a text of the leader of a session or group.

    The leader is the process whose number is that of the session or group. Where it is not known, or numbers are
    those of another namespace, it is taken to be the highest in the unbroken line of ancestors in the same one.
    """

    def extract(event: Event) -> str | None:
        thread = event.thread
        if thread is None:
            return None
        number = identifier(thread)
        if number < 0:
            return ""
        if thread.vpid in (-1, thread.pid):
            leader = thread.threads.get(number)
            if leader is not None:
                return read(leader)
        leader = thread
        for ancestor in thread.ancestors():
            if identifier(ancestor) != number:
                break
            leader = ancestor
        return read(leader)

    return extract


def _leads(identifier: Callable[[Thread], int]) -> Extract:
    def extract(event: Event) -> bool | None:
        thread = event.thread
        return None if thread is None else identifier(thread) == thread.vpid

    return extract


def leads_host_group(event: Event) -> bool | None:
    """`proc.is_pgid_leader`."""
    thread = event.thread
    return None if thread is None else thread.pgid == thread.pid


def _sid(thread: Thread) -> int:
    return thread.sid


def _vpgid(thread: Thread) -> int:
    return thread.vpgid


def _pgid(thread: Thread) -> int:
    return thread.pgid


def _parent(event: Event) -> Thread | None:
    thread = event.thread
    return None if thread is None else thread.threads.get(thread.ptid)


EXTRACTORS: Mapping[str, Extractor] = {
    "proc.pname": plain(AttributePath("thread.parent.comm")),
    "proc.pexe": plain(AttributePath("thread.parent.exe")),
    "proc.pexepath": plain(AttributePath("thread.parent.exepath")),
    "proc.pcmdline": plain(of_parent(Thread.cmdline)),
    "proc.ppid": plain(parent_pid),
    "proc.pvpid": plain(parent_virtual_pid),
    "proc.ppid.duration": plain(parent_duration),
    "proc.ppid.ts": plain(parent_start),
    "proc.aname": of_ancestor(_comm),
    "proc.aexe": of_ancestor(_exe),
    "proc.aexepath": of_ancestor(_exepath),
    "proc.acmdline": of_ancestor(Thread.cmdline),
    "proc.aargs": of_ancestor(Thread.args_text),
    "proc.apid": Extractor(ancestor_pid, ancestor_pids),
    "proc.aenv": Extractor(ancestor_env, ancestor_envs),
    "proc.loginshellid": plain(login_shell),
    "proc.sid": plain(AttributePath("thread.sid")),
    "proc.sname": plain(of_leader(_sid, _comm)),
    "proc.sid.exe": plain(of_leader(_sid, _exe)),
    "proc.sid.exepath": plain(of_leader(_sid, _exepath)),
    "proc.vpgid": plain(AttributePath("thread.vpgid")),
    "proc.vpgid.name": plain(of_leader(_vpgid, _comm)),
    "proc.vpgid.exe": plain(of_leader(_vpgid, _exe)),
    "proc.vpgid.exepath": plain(of_leader(_vpgid, _exepath)),
    "proc.pgid": plain(AttributePath("thread.pgid")),
    "proc.pgid.name": plain(of_leader(_pgid, _comm)),
    "proc.pgid.exe": plain(of_leader(_pgid, _exe)),
    "proc.pgid.exepath": plain(of_leader(_pgid, _exepath)),
    "proc.is_sid_leader": plain(_leads(_sid)),
    "proc.is_vpgid_leader": plain(_leads(_vpgid)),
    "proc.is_pgid_leader": plain(leads_host_group),
}
