"""Encoding of event parameters as bytes of a capture, the reverse of `params`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import TypeAlias

from refengine.backends.capture.params import AF_INET, AF_INET6, AF_UNIX, FIXED_FORMATS
from refengine.event import ParamValue
from refengine.event.sockets import InetAddress, InetTuple, UnixAddress, UnixTuple
from refengine.tables.event_types import EventType, Parameter
from refengine.values import ValueType

Encode: TypeAlias = "Callable[[ParamValue], bytes]"
"""Gives the bytes of a present parameter."""

_ORDER = "<"
_INET, _INET6 = Struct(_ORDER + "B4sH"), Struct(_ORDER + "B16sH")
_INET_TUPLE, _INET6_TUPLE = Struct(_ORDER + "B4sH4sH"), Struct(_ORDER + "B16sH16sH")
_UNIX_TUPLE = Struct(_ORDER + "BQQ")
_COUNT, _DESCRIPTOR = Struct(_ORDER + "H"), Struct(_ORDER + "qH")


def encoders_of(type: EventType) -> tuple[Encode, ...]:
    """Return the encoders of an event type's parameters, in order.

    Each raises `TypeError` for a value that its parameter cannot have.
    """
    return tuple(_encoder(param) for param in type.params)


def text_bytes(text: str) -> bytes:
    """Return the bytes that a text was made of."""
    return text.encode("utf-8", "surrogateescape")


def join_texts(texts: Sequence[str]) -> bytes:
    """Return the texts, each ended by NUL."""
    return b"".join(text_bytes(text) + b"\0" for text in texts)


def _encoder(param: Parameter) -> Encode:
    code = FIXED_FORMATS.get(param.type)
    if code is not None:
        return _number(code)
    if param.type is ValueType.DYN:
        return _dynamic(param.alternatives)
    return _VARIABLE.get(param.type, _bytes)


def _number(code: str) -> Encode:
    layout = Struct(_ORDER + code)
    if code == "d" or code.endswith("s"):
        return layout.pack
    bits = 8 * layout.size
    unsigned = Struct(_ORDER + code.upper())

    def number(value: ParamValue) -> bytes:
        if not isinstance(value, int):
            raise TypeError(f"a number was expected, not {value!r}")
        return unsigned.pack(value & ((1 << bits) - 1))

    return number


def _text(value: ParamValue) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {value!r}")
    return text_bytes(value) + b"\0"


def _bytes(value: ParamValue) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"bytes were expected, not {value!r}")
    return value


def _texts(value: ParamValue) -> bytes:
    if not isinstance(value, tuple):
        raise TypeError(f"texts were expected, not {value!r}")
    return b"".join(_text(item) for item in value)


def _pairs(value: ParamValue) -> bytes:
    if not isinstance(value, tuple):
        raise TypeError(f"pairs of texts were expected, not {value!r}")
    return b"".join(_texts(pair) for pair in value)


def _socket_address(value: ParamValue) -> bytes:
    if isinstance(value, UnixAddress):
        return bytes((AF_UNIX,)) + text_bytes(value.path) + b"\0"
    if isinstance(value, InetAddress):
        if len(value.address) == 4:
            return _INET.pack(AF_INET, value.address, value.port)
        return _INET6.pack(AF_INET6, value.address, value.port)
    raise TypeError(f"a socket address was expected, not {value!r}")


def _socket_tuple(value: ParamValue) -> bytes:
    if isinstance(value, UnixTuple):
        return _UNIX_TUPLE.pack(AF_UNIX, value.source, value.destination) + text_bytes(value.path) + b"\0"
    if isinstance(value, InetTuple):
        source, destination = value.source, value.destination
        if len(source.address) == 4 == len(destination.address):
            return _INET_TUPLE.pack(
                AF_INET, source.address, source.port, destination.address, destination.port
            )
        ends = _mapped(source.address), _mapped(destination.address)
        return _INET6_TUPLE.pack(AF_INET6, ends[0], source.port, ends[1], destination.port)
    raise TypeError(f"a connection was expected, not {value!r}")


def _mapped(address: bytes) -> bytes:
    """Return an IPv4 address in the notation of IPv6."""
    return address if len(address) == 16 else b"\0" * 10 + b"\xff\xff" + address


def _descriptor_list(value: ParamValue) -> bytes:
    if not isinstance(value, tuple):
        raise TypeError(f"descriptors were expected, not {value!r}")
    parts = [_COUNT.pack(len(value))]
    for item in value:
        if not (isinstance(item, tuple) and len(item) == 2):
            raise TypeError(f"a descriptor and its flags were expected, not {item!r}")
        parts.append(_DESCRIPTOR.pack(*item))
    return b"".join(parts)


def _dynamic(alternatives: tuple[ValueType, ...]) -> Encode:
    """Return the encoder of a parameter that has one of several types: the widest that fits the value."""
    numbers = [position for position, type in enumerate(alternatives) if type in FIXED_FORMATS]
    widest = max(
        numbers,
        key=lambda position: Struct(_ORDER + FIXED_FORMATS[alternatives[position]]).size,
        default=None,
    )

    def dynamic(value: ParamValue) -> bytes:
        if isinstance(value, int) and widest is not None:
            return bytes((widest,)) + _number(FIXED_FORMATS[alternatives[widest]])(value)
        for position, type in enumerate(alternatives):
            if (isinstance(value, str) and type is ValueType.CHARBUF) or (
                isinstance(value, bytes) and type is ValueType.BYTEBUF
            ):
                return bytes((position,)) + _VARIABLE[type](value)
        raise TypeError(f"a value of another type was expected, not {value!r}")

    return dynamic


_VARIABLE: dict[ValueType, Encode] = {
    ValueType.CHARBUF: _text,
    ValueType.FSPATH: _text,
    ValueType.FSRELPATH: _text,
    ValueType.BYTEBUF: _bytes,
    ValueType.CHARBUFARRAY: _texts,
    ValueType.CHARBUF_PAIR_ARRAY: _pairs,
    ValueType.SOCKADDR: _socket_address,
    ValueType.SOCKTUPLE: _socket_tuple,
    ValueType.FDLIST: _descriptor_list,
}
