"""System calls that move data through descriptors."""

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
    structure,
    unsigned,
    word,
)

_VECTORS_READ: Final = 16  # enough to fill any sensible snap length


def vector(call: Call, address: int, count: int) -> tuple[bytes | None, int]:
    """Return the first bytes of a vector of buffers, and the length of all of them together.

    Of a vector of very many parts only the first are looked at for bytes; all count for the length.
    """
    count = min(count, 1024)
    table = call.memory.bytes_at(call.tid, address, count * 16) or b""
    parts = list(struct.iter_unpack("=QQ", table[: len(table) - len(table) % 16]))
    total = sum(length for _, length in parts)
    wanted = min(total, call.snap_length)
    if call.result >= 0:
        wanted = min(wanted, call.result)
    found = b""
    for base, length in parts[:_VECTORS_READ]:
        if len(found) >= wanted:
            break
        piece = call.buffer(base, min(length, wanted - len(found)))
        if piece is None:
            break
        found += piece
    return found or None, total


def _written(call: Call) -> bytes | None:
    # A failed write has its bytes too: what the program meant to write.
    return call.buffer(call.args[1], call.result if call.result > 0 else call.args[2])


def _read(call: Call) -> bytes | None:
    return call.buffer(call.args[1], call.result)


def _vector_data(call: Call) -> bytes | None:
    return vector(call, call.args[1], call.args[2])[0]


def _vector_size(call: Call) -> int:
    return vector(call, call.args[1], call.args[2])[1] & 0xFFFFFFFF


def _position(call: Call) -> int:
    return call.args[3]


def _poll(timeout: Reader) -> tuple[Reader, Reader, Reader]:
    return result, _descriptors, timeout


def _descriptors(call: Call) -> tuple[tuple[int, int], ...] | None:
    """Read the descriptors of a poll: each number with the events that came (or, on failure, that were asked for)."""
    count = min(call.args[1], 64)
    table = call.memory.bytes_at(call.tid, call.args[0], count * 8)
    if table is None:
        return None
    entries = struct.iter_unpack("=ihh", table[: len(table) - len(table) % 8])
    return tuple((number, came if call.result >= 0 else asked) for number, asked, came in entries)


def _timespec(position: int) -> Reader:
    seconds, rest = structure(position, "=qq", 0), structure(position, "=qq", 1)

    def read(call: Call) -> int | None:
        first, second = seconds(call), rest(call)
        if not isinstance(first, int) or not isinstance(second, int):
            return None
        return first * 1_000_000_000 + second

    return read


_read_data: Reader = on_success(_read)

DECODERS: Final[Mapping[str, Decoder]] = {
    "read": parameters(result, _read_data, integer(0), unsigned(2)),
    "pread64": parameters(result, _read_data, integer(0), unsigned(2), _position),
    "write": parameters(result, _written, integer(0), unsigned(2)),
    "pwrite64": parameters(result, _written, integer(0), unsigned(2), _position),
    "readv": parameters(result, _vector_size, on_success(_vector_data), integer(0)),
    "preadv": parameters(result, _vector_size, on_success(_vector_data), integer(0), _position),
    "writev": parameters(result, _vector_data, integer(0), _vector_size),
    "pwritev": parameters(result, _vector_data, integer(0), _vector_size, _position),
    "lseek": parameters(result, integer(0), word(1), unsigned(2)),
    "sendfile": parameters(result, structure(2, "=Q", 0), integer(0), integer(1), word(3)),
    "splice": parameters(result, integer(0), integer(2), word(4), bits(5, kb.splice_flags)),
    "copy_file_range": parameters(
        result, integer(2), structure(3, "=Q", 0), integer(0), structure(1, "=Q", 0), word(4)
    ),
    "poll": parameters(*_poll(integer(2))),
    "ppoll": parameters(*_poll(_timespec(2)), structure(3, "=I", 0)),
    "select": parameters(result),
    "epoll_wait": parameters(result, integer(2)),
    "nanosleep": parameters(result, _timespec(0)),
    "ioctl": parameters(result, integer(0), unsigned(1), word(2)),
}
