"""System calls on the address space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.syscalls.call import Call, Decoder, bits, integer, parameters, result, unsigned, word
from refengine.event import ParamValue


def _sizes(call: Call) -> list[ParamValue | None]:
    return list(call.process.memory_sizes(call.tid) or (None, None, None))


_map_tail = parameters(word(0), word(1), bits(2, kb.prot_flags), bits(3, kb.mmap_flags), integer(4), word(5))
_range = parameters(word(0), word(1))


def _brk(call: Call) -> list[ParamValue | None]:
    return [call.result, *_sizes(call), call.args[0]]


def _mmap(call: Call) -> list[ParamValue | None]:
    return [call.result, *_sizes(call), *_map_tail(call)]


def _munmap(call: Call) -> list[ParamValue | None]:
    return [call.result, *_sizes(call), *_range(call)]


DECODERS: Final[Mapping[str, Decoder]] = {
    "brk": _brk,
    "mmap": _mmap,
    "munmap": _munmap,
    "mprotect": parameters(result, word(0), word(1), bits(2, kb.prot_flags)),
    "mlock": parameters(result, word(0), word(1)),
    "mlock2": parameters(result, word(0), word(1), unsigned(2)),
    "munlock": parameters(result, word(0), word(1)),
    "mlockall": parameters(result, unsigned(0)),
    "munlockall": parameters(result),
}
