"""From records to events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final

from refengine.backends.ebpf import lifecycle
from refengine.backends.ebpf.descriptors import encoded_device, ends
from refengine.backends.ebpf.layout import CALL, RECORD, BlobKind, RecordKind
from refengine.backends.ebpf.plan import Plan
from refengine.backends.ebpf.record import Record
from refengine.backends.syscalls.addresses import Ends
from refengine.backends.syscalls.call import Call
from refengine.event import Event, ParamValue
from refengine.tables.event_types import EventType

_SYSCALL_EXIT, _EXECUTION = int(RecordKind.SYSCALL_EXIT), int(RecordKind.EXECUTION)
_BIRTH = int(RecordKind.BIRTH)
_FMODE_CREATED: Final = 0x100000


class KernelEvent(Event):
    """The event of a system call's exit, with the record that it was made from."""

    __slots__ = ("record",)

    def __init__(
        self,
        type: EventType,
        name: str,
        time: int,
        tid: int,
        params: list[ParamValue | None],
        cpu: int,
        record: Record,
    ) -> None:
        # All that the class above does is done here: this is on the way of every event.
        self.type = type
        self.name = name
        self.time = time
        self.tid = tid
        self.params = params
        self.number = 0
        self.cpu = cpu
        self.source = "syscall"
        self.thread = self.descriptor = self.state = None
        self.record = record


class LifeEvent(KernelEvent):
    """An execution, birth or end."""

    __slots__ = ()


class RecordedDescriptors:
    """What decoders ask about open files, answered from the present record."""

    __slots__ = ("record",)

    def __init__(self) -> None:
        self.record: Record | None = None

    def ends(self, tid: int, number: int) -> Ends:
        """Return both ends of a socket."""
        return Ends(None, None) if self.record is None else ends(self.record, number)

    def identity(self, tid: int, number: int) -> tuple[int, int] | None:
        """Return the device number, as the kernel encodes it, and the inode of an open descriptor."""
        state = None if self.record is None else self.record.descriptor(number)
        return None if state is None else (encoded_device(state.device), state.inode)

    def path(self, tid: int, number: int) -> str | None:
        """Return the path behind an open descriptor."""
        return None if self.record is None else self.record.path(BlobKind.DESCRIPTOR_PATH, number)

    def memory_sizes(self, tid: int) -> tuple[int, int, int] | None:
        """Return None: the sizes are not copied."""
        return None


def was_created(record: Record) -> bool:
    """Return whether an open has made its file, which the kernel notes in the open file."""
    state = record.descriptor(record.head.result)
    return state is not None and bool(state.file_mode & _FMODE_CREATED)


class Decoder:
    """Makes events of records, with as much of a buffer as `snap_length` says."""

    def __init__(self, plan: Plan, snap_length: int) -> None:
        self._calls = plan.calls
        self._births = plan.births
        self._identify = plan.identify
        self._descriptors = RecordedDescriptors()
        # One object serves all calls, each of which is decoded at once.
        self._call = Call(Record(bytes(RECORD.size)), self._descriptors, snap_length, plan.identify)
        self._boot = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def events(self, records: Iterable[bytes]) -> list[Event]:
        """Return the events of records: one each as a rule, two of a birth that rules ask for.

        There is none of the exit of an execution that went well, which has been told of as such.
        """
        events: list[Event] = []
        keep, unpack, calls, boot = events.append, CALL.unpack_from, self._calls, self._boot
        call, descriptors, identify = self._call, self._descriptors, self._identify
        for data in records:
            fields = unpack(data)
            time, number, kind, result, _, _, _, _, _, _, _, tid, cpu = fields
            watched = calls.get(number) if kind == _SYSCALL_EXIT else None
            if watched is None or watched.executes:
                events += self._others(Record(data))
                continue
            record = call.memory = descriptors.record = Record(data)
            call.tid, call.args, call.result = tid, fields[4:10], result
            if identify:
                call.created = watched.opens and was_created(record)
            keep(
                KernelEvent(
                    watched.type, watched.event_name, boot + time, tid, watched.decode(call), cpu, record
                )
            )
        return events

    def _others(self, record: Record) -> Iterator[Event]:
        """Yield the events of what is not the exit of a call that its parameters are read of."""
        head = record.head
        cls: type[KernelEvent] = LifeEvent
        if head.kind == _SYSCALL_EXIT:
            watched = self._calls.get(head.number)
            if watched is None or head.result >= 0:
                return
            type, cls = watched.type, KernelEvent
            params = lifecycle.failed_execution(record, watched.name)
        elif head.kind == _EXECUTION:
            type, params = lifecycle.EXECVE, lifecycle.executed(record)
        elif head.kind == _BIRTH:
            type, params = lifecycle.birth_type(record), lifecycle.born(record)
        else:
            type, params = lifecycle.PROCESS_EXIT, lifecycle.ended(record)
        event = cls(type, type.name, self._boot + head.time, head.tid, params, head.cpu, record)
        yield event
        if self._births and head.kind == _BIRTH:
            child, returned = record.child(), lifecycle.returned(record)
            if child is not None and returned is not None:
                yield Event(type, event.time, child.tid, returned, cpu=head.cpu)
