"""From records to events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from refengine.backends.ebpf import lifecycle
from refengine.backends.ebpf.descriptors import encoded_device, ends
from refengine.backends.ebpf.layout import CALL, RECORD, BlobKind, RecordKind
from refengine.backends.ebpf.plan import Plan
from refengine.backends.ebpf.record import Record, recorded
from refengine.backends.syscalls.addresses import Ends
from refengine.backends.syscalls.call import Call
from refengine.event import Event

_SYSCALL_EXIT, _EXECUTION = int(RecordKind.SYSCALL_EXIT), int(RecordKind.EXECUTION)
_BIRTH = int(RecordKind.BIRTH)
_FMODE_CREATED: Final = 0x100000


class KernelEvent(Event):
    """The event of a system call's exit, with the record that it was made from.

    It is made empty, and who makes it sets all that an event has: so it costs half of what it else would.
    """

    __slots__ = ("record",)

    record: Record

    if TYPE_CHECKING:

        def __init__(self) -> None: ...

    else:
        __init__ = object.__init__


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
        self._call = Call(recorded(bytes(RECORD.size)), self._descriptors, snap_length, plan.identify)
        self._boot = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def events(self, records: Iterable[bytes]) -> list[Event]:
        """Return the events of records: one each as a rule, two of a birth that rules ask for.

        There is none of the exit of an execution that went well, which has been told of as such.
        """
        events: list[Event] = []
        keep, unpack, calls, boot = events.append, CALL.unpack_from, self._calls, self._boot
        call, descriptors, identify = self._call, self._descriptors, self._identify
        for data in records:
            time, number, kind, result, arg0, arg1, arg2, arg3, arg4, arg5, tid, cpu = unpack(data)
            watched = calls.get(number) if kind == _SYSCALL_EXIT else None
            if watched is None or watched.executes:
                events += self._others(recorded(data))
                continue
            # This is on the way of every event: what functions would do is done here, without their calls.
            record = call.memory = descriptors.record = Record()
            record.data = data
            record.blobs = None
            record.first_end = 0
            call.tid, call.args, call.result = tid, (arg0, arg1, arg2, arg3, arg4, arg5), result
            if identify:
                call.created = watched.opens and was_created(record)
            event = KernelEvent()
            event.type = watched.type
            event.name = watched.event_name
            event.time = boot + time
            event.tid = tid
            event.params = watched.decode(call)
            event.number = 0
            event.cpu = cpu
            event.source = "syscall"
            event.thread = event.descriptor = event.state = None
            event.record = record
            keep(event)
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
        event = cls()
        Event.__init__(event, type, self._boot + head.time, head.tid, params, cpu=head.cpu)
        event.record = record
        yield event
        if self._births and head.kind == _BIRTH:
            child, returned = record.child(), lifecycle.returned(record)
            if child is not None and returned is not None:
                yield Event(type, event.time, child.tid, returned, cpu=head.cpu)
