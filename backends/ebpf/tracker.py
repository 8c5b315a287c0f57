"""Keeping the state in step with the records, which tell more than the events of system calls alone."""

from __future__ import annotations

from typing import Any, Final

from refengine.backends.ebpf.events import KernelEvent, LifeEvent, OpenEvent
from refengine.backends.ebpf.layout import WHO, BlobKind, RecordKind
from refengine.backends.ebpf.probe import RecordProbe
from refengine.backends.ebpf.record import Record
from refengine.event import Event
from refengine.state.descriptors import DescriptorTable
from refengine.state.procfs import list_threads
from refengine.state.system import SystemState
from refengine.state.threads import CLONE_FILES, CLONE_FS, CLONE_THREAD, Thread

_BIRTH, _END = int(RecordKind.BIRTH), int(RecordKind.END)

MET_MAX: Final = 2048
"""How many threads are kept at most that were met by an event of theirs, beside the first ones of processes."""


class Tracker:
    """Applies events to `state`, whose probe answers from the record of the event.

    Short name, user, group and parent come with every record, so that no system call has to be watched for
    their sake.
    """

    def __init__(self, state: SystemState, probe: RecordProbe) -> None:
        self._state = state
        self._probe = probe
        self._starts: dict[int, int] = {}
        self._recognised: dict[bytes, Thread] = {}
        """The threads by what records say of who it was, each as it was last."""
        self._known_as: dict[int, bytes] = {}
        """The keys of that, by thread."""
        self._met: dict[int, None] = {}
        """The numbers of threads that an event has made known, the first ones of processes apart, in the order of that."""

    @property
    def known(self) -> int:
        """How many threads are recognised at once."""
        return len(self._recognised)

    def seed(self) -> None:
        """Take in the processes that there are; to be called once everything that follows is recorded."""
        probe, threads = self._probe, self._state.threads
        for tid in list_threads():
            if tid not in threads:
                found = probe.thread(tid, threads)
                if found is not None and found.is_main:
                    self._state.seed(found)

    def observe(self, event: Event) -> None:
        """Apply an event, which has to be one of this backend's.

        The return of a call in the one that it made has no record of its own: the birth's has told all of it.
        """
        cls = event.__class__
        if cls is OpenEvent or cls is KernelEvent:
            # This is on the way of every event: asking `isinstance` costs more than the class.
            own: Any = event
            self._probe.event = own
            thread = self._recognised.get(own.data[WHO])
            if thread is None or thread.is_dead:
                thread = self._recognise(own.record)
            self._state.apply(event, thread)
            if cls is OpenEvent or not thread.cwd:
                return  # The record of such an event tells of no directory, or nobody has asked for it.
            record = own.record
            if record.blobs is not None or record.first_end < len(record.data):
                directory = record.working_directory()
                if directory is not None:
                    thread.set_cwd(directory or self._probe.working_directory(event.tid) or "")
        elif isinstance(event, LifeEvent):
            self._live(event)
        else:
            self._state.apply(event)

    def _recognise(self, record: Record) -> Thread:
        """Return the thread of a record, with its short name, user, group and parent as the record has them.

        Who has all of that as it is now is recognised at once from then on.
        """
        thread = self._find(record)
        head = record.head
        if thread.comm != record.comm:
            thread.set_comm(record.comm)
        self._unlearn(head.tid)
        who = record.data[WHO]
        self._recognised[who] = thread
        self._known_as[head.tid] = who
        return thread

    def _unlearn(self, tid: int) -> None:
        """Look at the thread more closely when it is met again."""
        who = self._known_as.pop(tid, None)
        if who is not None:
            del self._recognised[who]

    def _find(self, record: Record) -> Thread:
        """Return the thread of a record, with user, group and parent as the record has them."""
        head, threads = record.head, self._state.threads
        started = self._starts.get(head.pid)
        if started != head.start:
            if started is not None:
                self._forget(head.pid)
            self._starts[head.pid] = head.start
        thread = threads.get(head.tid)
        if thread is None or (thread.pid != head.pid and thread.pid >= 0):
            thread = self._meet(record)
        thread.uid, thread.gid = head.uid, head.gid
        if thread.ptid != head.ppid and thread.tid == head.pid:
            parent = threads.get(head.ppid)
            if parent is not None:
                threads.reparent(thread, parent)
        return thread

    def _live(self, event: LifeEvent) -> None:
        """Apply an execution, birth or end."""
        record = event.record
        self._probe.event = event
        thread = self._find(record)
        self._unlearn(event.tid)
        kind = record.head.kind
        if kind == _END:
            self._end(event)
            return
        if kind == _BIRTH and thread.comm != record.comm:
            thread.set_comm(record.comm)
        self._state.apply(event)
        if kind == _BIRTH:
            self._born(event)
        else:
            self._executed(event)

    def _meet(self, record: Record) -> Thread:
        """Return a thread that was not known: like its process's first one, as `/proc` has it, or bare."""
        head, threads = record.head, self._state.threads
        main = threads.get(head.pid)
        if main is not None and main.tid != head.tid:
            thread = _like(main, head.tid, head.pid)
            thread.flags |= CLONE_THREAD | CLONE_FILES | CLONE_FS
            thread.vtid = head.tid
            threads.add(thread)
            self._keep(thread)
            return thread
        thread = self._state.meet(head.tid)
        if thread.pid < 0:
            threads.enter_process(thread, head.pid)
            thread.vtid, thread.vpid, thread.ptid = head.tid, head.pid, head.ppid
            thread.set_command(record.comm, record.comm, ())
            parent = self._state.meet(head.ppid) if head.ppid > 0 else None
            if parent is not None:
                threads.reparent(thread, parent)
        return thread

    def _keep(self, thread: Thread) -> None:
        """Keep a thread that was met, and forget the one that was met first where there are many.

        Births and ends of threads are recorded only where rules need them, so that nothing may tell that it has gone. One
        that is forgotten and goes on is met again.
        """
        met, threads = self._met, self._state.threads
        met.pop(thread.tid, None)
        if len(met) >= MET_MAX:
            tid = next(iter(met))
            del met[tid]
            first = threads.get(tid)
            if first is not None and first.pid != tid:  # the number may be that of a process by now
                self._unlearn(tid)
                threads.drop(tid)
        met[thread.tid] = None

    def _born(self, event: LifeEvent) -> None:
        """Take in the thread or process that the event tells of, whose own return is not recorded."""
        child, maker = event.record.child(), event.thread
        if child is None or maker is None:
            return
        threads = self._state.threads
        if self._starts.get(child.pid, child.start) != child.start:
            self._forget(child.pid)
        thread = threads.get(child.tid)
        if thread is None or thread.is_dead:
            thread = _like(maker, child.tid, child.pid)
            thread.clone_time = event.time
            if child.tid != child.pid:
                thread.flags |= CLONE_THREAD | CLONE_FILES | CLONE_FS
            else:
                thread.flags &= ~(CLONE_THREAD | CLONE_FILES | CLONE_FS)
                thread.descriptors = DescriptorTable()
            thread.ptid = child.parent
            threads.add(thread)
        thread.vtid, thread.vpid = child.vtid, child.vpid
        parent = threads.get(child.parent)
        if parent is not None and thread.ptid != parent.tid:
            threads.reparent(thread, parent)
        if child.tid == child.pid:
            self._starts[child.pid] = child.start

    def _executed(self, event: LifeEvent) -> None:
        thread, program = event.thread, event.record.program()
        if thread is None or program is None:
            return
        thread.sid = program.sid
        thread.vpid, thread.vtid = program.vpid, program.vtid
        directory = event.record.text(BlobKind.WORKING_DIRECTORY)
        if directory is not None:
            thread.set_cwd(directory or self._probe.working_directory(event.tid) or "")

    def _end(self, event: LifeEvent) -> None:
        """Apply a thread's end; with the last thread of a process, the whole process goes."""
        head, threads = event.record.head, self._state.threads
        if head.arg0:
            self._starts.pop(head.pid, None)
            group = threads.groups.get(head.pid)
            for tid in tuple(group.members) if group is not None else ():
                if tid != head.pid:
                    self._unlearn(tid)
                    threads.drop(tid)
            if head.pid in threads:
                event.tid = head.pid
        self._state.apply(event)

    def _forget(self, pid: int) -> None:
        """Drop a process whose number is in use by another now: its end was not recorded."""
        threads = self._state.threads
        group = threads.groups.get(pid)
        for tid in tuple(group.members) if group is not None else (pid,):
            self._unlearn(tid)
            threads.drop(tid)


def _like(model: Thread, tid: int, pid: int) -> Thread:
    """Return a thread with what one that has just been made shares with its maker, or has a copy of."""
    thread = model.copy()
    thread.tid, thread.pid = tid, pid
    thread.group = thread.children = None
    thread.is_dead = False
    thread.last_fd = -1
    thread.env = model.environment() or model.env
    return thread
