"""The messages of the kernel's process events connector, decoded.

A message is a netlink header, a connector header, and one `struct proc_event`. The connector numbers the
messages of each processor, so that lost ones can be counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

FORK: Final = 0x1
EXEC: Final = 0x2
UID: Final = 0x4
GID: Final = 0x40
SID: Final = 0x80
PTRACE: Final = 0x100
COMM: Final = 0x200
EXIT: Final = 0x80000000
ACKNOWLEDGEMENT: Final = 0x0

_HEADER: Final = struct.Struct("=IHHII")
_CONNECTOR: Final = struct.Struct("=IIIIHH")
_EVENT: Final = struct.Struct("=IIQ")
_BODY_AT: Final = _HEADER.size + _CONNECTOR.size
_DATA_AT: Final = _BODY_AT + _EVENT.size
_TWO, _FOUR, _SIX = struct.Struct("=ii"), struct.Struct("=iiII"), struct.Struct("=iiIIii")
_DATA: Final[Mapping[int, struct.Struct]] = {
    FORK: struct.Struct("=iiii"),
    EXEC: _TWO,
    UID: _FOUR,
    GID: _FOUR,
    SID: _TWO,
    PTRACE: struct.Struct("=iiii"),
    EXIT: _SIX,
}
_COMM: Final = struct.Struct("=ii16s")


class ProcessEvent(NamedTuple):
    """Something that happened to a process.

    `time` is in nanoseconds of the monotonic clock, `tid` and `pid` the thread and its process: of a fork the
    maker's, or for a new thread the first thread of its process. `numbers` are the rest in the kernel's order: the child's thread and process (fork), the real and the
    effective id (uid, gid), the tracer's thread and process (ptrace, zero for the end of it), the wait status
    and the signal to the parent (exit). `text` is a thread's new short name.
    """

    kind: int
    cpu: int
    time: int
    tid: int
    pid: int
    numbers: tuple[int, ...] = ()
    text: str = ""


def decode(message: bytes) -> Iterator[tuple[int, ProcessEvent]]:
    """Yield the events of a datagram, each with the number that its processor gave it.

    What is cut short is passed over; of an acknowledgement the error number is `numbers[0]`, and events of kinds that
    are not known have a thread and process of 0.
    """
    at = 0
    while at + _DATA_AT <= len(message):
        length = _HEADER.unpack_from(message, at)[0]
        if length < _DATA_AT or at + length > len(message):
            return
        number = _CONNECTOR.unpack_from(message, at + _HEADER.size)[2]
        kind, cpu, time = _EVENT.unpack_from(message, at + _BODY_AT)
        yield number, _event(kind, cpu, time, message[at + _DATA_AT : at + length])
        at += length + 3 & ~3


def _event(kind: int, cpu: int, time: int, data: bytes) -> ProcessEvent:
    if kind == ACKNOWLEDGEMENT and len(data) >= 4:
        return ProcessEvent(kind, cpu, time, 0, 0, struct.unpack_from("=I", data))
    if kind == COMM and len(data) >= _COMM.size:
        tid, pid, name = _COMM.unpack_from(data)
        text = name.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        return ProcessEvent(kind, cpu, time, tid, pid, (), text)
    layout = _DATA.get(kind)
    if layout is None or len(data) < layout.size:
        return ProcessEvent(kind, cpu, time, 0, 0)
    tid, pid, *numbers = layout.unpack_from(data)
    if kind == FORK and numbers[0] != numbers[1]:
        # Of a new thread the kernel names the parent of its process; it was made by one of the process's own.
        tid = pid = numbers[1]
    return ProcessEvent(kind, cpu, time, tid, pid, tuple(numbers))
