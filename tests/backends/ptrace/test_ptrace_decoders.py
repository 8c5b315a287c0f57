"""The decode tables: complete, and each decoder gives what its event type has."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

import pytest

from refengine.backends.base import Interest
from refengine.backends.ptrace.memory import Memory
from refengine.backends.ptrace.plan import CLONES, EXECUTIONS, make_plan
from refengine.backends.ptrace.tracees import Tracees
from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.call import Call
from refengine.backends.syscalls.decode import DECODERS
from refengine.event import ParamValue
from refengine.tables.flags import FLAG_TABLES
from refengine.tables.syscalls import BY_NAME, SYSCALLS
from refengine.values import ValueType

TYPED = [call for call in SYSCALLS if call.number is not None and call.exit.name != "syscall"]

INTEGERS = {
    ValueType.INT8, ValueType.INT16, ValueType.INT32, ValueType.INT64, ValueType.UINT8, ValueType.UINT16,
    ValueType.UINT32, ValueType.UINT64, ValueType.ERRNO, ValueType.FD, ValueType.PID, ValueType.SIGTYPE,
    ValueType.SIGSET, ValueType.RELTIME, ValueType.FLAGS8, ValueType.FLAGS16, ValueType.FLAGS32,
    ValueType.ENUMFLAGS8, ValueType.ENUMFLAGS16, ValueType.ENUMFLAGS32, ValueType.MODE, ValueType.UID, ValueType.GID,
}  # fmt: skip

ODD_ARGUMENTS = (
    0, 1, 8, (1 << 31) - 1, (1 << 32) - 100, (1 << 47) - 1, (1 << 63) + 5, (1 << 64) - 1
)  # fmt: skip


def decoded(name: str, arguments: tuple[int, ...], result: int) -> Sequence[ParamValue | None]:
    """Return what the decoder makes of a call of this process."""
    memory = Memory()
    call = Call(memory, Tracees(), 80, identify=True)
    call.tid = os.getpid()
    call.args = arguments
    call.result = result
    try:
        return DECODERS[name](call)
    finally:
        memory.close()


def test_every_call_with_an_event_type_has_a_decoder() -> None:
    names = {call.name for call in TYPED}
    assert names - CLONES - EXECUTIONS == set(DECODERS)
    watched = {call.name for call in make_plan(Interest(None)).calls.values()}
    assert names <= watched


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_any_arguments_are_decoded(name: str) -> None:
    """A program may pass whatever it likes; what cannot be read is absent."""
    for argument in ODD_ARGUMENTS:
        for result in (-14, 0, 1, 1 << 40):
            check_decoded(name, argument, result)


def check_decoded(name: str, argument: int, result: int) -> None:
    type = BY_NAME[name].exit
    params = decoded(name, (argument,) * 6, result)
    assert len(params) == len(type.params)
    for parameter, value in zip(type.params, params, strict=True):
        if value is None:
            continue
        if parameter.type in INTEGERS:
            assert isinstance(value, int), parameter
        elif parameter.type in (ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH):
            assert isinstance(value, str), parameter
        elif parameter.type is ValueType.BYTEBUF:
            assert isinstance(value, bytes), parameter
            assert len(value) <= 80


class Buffers:
    """Memory of this process for decoders to read."""

    def __init__(self) -> None:
        self.kept: list[ctypes.Array[ctypes.c_char]] = []

    def __call__(self, content: bytes) -> int:
        buffer = ctypes.create_string_buffer(content, max(len(content), 1))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)


@pytest.fixture
def put() -> Buffers:
    return Buffers()


def decode(name: str, *arguments: int, result: int = 0) -> dict[str, object]:
    params = decoded(name, (*arguments, *[0] * (6 - len(arguments))), result)
    return dict(zip((param.name for param in BY_NAME[name].exit.params), params, strict=True))


def test_vectors_are_joined_up_to_the_snap_length(put: Buffers) -> None:
    table = put(struct.pack("=QQQQ", put(b"a" * 50), 50, put(b"b" * 100), 100))
    assert decode("writev", 3, table, 2, result=150) == {
        "res": 150, "data": b"a" * 50 + b"b" * 30, "fd": 3, "size": 150
    }  # fmt: skip
    assert decode("readv", 3, table, 2, result=60)["data"] == b"a" * 50 + b"b" * 10
    assert decode("readv", 3, table, 2, result=-5)["data"] is None


def test_data_of_failed_writes_and_reads(put: Buffers) -> None:
    buffer = put(b"payload")
    assert decode("write", 1, buffer, 7, result=-32)["data"] == b"payload"
    assert decode("write", 1, buffer, 7, result=3)["data"] == b"pay"
    assert decode("read", 1, buffer, 7, result=-4)["data"] is None
    assert decode("pread64", 1, buffer, 7, 99, result=2) == {
        "res": 2, "data": b"pa", "fd": 1, "size": 7, "pos": 99
    }  # fmt: skip


def test_structures_behind_pointers(put: Buffers) -> None:
    assert decode("pipe2", put(struct.pack("=ii", 5, 6)), os.O_CLOEXEC)["flags"] == 4096
    assert decode("setrlimit", 7, put(struct.pack("=qq", 10, -1))) == {
        "res": 0, "cur": 10, "max": -1, "resource": 7
    }  # fmt: skip
    assert decode("nanosleep", put(struct.pack("=qq", 2, 5)))["interval"] == 2_000_000_005
    assert decode("getresuid", *(put(struct.pack("=I", n)) for n in (1, 2, 3))) == {
        "res": 0, "ruid": 1, "euid": 2, "suid": 3
    }  # fmt: skip
    assert decode("poll", put(struct.pack("=ihhihh", 3, 1, 4, -1, 5, 0)), 2, 100, result=1)["fds"] == (
        (3, 4),
        (-1, 0),
    )
    words = struct.pack("=6I", 1, 2, 3, 4, 5, 6)
    assert decode("capset", 0, put(words)) == {
        "res": 0,
        "cap_inheritable": 3 | 6 << 32,
        "cap_permitted": 2 | 5 << 32,
        "cap_effective": 1 | 4 << 32,
    }
    operations = struct.pack("=HhHHhH", 1, -1, 0o4000, 2, 1, 0x1000)
    assert list(decode("semop", 9, put(operations), 2).values()) == [0, 2, 1, -1, 1, 2, 1, 2, 9]


def test_kernel_modules_and_bpf(put: Buffers) -> None:
    image = put(b"\x7fELF" + b"x" * 200)
    init = decode("init_module", image, 204, put(b"a=1\0"), result=-1)
    assert init == {"res": -1, "img": b"\x7fELF" + b"x" * 76, "length": 204, "uargs": "a=1"}
    assert decode("finit_module", 4, put(b"\0"), 1, result=-1) == {
        "res": -1,
        "fd": 4,
        "uargs": "",
        "flags": 1,
    }
    assert decode("bpf", 5, result=7) == {"fd": 7, "cmd": 5}
    assert decode("delete_module", put(b"m\0"), os.O_NONBLOCK | os.O_TRUNC)["flags"] == 3


def test_a_ptrace_request_in_the_format_s_numbers(put: Buffers) -> None:
    requests = FLAG_TABLES["ptrace_requests"]
    assert decode("ptrace", 0)["request"] == requests["PTRACE_TRACEME"]
    assert decode("ptrace", 16, 55) == {
        "res": 0, "addr": 0, "data": 0, "request": requests["PTRACE_ATTACH"], "pid": 55
    }  # fmt: skip
    assert decode("ptrace", 0x4206, 55)["request"] == requests["PTRACE_SEIZE"]
    assert decode("ptrace", 2, 55, 16, put(struct.pack("=Q", 77)))["data"] == 77
    assert decode("ptrace", 12345)["request"] == requests["PTRACE_UNKNOWN"]


@pytest.mark.parametrize(
    ("kernel", "names"),
    [
        (os.O_RDONLY, {"O_RDONLY"}),
        (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, {"O_WRONLY", "O_CREAT", "O_TRUNC"}),
        (os.O_RDWR | os.O_EXCL | os.O_APPEND, {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_EXCL", "O_APPEND"}),
        (os.O_SYNC | os.O_DIRECT, {"O_RDONLY", "O_SYNC", "O_DSYNC", "O_DIRECT"}),
        (os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, {"O_RDONLY", "O_CLOEXEC"}),
        (os.O_TMPFILE | os.O_WRONLY, {"O_WRONLY", "O_TMPFILE", "O_DIRECTORY"}),
    ],
)
def test_open_flags_by_name(kernel: int, names: set[str]) -> None:
    table = FLAG_TABLES["file_flags"]
    value = kb.open_flags(kernel)
    assert {name for name, bit in table.items() if bit and value & bit == bit} == names


def test_flags_that_the_kernel_does_not_know_are_left_out() -> None:
    assert kb.clone_flags(0xFF) == 0
    assert kb.unlinkat_flags(0xFFFF) == 512
    assert kb.fcntl_commands(9999) == 0
