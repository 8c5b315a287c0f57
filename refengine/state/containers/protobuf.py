"""Protocol buffer messages, as far as asking runtimes needs them: fields by number, texts, numbers and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from refengine.state.containers.runtime import BROKEN, UnknownError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10

Fields: TypeAlias = "Mapping[int, int | str | bytes]"
"""The fields of a message to write; a text, a whole number from 0 on, or the bytes of a message."""


def message(fields: Fields) -> bytes:
    """Return the message of these fields."""
    out = bytearray()
    for number, value in fields.items():
        if isinstance(value, int):
            out += _varint(number << 3 | _VARINT) + _varint(value)
        else:
            data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            out += _varint(number << 3 | _BYTES) + _varint(len(data)) + data
    return bytes(out)


class Message:
    """A message that was received: the values of its fields by their numbers, each in the order of the message.

    :raises UnknownError: for bytes that are no message.
    """

    __slots__ = ("_values",)

    def __init__(self, data: bytes) -> None:
        self._values: dict[int, list[int | bytes]] = {}
        position = 0
        while position < len(data):
            key, position = _read_varint(data, position)
            value: int | bytes
            if key & 7 == _VARINT:
                value, position = _read_varint(data, position)
            else:
                if key & 7 == _BYTES:
                    size, position = _read_varint(data, position)
                elif key & 7 in (_FIXED32, _FIXED64):
                    size = 4 if key & 7 == _FIXED32 else 8
                else:
                    raise UnknownError(BROKEN)
                value = data[position : position + size]
                if len(value) < size:
                    raise UnknownError(BROKEN)
                position += size
            self._values.setdefault(key >> 3, []).append(value)

    def number(self, field: int) -> int:
        """Return the last number in a field, 0 where there is none, as protocol buffers have it."""
        found = [value for value in self._values.get(field, ()) if isinstance(value, int)]
        return found[-1] if found else 0

    def blob(self, field: int) -> bytes:
        """Return the last bytes in a field, none where there are none."""
        found = self.blobs(field)
        return found[-1] if found else b""

    def blobs(self, field: int) -> list[bytes]:
        """Return all the bytes in a field."""
        return [value for value in self._values.get(field, ()) if isinstance(value, bytes)]

    def text(self, field: int) -> str:
        """Return the last text in a field, the empty one where there is none."""
        return self.blob(field).decode("utf-8", "surrogateescape")

    def below(self, field: int) -> Message:
        """Return the last message in a field, an empty one where there is none."""
        return Message(self.blob(field))

    def each(self, field: int) -> list[Message]:
        """Return all the messages in a field."""
        return [Message(blob) for blob in self.blobs(field)]

    def texts(self, field: int) -> dict[str, str]:
        """Return the map of texts to texts in a field."""
        return {entry.text(1): entry.text(2) for entry in self.each(field)}


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, position
    raise UnknownError(BROKEN)
