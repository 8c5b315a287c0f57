"""The kernel's interface: ptrace requests, seccomp, and reading another process's memory.

python-ptrace gives the constants and the layout of registers; what it lacks (`PTRACE_SEIZE`, seccomp,
`process_vm_readv`, `pidfd_getfd`) is called through ctypes. The functions of the hot path work on buffers that
are allocated once, and report failure by their result instead of an exception.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import warnings
from collections.abc import Callable
from ctypes import c_long, c_ssize_t, c_uint64, c_ulong, c_void_p
from typing import Final, TypeAlias

from ptrace.binding import func as binding
from ptrace.binding.linux_struct import user_regs_struct

PTRACE_CONT: Final[int] = binding.PTRACE_CONT
PTRACE_SYSCALL: Final[int] = binding.PTRACE_SYSCALL
PTRACE_DETACH: Final[int] = binding.PTRACE_DETACH
PTRACE_GETREGS: Final[int] = binding.PTRACE_GETREGS
PTRACE_PEEKDATA: Final[int] = binding.PTRACE_PEEKDATA
PTRACE_GETEVENTMSG: Final[int] = binding.PTRACE_GETEVENTMSG
PTRACE_GETSIGINFO: Final[int] = binding.PTRACE_GETSIGINFO
PTRACE_SEIZE: Final = 0x4206
PTRACE_INTERRUPT: Final = 0x4207
PTRACE_LISTEN: Final = 0x4208
PTRACE_GET_SYSCALL_INFO: Final = 0x420E

EVENT_FORK: Final[int] = binding.PTRACE_EVENT_FORK
EVENT_VFORK: Final[int] = binding.PTRACE_EVENT_VFORK
EVENT_CLONE: Final[int] = binding.PTRACE_EVENT_CLONE
EVENT_EXEC: Final[int] = binding.PTRACE_EVENT_EXEC
EVENT_EXIT: Final[int] = binding.PTRACE_EVENT_EXIT
EVENT_SECCOMP: Final = 7
EVENT_STOP: Final = 128

O_TRACESYSGOOD: Final[int] = binding.PTRACE_O_TRACESYSGOOD
O_TRACEFORK: Final[int] = binding.PTRACE_O_TRACEFORK
O_TRACEVFORK: Final[int] = binding.PTRACE_O_TRACEVFORK
O_TRACECLONE: Final[int] = binding.PTRACE_O_TRACECLONE
O_TRACEEXEC: Final[int] = binding.PTRACE_O_TRACEEXEC
O_TRACEEXIT: Final[int] = binding.PTRACE_O_TRACEEXIT
O_TRACESECCOMP: Final = 1 << 7
O_EXITKILL: Final = 1 << 20

WALL: Final[int] = binding.THREAD_TRACE_FLAGS
"""The `waitpid` option that reports threads as well as processes."""

AUDIT_ARCH_X86_64: Final = 0xC000003E
X32_BIT: Final = 0x40000000
"""Set in the number of a system call made through the x32 interface, which otherwise shares numbers below 512."""

SYSCALL_ENTRY: Final = 1
SYSCALL_EXIT: Final = 2

_PIDFD_OPEN = 434
_PIDFD_GETFD = 438
_SECCOMP = 317
_SECCOMP_SET_MODE_FILTER = 1
_PR_SET_NO_NEW_PRIVS = 38

_INFO_SIZE: Final = 88
"""The size of the kernel's `ptrace_syscall_info`."""

_SIGNAL_INFO = struct.Struct("=iii4xi")

_libc = ctypes.CDLL(None, use_errno=True)

_ptrace = _libc.ptrace
_ptrace.restype = c_long
_ptrace.argtypes = [c_long, c_long, c_void_p, c_void_p]

_syscall = _libc.syscall
_syscall.restype = c_long
_syscall.argtypes = [c_long, c_ulong, c_ulong, c_void_p]

# The functions of the hot path, which closures call so that no attribute is looked up. Without declared argument types a call takes half the time; integers go as C
# integers, which all their arguments fit, and addresses as pointer objects made beforehand. These requests never
# wait, so that the interpreter's lock need not be given up for them.
_quick = ctypes.PyDLL(None)
_quick_ptrace = _quick.ptrace
_quick_ptrace.restype = c_long
_quick_read = _quick.process_vm_readv
_quick_read.restype = c_ssize_t


Words: TypeAlias = tuple[int, int, int, int, int, int, int, int]
"""The registers of a call: r10, r9, r8, rax (signed), rdx, rsi, rdi, orig_rax."""


class Registers:
    """The registers of a stopped thread, read into one buffer that every read overwrites.

    `read` returns those of the call that a thread is in, None when the thread is gone.
    """

    __slots__ = ("read",)

    def __init__(self) -> None:
        offsets = [
            getattr(user_regs_struct, name).offset
            for name in ("r10", "r9", "r8", "rax", "rdx", "rsi", "rdi", "orig_rax")
        ]
        if offsets != [56, 64, 72, 80, 96, 104, 112, 120]:
            raise OSError(errno.ENOSYS, "the registers are not laid out as on x86-64")
        buffer = user_regs_struct()
        pointer = ctypes.byref(buffer)
        unpack, ptrace = struct.Struct("=56x3Qq8x4Q").unpack_from, _quick_ptrace

        def read(tid: int) -> Words | None:
            return None if ptrace(PTRACE_GETREGS, tid, 0, pointer) < 0 else unpack(buffer)

        self.read: Callable[[int], Words | None] = read


class SyscallInfo:
    """What kind of system call stop a thread is in, read into one buffer that every read overwrites.

    `read` returns the operation, the architecture and, on entry, the number; None when the thread is gone.
    """

    __slots__ = ("read",)

    def __init__(self) -> None:
        buffer = ctypes.create_string_buffer(_INFO_SIZE)
        pointer = ctypes.byref(buffer)
        unpack, ptrace = struct.Struct("=B3xI16xQ").unpack_from, _quick_ptrace

        def read(tid: int) -> tuple[int, int, int] | None:
            return None if ptrace(PTRACE_GET_SYSCALL_INFO, tid, _INFO_SIZE, pointer) < 0 else unpack(buffer)

        self.read: Callable[[int], tuple[int, int, int] | None] = read


class SyscallEntry:
    """What a call is made with, read into one buffer that every read overwrites.

    `read` returns the number and the six arguments of the call at whose entry a thread is, None when it is gone. It costs
    half of what reading the registers does, which remains for kernels before 5.3.
    """

    __slots__ = ("read",)

    def __init__(self, registers: Registers) -> None:
        buffer = ctypes.create_string_buffer(_INFO_SIZE)
        pointer = ctypes.byref(buffer)
        unpack, ptrace = struct.Struct("=24x7Q").unpack_from, _quick_ptrace

        def read(tid: int) -> tuple[int, ...] | None:
            if ptrace(PTRACE_GET_SYSCALL_INFO, tid, _INFO_SIZE, pointer) < 0:
                words = registers.read(tid)
                return None if words is None else (words[7], *words[6:3:-1], words[0], words[2], words[1])
            return unpack(buffer)

        self.read: Callable[[int], tuple[int, ...] | None] = read


class EventMessage:
    """The value that goes with a stop, read into one buffer that every read overwrites.

    `read` returns it for a stopped thread (a new thread's id, an exit status), None when the thread is gone.
    """

    __slots__ = ("read",)

    def __init__(self) -> None:
        value = c_uint64()
        pointer, ptrace = ctypes.byref(value), _quick_ptrace

        def read(tid: int) -> int | None:
            return None if ptrace(PTRACE_GETEVENTMSG, tid, 0, pointer) < 0 else value.value

        self.read: Callable[[int], int | None] = read


resume = _quick_ptrace
"""The bare request, for restarting a thread: `resume(request, tid, 0, signal)`, below 0 when it is gone."""


def request(number: int, tid: int, address: int = 0, data: int = 0) -> None:
    """Make a ptrace request.

    :raises OSError: with the kernel's reason.
    """
    if _ptrace(number, tid, address, data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def fork() -> int:
    """Fork the process, and be silent about other threads.

    Python warns that a child may find a lock held by a thread that it has not got. Our children take none: they
    become another program at once, or sleep.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def signal_sender(tid: int) -> int | None:
    """Return the process that sent the signal at whose delivery `tid` is stopped, None where nobody did."""
    buffer = ctypes.create_string_buffer(128)
    if _ptrace(PTRACE_GETSIGINFO, tid, 0, ctypes.addressof(buffer)) < 0:
        return None
    _number, _error, code, sender = _SIGNAL_INFO.unpack_from(buffer)
    return int(sender) if code <= 0 else None  # codes above 0 mean that the kernel itself sent it


class MemoryWindow:
    """A buffer into which another process's memory is read, one call at a time."""

    __slots__ = ("_address", "_local", "_pack", "_remote", "_vectors", "buffer")

    def __init__(self, size: int) -> None:
        self.buffer = bytearray(size)
        self._address = ctypes.addressof((ctypes.c_char * size).from_buffer(self.buffer))
        # Two vectors of one part each: where to, and where from.
        self._vectors = bytearray(32)
        self._pack = struct.Struct("=QQQQ").pack_into
        base = ctypes.addressof((ctypes.c_char * 32).from_buffer(self._vectors))
        self._local = c_void_p(base)
        self._remote = c_void_p(base + 16)

    def fill(self, tid: int, address: int, length: int) -> int:
        """Read up to `length` bytes (at most the window's size) from `address` into `buffer`; return how many."""
        self._pack(self._vectors, 0, self._address, length, address, length)
        count: int = _quick_read(tid, self._local, 1, self._remote, 1, 0)
        if count >= 0:
            return count
        data = self._peek(tid, address, length)
        self.buffer[: len(data)] = data
        return len(data)

    @staticmethod
    def _peek(tid: int, address: int, length: int) -> bytes:
        """Read word by word, where the direct call is refused; an address that is not mapped fails at once."""
        parts: list[bytes] = []
        for word_address in range(address & ~7, address + length, 8):
            ctypes.set_errno(0)
            word = _ptrace(PTRACE_PEEKDATA, tid, word_address, 0)
            if word == -1 and ctypes.get_errno():
                break
            parts.append((word & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"))
        return b"".join(parts)[address & 7 :][:length]


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", c_void_p))


class LoadableFilter:
    """A seccomp program prepared in memory, so that loading it after a fork allocates nothing."""

    __slots__ = ("_instructions", "_program", "_program_address")

    def __init__(self, instructions: bytes) -> None:
        self._instructions = ctypes.create_string_buffer(instructions, len(instructions))
        self._program = _FilterProgram(len(instructions) // 8, ctypes.addressof(self._instructions))
        self._program_address = ctypes.addressof(self._program)

    def load(self) -> int:
        """Put the calling thread under the filter; return 0, or the error number.

        It is tried first without `no_new_privs`, which needs CAP_SYS_ADMIN, so that set-user-id programs
        keep working under a privileged tracer.
        """
        if _syscall(_SECCOMP, _SECCOMP_SET_MODE_FILTER, 0, self._program_address) == 0:
            return 0
        if ctypes.get_errno() != errno.EACCES:
            return ctypes.get_errno()
        if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return ctypes.get_errno()
        if _syscall(_SECCOMP, _SECCOMP_SET_MODE_FILTER, 0, self._program_address) == 0:
            return 0
        return ctypes.get_errno()


def borrow_descriptor(pid: int, number: int) -> int | None:
    """Return a duplicate of descriptor `number` of process `pid`, None where the kernel does not give it."""
    process = _syscall(_PIDFD_OPEN, pid, 0, 0)
    if process < 0:
        return None
    try:
        descriptor = _syscall(_PIDFD_GETFD, process, number, 0)
    finally:
        os.close(process)
    return None if descriptor < 0 else descriptor
