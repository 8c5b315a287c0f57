"""Values of fields as text and as JSON, by the field's type and print format.

`text_writer` and `json_writer` choose once, when a template is compiled, the function that turns a present
value into its form; nothing is decided by name while events pass.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TypeAlias

from refengine.output.escape import valid_unicode
from refengine.values import Format, Value, ValueType

ABSENT = "<NA>"
"""How a value that is not there is written in text; in JSON it is null."""

LONGEST_LIST = 1023
"""Characters of a list in text; the rest is cut."""

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | None"
TextWriter: TypeAlias = Callable[[Value], str]
JsonWriter: TypeAlias = Callable[[Value], JsonValue]
BufferWriter: TypeAlias = Callable[[bytes], str]

_WIDTHS = {
    ValueType.INT8: 8,
    ValueType.UINT8: 8,
    ValueType.FLAGS8: 8,
    ValueType.ENUMFLAGS8: 8,
    ValueType.INT16: 16,
    ValueType.UINT16: 16,
    ValueType.FLAGS16: 16,
    ValueType.ENUMFLAGS16: 16,
    ValueType.PORT: 16,
    ValueType.INT32: 32,
    ValueType.UINT32: 32,
    ValueType.FLAGS32: 32,
    ValueType.ENUMFLAGS32: 32,
    ValueType.MODE: 32,
    ValueType.UID: 32,
    ValueType.GID: 32,
}
"""Bits of the integer types that are narrower than 64; hexadecimal and octal show negative numbers in them."""

_ADDRESSES = frozenset(
    {
        ValueType.IPV4ADDR,
        ValueType.IPV6ADDR,
        ValueType.IPADDR,
        ValueType.IPV4NET,
        ValueType.IPV6NET,
        ValueType.IPNET,
    }
)


def buffer_text(value: bytes) -> str:
    """Return bytes as text in which everything but printable ASCII is a dot."""
    return value.translate(_DOTS).decode("ascii")


def buffer_base64(value: bytes) -> str:
    """Return bytes in base64."""
    return b64encode(value).decode("ascii")


_DOTS = bytes(code if 0x20 <= code < 0x7F else ord(".") for code in range(256))


def address_text(value: bytes) -> str:
    """Return an address of 4 or 16 bytes in the usual notation."""
    return inet_ntop(AF_INET if len(value) == 4 else AF_INET6, value)


def text_writer(
    type: ValueType, format: Format, *, is_list: bool = False, buffers: BufferWriter = buffer_text
) -> TextWriter:
    """Return the function that writes a present value of this type as text; `buffers` writes byte buffers."""
    one = _one_text_writer(type, format, buffers)
    if not is_list:
        return one

    def write(value: Value) -> str:
        items = value if isinstance(value, tuple) else (value,)
        return f"({','.join(map(one, items))})"[:LONGEST_LIST]

    return write


def json_writer(
    type: ValueType, format: Format, *, is_list: bool = False, buffers: BufferWriter = buffer_text
) -> JsonWriter:
    """Return the function that gives a present value of this type the form it has in a JSON alert."""
    one = _one_json_writer(type, format, buffers)
    if not is_list:
        return one

    def write(value: Value) -> JsonValue:
        return [one(item) for item in (value if isinstance(value, tuple) else (value,))]

    return write


def _one_text_writer(type: ValueType, format: Format, buffers: BufferWriter) -> TextWriter:
    number = _number_writer(type, format)
    is_address = type in _ADDRESSES
    is_boolean = type is ValueType.BOOL

    def write(value: Value) -> str:
        if isinstance(value, str):
            return value.split("\0", 1)[0] if "\0" in value else value
        if isinstance(value, bytes):
            return address_text(value) if is_address else buffers(value)
        if isinstance(value, tuple):
            return f"({','.join(map(write, value))})"[:LONGEST_LIST]
        if is_boolean or isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return f"{value:.1f}"
        return number(value)

    return write


def _one_json_writer(type: ValueType, format: Format, buffers: BufferWriter) -> JsonWriter:
    text = _one_text_writer(type, format, buffers)
    as_text = format in {Format.HEX, Format.OCT}
    is_boolean = type is ValueType.BOOL

    def write(value: Value) -> JsonValue:
        if isinstance(value, str | bytes):
            return valid_unicode(text(value))
        if isinstance(value, tuple):
            return [write(item) for item in value]
        if is_boolean or isinstance(value, bool):
            return bool(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return text(value) if as_text else value

    return write


def _number_writer(type: ValueType, format: Format) -> Callable[[int], str]:
    mask = (1 << _WIDTHS.get(type, 64)) - 1
    if format is Format.HEX:
        return lambda value: f"{value & mask:X}"
    if format is Format.OCT:
        return lambda value: f"{value & mask:o}"
    if format is Format.PADDED_DEC:
        return lambda value: f"{value:09d}"
    return str
