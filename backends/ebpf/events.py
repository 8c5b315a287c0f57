"""From records to events."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from refengine.backends.ebpf import lifecycle
from refengine.backends.ebpf.descriptors import encoded_device, ends
from refengine.backends.ebpf.layout import CALL, RECORD, BlobKind, RecordKind
from refengine.backends.ebpf.plan import Plan
from refengine.backends.ebpf.record import FIRST_CONTENT, Record, recorded
from refengine.backends.syscalls.addresses import Ends
from refengine.backends.syscalls.call import Call, signed
from refengine.backends.syscalls.kernel_bits import CREATES, open_flags
from refengine.event import Event
from refengine.event.paths import AT_FDCWD
from refengine.tables.syscalls import BY_NAME

_SYSCALL_EXIT, _EXECUTION = int(RecordKind.SYSCALL_EXIT), int(RecordKind.EXECUTION)
_BIRTH = int(RecordKind.BIRTH)
_TEXT: Final = int(BlobKind.TEXT)
_FMODE_CREATED: Final = 0x100000
_OPENAT: Final = BY_NAME["openat"].number
_PERMISSIONS: Final = 0o7777
_FDCWD: Final = AT_FDCWD & 0xFFFFFFFF
_ALIGNMENT: Final = 8
_SLASH: Final = ord("/")
_KEPT_FLAGS: Final = 1024
_NO_BLOB: Final = bytes(FIRST_CONTENT - RECORD.size)


class _OpenFlags(dict[int, int]):
    """The flags of opens in the capture format by those of the call: a look-up costs less than a cached function."""

    def __missing__(self, flags: int) -> int:
        if len(self) >= _KEPT_FLAGS:
            self.clear()
        translated = self[flags] = open_flags(flags)
        return translated


class KernelEvent(Event):
    """The event of a system call's exit, with the bytes of the record that it was made from.

    It is made empty, and who makes it sets all that an event has, and `taken`, the record once it has been looked
    into: so it costs half of what it else would.
    """

    __slots__ = ("data", "taken")

    data: bytes
    taken: Record | None

    if TYPE_CHECKING:

        def __init__(self) -> None: ...

    else:
        __init__ = object.__init__

    @property
    def record(self) -> Record:
        """The record."""
        record = self.taken
        if record is None:
            record = self.taken = recorded(self.data)
        return record


class OpenEvent(KernelEvent):
    """The event of a file that has been opened by its absolute path, whose record has that path and nothing else."""

    __slots__ = ()


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
    """Makes events of records, with as much of a buffer as `snap_length` says; `delivered` counts them."""

    def __init__(self, plan: Plan, snap_length: int, delivered: int = 0) -> None:
        self.delivered = delivered
        self._calls = plan.calls
        self._births = plan.births
        self._identify = plan.identify
        self._flags = _OpenFlags()
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
        flags_of, number = self._flags, self.delivered
        event: KernelEvent
        # This is on the way of every event: what functions would do is done here, without their calls.
        for data in records:
            size = len(data)
            time, called, kind, result, arg0, arg1, arg2, arg3, arg4, arg5, tid, cpu, first, length = unpack(
                data if size >= FIRST_CONTENT else data + _NO_BLOB
            )
            watched = calls.get(called) if kind == _SYSCALL_EXIT else None
            if watched is None or watched.executes:
                for other in self._others(recorded(data)):
                    number += 1
                    other.number = number
                    keep(other)
                continue
            end = FIRST_CONTENT + length
            if (
                watched.opens_plainly
                and result >= 0
                and first == _TEXT
                and length > 0
                and size - _ALIGNMENT < end <= size
                and data[FIRST_CONTENT] == _SLASH
            ):
                event = OpenEvent()
                event.taken = None
                # The kernel copies up to the first NUL and with it, if there is one: no other byte is one.
                path = data[FIRST_CONTENT : end if data[end - 1] else end - 1].decode(
                    "utf-8", "surrogateescape"
                )
                if called == _OPENAT:
                    directory = AT_FDCWD if arg0 == _FDCWD else signed(arg0)
                    mode = arg3 & _PERMISSIONS if arg2 & CREATES else 0
                    event.params = (result, directory, path, flags_of[arg2], mode, None, None)
                else:
                    mode = arg2 & _PERMISSIONS if arg1 & CREATES else 0
                    event.params = (result, path, flags_of[arg1], mode, None, None)
            else:
                event = KernelEvent()
                event.taken = record = call.memory = descriptors.record = Record()
                record.data = data
                record.blobs = None
                record.first_end = 0
                call.tid, call.args, call.result = tid, (arg0, arg1, arg2, arg3, arg4, arg5), result
                if identify:
                    call.created = watched.opens and was_created(record)
                event.params = watched.decode(call)
            number += 1
            event.type = watched.type
            event.name = watched.event_name
            event.time = boot + time
            event.tid = tid
            event.number = number
            event.cpu = cpu
            event.source = "syscall"
            event.thread = event.descriptor = event.state = None
            event.data = data
            keep(event)
        self.delivered = number
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
        event.data, event.taken = record.data, record
        yield event
        if self._births and head.kind == _BIRTH:
            child, returned = record.child(), lifecycle.returned(record)
            if child is not None and returned is not None:
                yield Event(type, event.time, child.tid, returned, cpu=head.cpu)
