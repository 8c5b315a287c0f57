"""System calls on processes: signals, tracing, limits, namespaces."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.call import (
    Call,
    Decoder,
    Reader,
    bits,
    integer,
    on_success,
    parameters,
    result,
    signed,
    signed_long,
    structure,
    unsigned,
    word,
)
from refengine.backends.syscalls.decode.data import vector
from refengine.event import ParamValue

_PR_SET_NAME: Final = 15
_PR_GET_CHILD_SUBREAPER: Final = 37
_PTRACE_CONT_REQUESTS: Final = frozenset({7, 8, 9, 16, 17, 24, 31, 32, 33})  # their data is a signal
_PEEKS: Final = frozenset({1, 2, 3})  # through the C library, data is where the word goes


def _prctl(call: Call) -> list[ParamValue | None]:
    option, argument = call.args[0] & 0xFFFFFFFF, call.args[1]
    name: str | None = ""
    number: int | None = 0
    if option == _PR_SET_NAME:
        name = call.memory.string(call.tid, argument, 16)
    elif option == _PR_GET_CHILD_SUBREAPER:
        found = call.memory.unpack(call.tid, argument, struct.Struct("=i"))
        number = None if found is None else found[0]
    else:
        number = signed_long(argument)
    return [call.result, option, name, number]


def _ptrace(call: Call) -> list[ParamValue | None]:
    request, data = call.args[0] & 0xFFFFFFFF, call.args[3]
    value: int | None = data
    if request in _PTRACE_CONT_REQUESTS:
        value = data & 0xFF
    elif request in _PEEKS:
        found = call.memory.unpack(call.tid, data, struct.Struct("=Q")) if call.result >= 0 else None
        value = None if found is None else found[0]
    return [call.result, call.args[2], value, kb.ptrace_requests(request), signed(call.args[1])]


def _limits(position: int) -> tuple[Reader, Reader]:
    return structure(position, "=qq", 0), structure(position, "=qq", 1)


def _prlimit(call: Call) -> list[ParamValue | None]:
    new = call.memory.unpack(call.tid, call.args[2], struct.Struct("=qq")) or (-1, -1)
    old = (
        call.memory.unpack(call.tid, call.args[3], struct.Struct("=qq")) if call.result >= 0 else None
    ) or (-1, -1)
    return [call.result, *new, *old, signed(call.args[0]), call.args[1] & 0xFF]


def _remote_data(call: Call) -> bytes | None:
    return vector(call, call.args[1], call.args[2])[0] if call.result >= 0 else None


_PROCESS_MEMORY = (result, integer(0), _remote_data)

DECODERS: Final[Mapping[str, Decoder]] = {
    "kill": parameters(result, integer(0), unsigned(1)),
    "tkill": parameters(result, integer(0), unsigned(1)),
    "tgkill": parameters(result, integer(0), integer(1), unsigned(2)),
    "ptrace": _ptrace,
    "prctl": _prctl,
    "setns": parameters(result, integer(0), bits(1, kb.clone_flags)),
    "unshare": parameters(result, bits(0, kb.clone_flags)),
    "setrlimit": parameters(result, *_limits(1), unsigned(0)),
    "getrlimit": parameters(result, *(on_success(limit) for limit in _limits(1)), unsigned(0)),
    "prlimit64": _prlimit,
    "process_vm_readv": parameters(*_PROCESS_MEMORY),
    "process_vm_writev": parameters(*_PROCESS_MEMORY),
    "pidfd_open": parameters(result, integer(0), bits(1, kb.pidfd_open_flags)),
    "pidfd_getfd": parameters(result, integer(0), integer(1), unsigned(2)),
    "seccomp": parameters(result, word(0), word(1)),
    "futex": parameters(result, word(0), unsigned(1), unsigned(2)),
}
