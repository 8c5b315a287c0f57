"""The system call that is being decoded: what its decoder may look at."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol, TypeAlias

from refengine.backends.syscalls.addresses import Ends
from refengine.event import ParamValue

Reader: TypeAlias = "Callable[[Call], ParamValue | None]"
"""Reads one parameter of the event."""

Decoder: TypeAlias = "Callable[[Call], list[ParamValue | None]]"
"""Reads all parameters of the event, in the order of the event type."""


class Memory(Protocol):
    """The memory of a thread's process at the exit of the call. What cannot be read is None."""

    def bytes_at(self, tid: int, address: int, length: int) -> bytes | None:
        """Return `length` bytes from `address`, fewer where no more can be read, None where there are none."""

    def string(self, tid: int, address: int, limit: int = 4096) -> str | None:
        """Return the text up to the first NUL, at most `limit` bytes."""

    def unpack(self, tid: int, address: int, layout: struct.Struct) -> tuple[int, ...] | None:
        """Return the integers of a structure, None where it cannot be read whole."""


class Process(Protocol):
    """What else decoders ask about the process of a thread. What cannot be found out is None."""

    def ends(self, tid: int, number: int) -> Ends:
        """Return both ends of a socket, empty where the descriptor is none."""

    def identity(self, tid: int, number: int) -> tuple[int, int] | None:
        """Return the device number, as the kernel encodes it, and the inode of an open descriptor."""

    def path(self, tid: int, number: int) -> str | None:
        """Return the path behind an open descriptor."""

    def memory_sizes(self, tid: int) -> tuple[int, int, int] | None:
        """Return the virtual, resident and swapped size in kilobytes."""


class Call:
    """A system call at its exit: the thread, the raw arguments, the result, and access to the process.

    One object may serve many calls, one after another: each is decoded at once.
    `snap_length` is how much of a buffer is kept; `identify` says whether rules read device and inode numbers
    of opened files; `created` whether an open made the file, which is looked at only where rules ask for it.
    """

    __slots__ = ("args", "created", "identify", "memory", "process", "result", "snap_length", "tid")

    def __init__(self, memory: Memory, process: Process, snap_length: int, identify: bool) -> None:
        self.tid = 0
        self.args: tuple[int, ...] = (0, 0, 0, 0, 0, 0)
        self.result = 0
        self.memory = memory
        self.process = process
        self.snap_length = snap_length
        self.identify = identify
        self.created = False

    def buffer(self, address: int, length: int) -> bytes | None:
        """Return the first bytes of a buffer of the program, None where it is empty or unreadable."""
        return self.memory.bytes_at(self.tid, address, min(length, self.snap_length))


def signed(value: int) -> int:
    """Return the low 32 bits as a signed number, as descriptors, process ids and the like are passed."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def signed_long(value: int) -> int:
    """Return the 64 bits as a signed number."""
    return value - (1 << 64) if value >> 63 else value


def parameters(*readers: Reader) -> Decoder:
    """Return the decoder that applies one reader a parameter."""
    return lambda call: [read(call) for read in readers]


def result(call: Call) -> int:
    """Read the call's return value."""
    return call.result


def integer(position: int) -> Reader:
    """Return the reader of a signed 32-bit argument: a descriptor, a process id, a signal."""
    return lambda call: ((call.args[position] & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def unsigned(position: int) -> Reader:
    """Return the reader of an unsigned 32-bit argument: a mode, a user or group id."""
    return lambda call: call.args[position] & 0xFFFFFFFF


def word(position: int) -> Reader:
    """Return the reader of a 64-bit argument: an address, a length."""
    return lambda call: call.args[position]


def signed_word(position: int) -> Reader:
    """Return the reader of a signed 64-bit argument."""
    return lambda call: signed_long(call.args[position])


def text(position: int) -> Reader:
    """Return the reader of a path or another string that an argument points to."""
    return lambda call: call.memory.string(call.tid, call.args[position])


def bits(position: int, translate: Callable[[int], int]) -> Reader:
    """Return the reader of flags or an enumeration, translated to the capture format."""
    return lambda call: translate(call.args[position] & 0xFFFFFFFF)


def masked(position: int, mask: int) -> Reader:
    """Return the reader of the bits `mask` of an argument."""
    return lambda call: call.args[position] & mask


def absent(call: Call) -> None:
    """Read a parameter that cannot be observed from outside the kernel."""


def structure(position: int, layout: str, index: int) -> Reader:
    """Return the reader of one member of a structure that an argument points to."""
    compiled = struct.Struct(layout)

    def read(call: Call) -> int | None:
        members = call.memory.unpack(call.tid, call.args[position], compiled)
        return None if members is None else members[index]

    return read


def on_success(reader: Reader) -> Reader:
    """Return a reader that reads nothing where the call failed, since the kernel then wrote nothing."""
    return lambda call: reader(call) if call.result >= 0 else None
