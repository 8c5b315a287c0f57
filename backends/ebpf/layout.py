"""The layouts of what the kernel side writes and reads, as `program/record.h` has them."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

RECORD: Final = struct.Struct("=QIIq6QQIIIII16sI")
CALL: Final = struct.Struct("=QIIq6Q12xI28xIII")
"""What of a record the event of a system call needs in any case: all of its head but who it was, but for the thread's
number, and kind and length of the first blob."""
WHO: Final = slice(72, 116)
"""The part of a record that says who it was: start, numbers, user, group and short name."""
COMM: Final = slice(100, 116)
"""The part of a record that is the short name."""
BLOB: Final = struct.Struct("=IIQ")
DESCRIPTOR: Final = struct.Struct("=QIIIHHHHHH16s16sI4x")
PROGRAM: Final = struct.Struct("=10Q12I")
CHILD: Final = struct.Struct("=IIIIQII")
CAPTURE: Final = struct.Struct("=BBBxI")
SETTINGS: Final = struct.Struct("=IIII")
NAME_IN_SET: Final = struct.Struct("=16sQ")
COUNTERS: Final = struct.Struct("=8Q")

CAPTURES_MAX: Final = 12
PLAN_SIZE: Final = CAPTURES_MAX * CAPTURE.size
SCRATCH_SIZE: Final = COUNTERS.size + 56 + RECORD.size + 24576 + 4096 + 640 + 144 + 128


class RecordKind(IntEnum):
    """What a record tells."""

    SYSCALL_EXIT = 1
    EXECUTION = 2
    BIRTH = 3
    END = 4


class BlobKind(IntEnum):
    """What a blob holds."""

    MEMORY = 1
    TEXT = 2
    DESCRIPTOR = 3
    DESCRIPTOR_PATH = 4
    UNIX_LOCAL = 5
    UNIX_PEER = 6
    WORKING_DIRECTORY = 7
    PROGRAM = 8
    PROGRAM_PATH = 9
    CALLED_PATH = 10
    ARGUMENTS = 11
    ENVIRONMENT = 12
    CGROUP = 13
    CHILD = 14


class Counter(IntEnum):
    """The counters that each processor keeps."""

    SEEN = 0
    FILTERED = 1
    SENT = 2
    RING_FULL = 3
    NO_CAPTURE = 4
    PROGRAMS_32 = 5
    CALLS_32 = 6


class CaptureKind(IntEnum):
    """What to copy at the exit of a system call."""

    TEXT = 1
    BYTES = 2
    BUFFER = 3
    RESULT = 4
    VECTOR = 5
    MESSAGE = 6
    DESCRIPTOR = 7
    CREATED = 8
    DIRECTORY = 9
    SIZED = 10
    ENTRY = 11


class Head(NamedTuple):
    """The head of a record. `time` and `start` (of the process) are in nanoseconds since the boot."""

    time: int
    number: int
    kind: int
    result: int
    arg0: int
    arg1: int
    arg2: int
    arg3: int
    arg4: int
    arg5: int
    start: int
    pid: int
    tid: int
    ppid: int
    uid: int
    gid: int
    comm: bytes
    cpu: int

    @property
    def args(self) -> tuple[int, ...]:
        """The arguments of the system call."""
        return self[4:10]


class FileState(NamedTuple):
    """An open file or socket, as the kernel describes it."""

    inode: int
    device: int
    mode: int
    flags: int
    family: int
    type: int
    protocol: int
    state: int
    local_port: int
    peer_port: int
    local: bytes
    peer: bytes
    file_mode: int


class Program(NamedTuple):
    """A process that has just begun to execute a program; times in nanoseconds since the epoch."""

    inheritable: int
    permitted: int
    effective: int
    inode: int
    changed: int
    modified: int
    mapped: int
    minor_faults: int
    major_faults: int
    descriptor_limit: int
    tty: int
    pgid: int
    sid: int
    vpgid: int
    vpid: int
    vtid: int
    loginuid: int
    mode: int
    owner: int
    group: int
    upper_layer: int
    lower_layer: int


class Child(NamedTuple):
    """A new thread or process; `parent` is the process that it is a child of, `start` as in a head."""

    pid: int
    tid: int
    vpid: int
    vtid: int
    start: int
    flags: int
    parent: int
