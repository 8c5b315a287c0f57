"""The kernel's interface for BPF maps and programs, through ctypes: what runs after the compiler has gone."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

from refengine.backends.ebpf.part import INSTRUCTION_SIZE, MapDefinition

_BPF: Final = 321
_PERF_EVENT_OPEN: Final = 298
_FSOPEN: Final = 430
_FSCONFIG: Final = 431
_FSMOUNT: Final = 432

_MAP_CREATE: Final = 0
_MAP_LOOKUP: Final = 1
_MAP_UPDATE: Final = 2
_PROGRAM_LOAD: Final = 5
_RAW_TRACEPOINT_OPEN: Final = 17

_LICENSE: Final = b"GPL"
_LOG_OF_FAULTS: Final = 4
"""What the verifier is to write: why it refuses, and not each of its steps, which takes longer than the verifying."""

_LOG_SIZE: Final = 65536
_INTERRUPTIONS_MAX: Final = 5
"""How often the verifier is asked again after a signal has ended it."""

_ATTRIBUTES: Final = 128
"""Size of the attributes given, zeros beyond what a command uses."""

_FIGURES: Final = re.compile(
    r"verification time|stack depth|processed \d+ insns|insns processed|total_states"
)

_PERF_TYPE_TRACEPOINT: Final = 2
_PERF_ATTRIBUTES: Final = 112
_PERF_SAMPLE_RAW: Final = 1 << 10
_PERF_CLOSE_ON_EXEC: Final = 1 << 3
_PERF_ENABLE: Final = 0x2400
_PERF_SET_BPF: Final = 0x40042408

_FSCONFIG_CREATE: Final = 6
_CLOSE_ON_EXEC: Final = 1


class ProgramKind(IntEnum):
    """What a program can be attached to, in the kernel's numbers."""

    TRACEPOINT = 5
    RAW_TRACEPOINT = 17


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(number: int, *arguments: ctypes.c_void_p | ctypes.c_long | ctypes.c_char_p) -> int:
    """Make a system call.

    :raises OSError: when it fails.
    """
    result = _libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)


def _bpf(command: int, attributes: bytes) -> int:
    data = ctypes.create_string_buffer(attributes.ljust(_ATTRIBUTES, b"\0"), _ATTRIBUTES)
    return _call(_BPF, ctypes.c_long(command), _place(data), ctypes.c_long(_ATTRIBUTES))


def _place(data: ctypes.Array[ctypes.c_char]) -> ctypes.c_void_p:
    """Return where data lies; unlike a cast, this makes no cycle of references for the collector of garbage to find."""
    return ctypes.c_void_p(ctypes.addressof(data))


def update_map(map: int, key: int | bytes, value: bytes) -> None:
    """Set the entry of a map; a number is a key of 32 bits.

    :raises OSError: when the kernel refuses.
    """
    data = key if isinstance(key, bytes) else struct.pack("=I", key)
    keys = ctypes.create_string_buffer(data, len(data))
    values = ctypes.create_string_buffer(value, len(value))
    _bpf(_MAP_UPDATE, struct.pack("=I4xQQQ", map, ctypes.addressof(keys), ctypes.addressof(values), 0))


def read_map(map: int, key: int, size: int) -> bytes:
    """Return `size` bytes of an entry; a map that has one for each processor gives them all, one after another.

    :raises OSError: when the kernel refuses.
    """
    keys = ctypes.create_string_buffer(struct.pack("=I", key), 4)
    values = ctypes.create_string_buffer(size)
    _bpf(_MAP_LOOKUP, struct.pack("=I4xQQQ", map, ctypes.addressof(keys), ctypes.addressof(values), 0))
    return values.raw


def create_map(definition: MapDefinition) -> int:
    """Return the descriptor of a new map.

    :raises OSError: when the kernel refuses.
    """
    name, type, key_size, value_size, entries, flags = definition
    return _bpf(
        _MAP_CREATE,
        struct.pack("=5I8x15sx", type, key_size, value_size, entries, flags, name.encode()),
    )


class VerifierError(OSError):
    """The verifier has refused a program; the text is what it has found, in one line."""


def load_program(kind: ProgramKind, instructions: bytes, name: str = "") -> int:
    """Load a program and return its descriptor; the kernel shows the beginning of its name.

    :raises VerifierError: when the kernel refuses.
    """
    text = ctypes.create_string_buffer(instructions, len(instructions))
    license = ctypes.create_string_buffer(_LICENSE)
    log = ctypes.create_string_buffer(_LOG_SIZE)
    places = (
        ctypes.addressof(text),
        ctypes.addressof(license),
        _LOG_OF_FAULTS,
        _LOG_SIZE,
        ctypes.addressof(log),
    )
    count = len(instructions) // INSTRUCTION_SIZE
    attributes = struct.pack("=IIQQIIQ8x15sx", kind, count, *places, name.encode())
    for interruptions in range(_INTERRUPTIONS_MAX + 1):
        try:
            return _bpf(_PROGRAM_LOAD, attributes)
        except OSError as error:
            if error.errno != errno.EAGAIN or interruptions == _INTERRUPTIONS_MAX:
                raise VerifierError(error.errno, _fault(error, log.value)) from None
    raise AssertionError("the last time ends it")


def _fault(error: OSError, log: bytes) -> str:
    """Return why the verifier refuses: the last line of its log that is no figure."""
    lines = [
        line for line in log.decode("utf-8", "replace").splitlines() if line and not _FIGURES.match(line)
    ]
    return f"{lines[-1]} ({error.strerror})" if lines else str(error.strerror)


def attach_raw_tracepoint(name: str, program: int) -> int:
    """Run a program at a raw tracepoint for as long as the descriptor returned stays open.

    :raises OSError: when the kernel refuses.
    """
    text = ctypes.create_string_buffer(name.encode())
    return _bpf(_RAW_TRACEPOINT_OPEN, struct.pack("=QI", ctypes.addressof(text), program))


def attach_tracepoint(id: int, program: int) -> int:
    """Run a program at the tracepoint with that number, on every processor, while the descriptor stays open.

    :raises OSError: when the kernel refuses.
    """
    attributes = struct.pack(
        "=IIQQQQQI", _PERF_TYPE_TRACEPOINT, _PERF_ATTRIBUTES, id, 1, _PERF_SAMPLE_RAW, 0, 0, 1
    )
    data = ctypes.create_string_buffer(attributes.ljust(_PERF_ATTRIBUTES, b"\0"), _PERF_ATTRIBUTES)
    every_process, first_processor, no_group = ctypes.c_long(-1), ctypes.c_long(0), ctypes.c_long(-1)
    # The processor counts for samples only, which nobody reads: the program runs wherever the call is made.
    descriptor = _call(
        _PERF_EVENT_OPEN,
        _place(data),
        every_process,
        first_processor,
        no_group,
        ctypes.c_long(_PERF_CLOSE_ON_EXEC),
    )
    try:
        fcntl.ioctl(descriptor, _PERF_SET_BPF, program)
        fcntl.ioctl(descriptor, _PERF_ENABLE, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def tracing_folder() -> Iterator[int]:
    """Have a descriptor of the folder of tracepoints while the body runs.

    The file system is mounted for this alone, nowhere in the tree of folders, and goes with the descriptor.

    :raises OSError: when the kernel refuses, as it does without CAP_SYS_ADMIN.
    """
    context = _call(_FSOPEN, ctypes.c_char_p(b"tracefs"), ctypes.c_long(_CLOSE_ON_EXEC))
    try:
        none = ctypes.c_void_p(None)
        _call(
            _FSCONFIG, ctypes.c_long(context), ctypes.c_long(_FSCONFIG_CREATE), none, none, ctypes.c_long(0)
        )
        folder = _call(_FSMOUNT, ctypes.c_long(context), ctypes.c_long(_CLOSE_ON_EXEC), ctypes.c_long(0))
    finally:
        os.close(context)
    try:
        yield folder
    finally:
        os.close(folder)


def tracepoint_number(folder: int, group: str, name: str) -> int | None:
    """Return the number of a tracepoint, None where the kernel has none of that name."""
    try:
        descriptor = os.open(f"events/{group}/{name}/id", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise
    try:
        return int(os.read(descriptor, 32))
    finally:
        os.close(descriptor)
