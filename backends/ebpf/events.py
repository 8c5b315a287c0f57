"""From records to events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from refengine.backends.ebpf import lifecycle
from refengine.backends.ebpf.descriptors import encoded_device, ends
from refengine.backends.ebpf.layout import RECORD, BlobKind, RecordKind
from refengine.backends.ebpf.plan import EXECUTIONS, Plan
from refengine.backends.ebpf.record import Record
from refengine.backends.syscalls.addresses import Ends
from refengine.backends.syscalls.call import Call
from refengine.event import Event, ParamValue
from refengine.tables.event_types import EventType

_SYSCALL_EXIT, _EXECUTION = int(RecordKind.SYSCALL_EXIT), int(RecordKind.EXECUTION)
_BIRTH = int(RecordKind.BIRTH)
_FMODE_CREATED: Final = 0x100000


class KernelEvent(Event):
    """An event with the record that it was made from."""

    __slots__ = ("record",)

    def __init__(self, type: EventType, time: int, record: Record, params: list[ParamValue | None]) -> None:
        super().__init__(type, time, record.head.tid, params, cpu=record.head.cpu)
        self.record: Final = record


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
        return None if self.record is None else self.record.text(BlobKind.DESCRIPTOR_PATH, number)

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
        self._descriptors = RecordedDescriptors()
        # One object serves all calls, each of which is decoded at once.
        self._call = Call(Record(bytes(RECORD.size)), self._descriptors, snap_length, identify=True)
        self._boot = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def events(self, data: bytes) -> Iterator[Event]:
        """Yield the events of a record: one as a rule, two of a birth that rules ask for."""
        event = self.event(data)
        if event is None:
            return
        yield event
        if self._births and event.record.head.kind == _BIRTH:
            child = event.record.child()
            params = lifecycle.returned(event.record)
            if child is not None and params is not None:
                yield Event(event.type, event.time, child.tid, params, cpu=event.cpu)

    def event(self, data: bytes) -> KernelEvent | None:
        """Return the event of a record, None where there is none: the exit of an execution that went well."""
        record = Record(data)
        head = record.head
        if head.kind == _SYSCALL_EXIT:
            watched = self._calls.get(head.number)
            if watched is None:
                return None
            type = watched.type
            if watched.name in EXECUTIONS:
                if head.result >= 0:
                    return None
                params = lifecycle.failed_execution(record, watched.name)
            else:
                self._descriptors.record = record
                call = self._call
                call.memory = record
                call.tid, call.args, call.result = head.tid, head.args, head.result
                call.created = watched.opens and was_created(record)
                params = watched.decode(call)
        elif head.kind == _EXECUTION:
            type, params = lifecycle.EXECVE, lifecycle.executed(record)
        elif head.kind == _BIRTH:
            type, params = lifecycle.birth_type(record), lifecycle.born(record)
        else:
            type, params = lifecycle.PROCESS_EXIT, lifecycle.ended(record)
        return KernelEvent(type, self._boot + head.time, record, params)
