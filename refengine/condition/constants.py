"""From the text of a right-hand value to the constant that its operator works with."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType

from refengine.condition.bytewise import byte_text, to_bytes
from refengine.condition.glob import Glob
from refengine.condition.networks import parse_network
from refengine.condition.regex import Regex, RegexError
from refengine.condition.typed import Constant
from refengine.condition.types import ADDRESS_TYPES, INTEGER_BITS, NETWORK_TYPES, TEXT_TYPES
from refengine.event.addresses import packed_address
from refengine.fields.reading import EVENT_NAMES
from refengine.values import ValueType

LONGEST = 255
"""Bytes that a constant of text may have."""

_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")


_COMMON_SERVICES: Mapping[str, int] = MappingProxyType(
    {
        "ftp": 21,
        "ssh": 22,
        "telnet": 23,
        "smtp": 25,
        "domain": 53,
        "http": 80,
        "ntp": 123,
        "ldap": 389,
        "https": 443,
        "syslog": 514,
        "ldaps": 636,
        "mysql": 3306,
        "postgresql": 5432,
    }
)
"""Services that are known even where the system has no table of them, as in small container images."""


class ConstantError(ValueError):
    """A value that the field's type or the operator cannot take."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def parse_constant(text: str, type: ValueType, operator: str) -> Constant:
    """Return the constant that `text` means where a field of `type` stands left of `operator`.

    :raises ConstantError: when it means nothing there.
    """
    if type in INTEGER_BITS:
        return _port(text) if type is ValueType.PORT else _integer(text, type)
    if type in TEXT_TYPES:
        return _text(text, operator)
    if type is ValueType.BOOL:
        if text not in ("true", "false"):
            raise ConstantError(f"'{text}' is not a boolean: write true or false")
        return text == "true"
    if type is ValueType.DOUBLE:
        return _integer(text, ValueType.INT64)
    if type is ValueType.BYTEBUF:
        return _buffer(text, operator)
    try:
        if type in ADDRESS_TYPES:
            return packed_address(text)
        if type in NETWORK_TYPES:
            return parse_network(text)
    except ValueError as error:
        raise ConstantError(str(error)) from None
    raise ConstantError(f"values of type {type} cannot be compared with a constant")


def check_event_name(text: str) -> None:
    """Accept `text` as a value of `evt.type`; the empty text passes, and no event has it.

    :raises ConstantError: when no event has that type.
    """
    if text and text not in EVENT_NAMES:
        near = get_close_matches(text, EVENT_NAMES, 1)
        raise ConstantError(f"unknown event type '{text}'", f"did you mean '{near[0]}'?" if near else None)


def _integer(text: str, type: ValueType) -> int:
    """Read as C's `sscanf` does, then cut to the type's width: an excess wraps, as in Falco."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        hint = None
        if re.fullmatch("0[xX][0-9a-fA-F]+", text):
            hint = f"write it in decimal: {int(text, 16)}"
        raise ConstantError(f"'{text}' is not a whole number", hint)
    bits, signed = INTEGER_BITS[type]
    value = int(found[1])
    if signed:
        value = max(-(1 << 63), min(value, (1 << 63) - 1))
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value
    if value >= 1 << 64:
        value = (1 << 64) - 1
    return value & ((1 << bits) - 1)


def _port(text: str) -> int:
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        return int(text) & 0xFFFF
    port = _service(text)
    if port is None:
        raise ConstantError(f"'{text}' is neither a port number nor the name of a service")
    return port


@lru_cache(maxsize=256)
def _service(name: str) -> int | None:
    try:
        return socket.getservbyname(name)
    except (OSError, UnicodeError, ValueError):
        return _COMMON_SERVICES.get(name)


def _text(text: str, operator: str) -> Constant:
    size = len(byte_text(text))
    if size > LONGEST:
        raise ConstantError(f"a value of {size} bytes is too long: constants have {LONGEST} bytes at most")
    if "\0" in text:
        raise ConstantError("a value of text cannot have a NUL byte in it")
    if operator == "glob":
        return Glob(text)
    if operator == "iglob":
        return Glob(text, folding=True)
    if operator == "regex":
        try:
            return Regex(text)
        except RegexError as error:
            raise ConstantError(f"invalid regular expression '{text}': {error}") from None
    return text


def _buffer(text: str, operator: str) -> bytes:
    if operator in ("bcontains", "bstartswith"):
        if len(text) % 2 or not re.fullmatch("[0-9a-fA-F]*", text):
            raise ConstantError(f"'{operator}' takes bytes as pairs of hexadecimal digits, not '{text}'")
        return bytes.fromhex(text)
    data = to_bytes(text)
    if len(data) > LONGEST:
        raise ConstantError(
            f"a value of {len(data)} bytes is too long: constants have {LONGEST} bytes at most"
        )
    return data
