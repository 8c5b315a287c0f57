"""System calls that make kernel objects behind descriptors, and the System V ones."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.call import (
    Call,
    Decoder,
    bits,
    integer,
    parameters,
    result,
    signed,
    structure,
    text,
    unsigned,
    word,
)
from refengine.event import ParamValue

_SEMAPHORE_OPERATION = struct.Struct("=HhH")


def _pipe(call: Call) -> list[ParamValue | None]:
    numbers = call.memory.unpack(call.tid, call.args[0], struct.Struct("=ii")) if call.result >= 0 else None
    if numbers is None:
        return [call.result, None, None, None]
    identity = call.process.identity(call.tid, numbers[0])
    return [call.result, *numbers, None if identity is None else identity[1]]


def _pipe2(call: Call) -> list[ParamValue | None]:
    return [*_pipe(call), kb.file_flags(call.args[1])]


def _semop(call: Call) -> list[ParamValue | None]:
    count = call.args[2] & 0xFFFFFFFF
    operations: list[ParamValue | None] = []
    for index in range(2):
        address = call.args[1] + index * _SEMAPHORE_OPERATION.size
        members = call.memory.unpack(call.tid, address, _SEMAPHORE_OPERATION) if index < count else None
        if members is None:
            operations += [0, 0, 0]
        else:
            operations += [members[0], members[1], kb.semop_flags(members[2])]
    return [call.result, count, *operations, signed(call.args[0])]


DECODERS: Final[Mapping[str, Decoder]] = {
    "pipe": _pipe,
    "pipe2": _pipe2,
    "memfd_create": parameters(result, text(0), unsigned(1)),
    "userfaultfd": parameters(result, bits(0, kb.file_flags)),
    "eventfd": parameters(result, unsigned(0), lambda call: 0),
    "eventfd2": parameters(result, bits(1, kb.file_flags), unsigned(0)),
    "signalfd": parameters(result, integer(0), lambda call: 0, lambda call: 0),
    "signalfd4": parameters(result, bits(3, kb.file_flags), integer(0), structure(1, "=I", 0)),
    "timerfd_create": parameters(result, unsigned(0), unsigned(1)),
    "inotify_init": parameters(result, lambda call: 0),
    "inotify_init1": parameters(result, bits(0, kb.file_flags)),
    "epoll_create": parameters(result, integer(0)),
    "epoll_create1": parameters(result, bits(0, kb.epoll_create1_flags)),
    "semget": parameters(result, integer(0), integer(1), bits(2, kb.semget_flags)),
    "semctl": parameters(
        result, integer(0), integer(1), lambda call: kb.semctl_commands(call.args[2] & 0xFF), integer(3)
    ),
    "semop": _semop,
    "io_uring_setup": parameters(
        result,
        unsigned(0),
        structure(1, "=IIIIIII", 0),
        structure(1, "=IIIIIII", 1),
        structure(1, "=IIIIIII", 2),
        structure(1, "=IIIIIII", 3),
        structure(1, "=IIIIIII", 4),
        structure(1, "=IIIIIII", 5),
    ),
    "io_uring_enter": parameters(
        result, integer(0), unsigned(1), unsigned(2), unsigned(3), structure(4, "=I", 0)
    ),
    "io_uring_register": parameters(result, integer(0), unsigned(1), word(2), unsigned(3)),
}
