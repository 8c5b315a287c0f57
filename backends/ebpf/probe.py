"""The probe of the state: the record of the present event first, and `/proc` for what it does not tell."""

from __future__ import annotations

from refengine.backends.ebpf.descriptors import describe
from refengine.backends.ebpf.record import Record
from refengine.state.descriptors import Descriptor
from refengine.state.procfs import ProcProbe

_UNBOUND = ("4", "6", "u")


class RecordProbe(ProcProbe):
    """Answers for the thread `tid` of `record` from what the kernel has copied at the event itself."""

    __slots__ = ("record", "tid")

    def __init__(self) -> None:
        super().__init__()
        self.record: Record | None = None
        self.tid = 0

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        """Return what the thread has open as `number`: `known` itself where it still is that."""
        record = self.record
        if record is None or self.tid != pid:
            return super().descriptor(pid, number, known)
        found = describe(record, number)
        if found is None:
            return super().descriptor(pid, number, known)
        if known is None or known.type != found.type or known.ino not in (0, found.ino):
            return found
        known.dev, known.ino = found.dev, found.ino
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
        """Return the working directory of a thread."""
        record = self.record
        if record is not None and self.tid == pid:
            path = record.working_directory()
            if path is not None:
                return path
        return super().working_directory(pid)
