"""Decoding of event parameters from the bytes of a capture, by the types of the event table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import TypeAlias

from refengine.event import ParamValue
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.tables.event_types import EventType, Parameter
from refengine.values import ValueType

Decode: TypeAlias = "Callable[[bytes, int, int], ParamValue | None]"
"""Reads a parameter from the bytes of a buffer between two positions; None where there are none."""

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
"""Address families in the capture format, the kernel's own numbers."""

FIXED_FORMATS: Mapping[ValueType, str] = {
    ValueType.INT8: "b",
    ValueType.INT16: "h",
    ValueType.INT32: "i",
    ValueType.INT64: "q",
    ValueType.UINT8: "B",
    ValueType.UINT16: "H",
    ValueType.UINT32: "I",
    ValueType.UINT64: "Q",
    ValueType.ERRNO: "q",
    ValueType.FD: "q",
    ValueType.FD32: "i",
    ValueType.PID: "q",
    ValueType.PID32: "i",
    ValueType.SYSCALLID: "H",
    ValueType.SIGTYPE: "B",
    ValueType.SIGSET: "I",
    ValueType.RELTIME: "Q",
    ValueType.ABSTIME: "Q",
    ValueType.PORT: "H",
    ValueType.FLAGS8: "B",
    ValueType.FLAGS16: "H",
    ValueType.FLAGS32: "I",
    ValueType.ENUMFLAGS8: "B",
    ValueType.ENUMFLAGS16: "H",
    ValueType.ENUMFLAGS32: "I",
    ValueType.MODE: "I",
    ValueType.UID: "I",
    ValueType.GID: "I",
    ValueType.BOOL: "I",
    ValueType.SOCKFAMILY: "B",
    ValueType.DOUBLE: "d",
    ValueType.IPV4ADDR: "4s",
    ValueType.IPV6ADDR: "16s",
}
"""The `struct` format of each type whose values all have one size."""

_TEXTS = frozenset({ValueType.CHARBUF, ValueType.FSPATH, ValueType.FSRELPATH})


class Decoders:
    """The decoding functions of one byte order (`<` or `>`)."""

    def __init__(self, order: str) -> None:
        self.order = order
        self._numbers: dict[ValueType, Decode] = {
            type: _number(order, code) for type, code in FIXED_FORMATS.items()
        }
        self._special: dict[ValueType, Decode] = {
            ValueType.BYTEBUF: decode_bytes,
            ValueType.CHARBUFARRAY: decode_texts,
            ValueType.CHARBUF_PAIR_ARRAY: decode_pairs,
            ValueType.SOCKADDR: _socket_address(order),
            ValueType.SOCKTUPLE: _socket_tuple(order),
            ValueType.FDLIST: _descriptor_list(order),
            **dict.fromkeys(_TEXTS, decode_text),
        }

    def of_type(self, type: ValueType) -> Decode:
        """Return the decoder of a type; what has no layout of its own is given as bytes."""
        return self._numbers.get(type) or self._special.get(type) or decode_bytes

    def of(self, param: Parameter) -> Decode:
        """Return the decoder of a parameter."""
        if param.type is ValueType.DYN:
            return _dynamic(tuple(self.of_type(type) for type in param.alternatives))
        return self.of_type(param.type)

    def of_event(self, type: EventType) -> tuple[Decode, ...]:
        """Return the decoders of an event type's parameters, in order."""
        return tuple(self.of(param) for param in type.params)


def decode_text(buffer: bytes, start: int, stop: int) -> str | None:
    """Return the text up to the first NUL, None where there is not even that."""
    if start == stop:
        return None
    end = buffer.find(b"\0", start, stop)
    return buffer[start : stop if end < 0 else end].decode("utf-8", "surrogateescape")


def decode_bytes(buffer: bytes, start: int, stop: int) -> bytes:
    """Return the bytes as they are."""
    return buffer[start:stop]


def split_texts(data: bytes) -> tuple[str, ...]:
    """Return the texts of an array in which each is ended by NUL; one empty text alone counts as none."""
    data = data.removesuffix(b"\0")
    return tuple(data.decode("utf-8", "surrogateescape").split("\0")) if data else ()


def decode_texts(buffer: bytes, start: int, stop: int) -> tuple[str, ...] | None:
    """Return the texts of an array, None where there are none."""
    return split_texts(buffer[start:stop]) or None


def decode_pairs(buffer: bytes, start: int, stop: int) -> tuple[tuple[str, str], ...] | None:
    """Return name and value of each pair; a name without a value has an empty one."""
    texts = split_texts(buffer[start:stop])
    if not texts:
        return None
    values = (*texts[1::2], "") if len(texts) % 2 else texts[1::2]
    return tuple(zip(texts[::2], values, strict=True))


def _number(order: str, code: str) -> Decode:
    layout = Struct(order + code)
    size, unpack = layout.size, layout.unpack_from
    if code.endswith("s") or code == "d":

        def exact(buffer: bytes, start: int, stop: int) -> ParamValue | None:
            value: bytes | float | None = unpack(buffer, start)[0] if stop - start == size else None
            return value

        return exact
    signed = code.islower()
    byteorder = "little" if order == "<" else "big"

    def number(buffer: bytes, start: int, stop: int) -> ParamValue | None:
        if stop - start == size:
            value: int = unpack(buffer, start)[0]
            return value
        if start == stop:
            return None
        # Earlier versions stored some parameters in another width; a wider value is cut to the current one.
        other = int.from_bytes(buffer[start:stop], byteorder, signed=signed)  # type: ignore[arg-type]
        if stop - start > size:
            other &= (1 << 8 * size) - 1
            if signed and other >> (8 * size - 1):
                other -= 1 << 8 * size
        return other

    return number


def _dynamic(alternatives: tuple[Decode, ...]) -> Decode:
    def dynamic(buffer: bytes, start: int, stop: int) -> ParamValue | None:
        if start == stop or buffer[start] >= len(alternatives):
            return None
        return alternatives[buffer[start]](buffer, start + 1, stop)

    return dynamic


def _socket_address(order: str) -> Decode:
    inet, inet6 = Struct(order + "x4sH"), Struct(order + "x16sH")

    def address(buffer: bytes, start: int, stop: int) -> ParamValue | None:
        size = stop - start
        if size < 2:
            return None
        family = buffer[start]
        if family == AF_INET and size >= inet.size:
            return InetAddress(*inet.unpack_from(buffer, start))
        if family == AF_INET6 and size >= inet6.size:
            return InetAddress(*inet6.unpack_from(buffer, start))
        if family == AF_UNIX:
            return UnixAddress(_socket_path(buffer, start + 1, stop))
        return None

    return address


def _socket_tuple(order: str) -> Decode:
    inet, inet6, unix = Struct(order + "x4sH4sH"), Struct(order + "x16sH16sH"), Struct(order + "xQQ")

    def pair(buffer: bytes, start: int, stop: int) -> ParamValue | None:
        size = stop - start
        if size < 2:
            return None
        family = buffer[start]
        if family == AF_INET and size >= inet.size:
            ends = inet.unpack_from(buffer, start)
        elif family == AF_INET6 and size >= inet6.size:
            ends = inet6.unpack_from(buffer, start)
        elif family == AF_UNIX and size >= unix.size:
            source, destination = unix.unpack_from(buffer, start)
            return UnixTuple(source, destination, _socket_path(buffer, start + unix.size, stop))
        else:
            return None
        return InetTuple(InetAddress(ends[0], ends[1]), InetAddress(ends[2], ends[3]))

    return pair


def _socket_path(buffer: bytes, start: int, stop: int) -> str:
    """Return a local socket's path; that of an abstract one begins with NUL, which does not end it."""
    first = start + 1 if start < stop and buffer[start] == 0 else start
    end = buffer.find(b"\0", first, stop)
    if end < 0:
        end = stop
    return "" if end == first else buffer[start:end].decode("utf-8", "surrogateescape")


def _descriptor_list(order: str) -> Decode:
    head, item = Struct(order + "H"), Struct(order + "qH")

    def descriptors(buffer: bytes, start: int, stop: int) -> ParamValue | None:
        if stop - start < head.size:
            return None
        count = min(head.unpack_from(buffer, start)[0], (stop - start - head.size) // item.size)
        first = start + head.size
        return tuple(item.unpack_from(buffer, first + number * item.size) for number in range(count))

    return descriptors
