"""The probe of the state: the record of the present event first, and `/proc` for what it does not tell."""

from __future__ import annotations

from collections.abc import Mapping

from refengine.backends.ebpf.containers import ContainedProcesses
from refengine.backends.ebpf.descriptors import describe
from refengine.backends.ebpf.events import KernelEvent
from refengine.state.descriptors import Descriptor
from refengine.state.procfs import ProcProbe, start_ticks, ticks
from refengine.state.threads import Thread

_UNBOUND = ("4", "6", "u")
_FILES = ("f", "d")


class RecordProbe(ProcProbe):
    """Answers for the thread of `event` from what the kernel has copied at the event itself.

    Processes that `/proc` shows in containers are added to `contained`.
    """

    __slots__ = ("_contained", "event")

    def __init__(self, contained: ContainedProcesses | None = None) -> None:
        super().__init__()
        self._contained = contained
        self.event: KernelEvent | None = None

    def thread(self, tid: int, threads: Mapping[int, Thread]) -> Thread | None:
        """Return what `/proc` says of a thread; one that is in a container becomes known to the kernel side as such."""
        found = super().thread(tid, threads)
        if found is not None and self._contained is not None and found.container() is not None:
            self._contained.add(found.pid)
        return found

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return what the thread has open as `number`: `known` itself where it still is that."""
        event = self.event
        if event is None or event.tid != pid:
            return super().descriptor(pid, number, known)
        found = describe(event.record, number)
        if found is None:
            return super().descriptor(pid, number, known) if self._is_there() else None
        if known is None or known.type != found.type or known.ino not in (0, found.ino):
            return found
        known.dev, known.ino = found.dev, found.ino
        if found.name and found.type in _FILES:
            # The text of the open may have been changed before it was read.
            known.name = found.name
        # What is known may be of an older socket that had the number.
        known.protocol = found.protocol or known.protocol
        known.reported_name = known.name
        if found.name and found.name != known.name and found.type in _UNBOUND:
            # A role that an event has told is better than one that the ports suggest.
            role = known.role
            known.name, known.tuple, known.listening = found.name, found.tuple, found.listening
            known.role = found.role if role is None else role
            known.connected = found.connected
        return known

    def working_directory(self, pid: int) -> str | None:
        """Return the working directory of a thread; the empty string where it has one that nobody can tell any more."""
        event = self.event
        if event is None or event.tid != pid:
            return super().working_directory(pid)
        path = event.record.working_directory()
        if path or not self._is_there():
            return path
        return super().working_directory(pid) or path

    def _is_there(self) -> bool:
        """Return whether the process of the record still has its number, as far as `/proc` tells starts apart."""
        if self.event is None:
            return False
        head = self.event.record.head
        return start_ticks(head.pid) == ticks(head.start)
