"""System calls that reach into the kernel itself: modules, BPF programs, keys, mount configuration."""

from __future__ import annotations

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
    signed_word,
    text,
    unsigned,
    word,
)
from refengine.event import ParamValue

_SET_FLAG, _SET_STRING, _SET_BINARY, _SET_PATH, _SET_PATH_EMPTY, _SET_FD = range(6)


def _image(call: Call) -> bytes | None:
    return call.buffer(call.args[0], call.args[1])


def _fsconfig(call: Call) -> list[ParamValue | None]:
    command, value = call.args[1] & 0xFFFFFFFF, call.args[3]
    key = call.memory.string(call.tid, call.args[2])
    binary = call.buffer(value, call.args[4] & 0xFFFFFFFF) if command == _SET_BINARY else None
    named = command in (_SET_STRING, _SET_PATH, _SET_PATH_EMPTY)
    string = call.memory.string(call.tid, value) if named else None
    return [call.result, signed(call.args[0]), command, key, binary, string, signed(call.args[4])]


DECODERS: Final[Mapping[str, Decoder]] = {
    "init_module": parameters(result, _image, word(1), text(2)),
    "finit_module": parameters(result, integer(0), text(1), unsigned(2)),
    "delete_module": parameters(result, text(0), bits(1, kb.delete_module_flags)),
    "bpf": parameters(result, integer(0)),
    "fsconfig": _fsconfig,
    "keyctl": parameters(result, unsigned(0), signed_word(1), signed_word(2), signed_word(3), signed_word(4)),
}
