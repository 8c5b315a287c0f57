"""System calls that ask for or change users, groups, sessions and capabilities."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from refengine.backends.syscalls.call import (
    Call,
    Decoder,
    Reader,
    integer,
    on_success,
    parameters,
    result,
    structure,
    unsigned,
)
from refengine.event import ParamValue

_CAPABILITY_DATA = struct.Struct("=IIIIII")  # effective, permitted, inheritable; low words, then high words


def _pointed(position: int) -> Reader:
    return on_success(structure(position, "=I", 0))


def _capset(call: Call) -> list[ParamValue | None]:
    words = call.memory.unpack(call.tid, call.args[1], _CAPABILITY_DATA)
    if words is None:
        return [call.result, None, None, None]
    effective, permitted, inheritable = (words[i] | words[i + 3] << 32 for i in range(3))
    return [call.result, inheritable, permitted, effective]


DECODERS: Final[Mapping[str, Decoder]] = {
    "getuid": parameters(result),
    "geteuid": parameters(result),
    "getgid": parameters(result),
    "getegid": parameters(result),
    "setuid": parameters(result, unsigned(0)),
    "setgid": parameters(result, unsigned(0)),
    "setreuid": parameters(result, unsigned(0), unsigned(1)),
    "setregid": parameters(result, unsigned(0), unsigned(1)),
    "setresuid": parameters(result, unsigned(0), unsigned(1), unsigned(2)),
    "setresgid": parameters(result, unsigned(0), unsigned(1), unsigned(2)),
    "getresuid": parameters(result, _pointed(0), _pointed(1), _pointed(2)),
    "getresgid": parameters(result, _pointed(0), _pointed(1), _pointed(2)),
    "setpgid": parameters(result, integer(0), integer(1)),
    "setsid": parameters(result),
    "capset": _capset,
}
