"""Offsets in the kernel's structures, from the type information that the kernel carries (BTF)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

KERNEL_TYPES: Final = Path("/sys/kernel/btf/vmlinux")

_MAGIC: Final = 0xEB9F
_HEADER: Final = struct.Struct("<HBBIIIII")
_TYPE: Final = struct.Struct("<III")
_ENTRY_SIZES: Final = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
"""Bytes for each entry that follows a type, by kind: members, values, parameters, sections."""

_TAIL_SIZES: Final = {1: 4, 3: 12, 14: 4, 17: 4}
"""Bytes that follow a type, by kind: integers, arrays, variables, tags."""

_STRUCT, _UNION, _ENUM = 4, 5, 6
_TRANSPARENT: Final = frozenset({8, 9, 10, 11, 18})
"""Kinds that only name or qualify another type: typedef, volatile, const, restrict, type tag."""


class TypesError(ValueError):
    """Type information that cannot be read, or lacks what is asked for."""


class KernelTypes:
    """The structures and enumerations described by a BTF blob.

    :raises TypesError: when `data` is no little-endian BTF.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER.size:
            raise TypesError("the type information is cut short")
        magic, _, _, header, types, types_length, strings, _ = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise TypesError("the type information has another byte order or format")
        self._data = data
        self._strings = header + strings
        self._positions = [0]
        self._named: dict[int, int] = {}
        self._enums: list[int] = []
        self._index(header + types, header + types + types_length)
        self._structs = {self._text(name): type for name, type in self._named.items() if name}

    def _index(self, position: int, end: int) -> None:
        """Note where each type is. Everything is in words of 32 bits; there are more than 100,000 types."""
        words = memoryview(self._data[position : end - (end - position) % 4]).cast("I")
        keep, named, count = self._positions.append, self._named.setdefault, 1
        at, last = 0, len(words) - 2
        entries = [_ENTRY_SIZES.get(kind, 0) // 4 for kind in range(32)]
        heads = [3 + _TAIL_SIZES.get(kind, 0) // 4 for kind in range(32)]
        while at < last:
            info = words[at + 1]
            kind = info >> 24 & 0x1F
            keep(position + at * 4)
            if kind in (_STRUCT, _UNION):
                named(words[at], count)
            elif kind == _ENUM:
                self._enums.append(position + at * 4)
            count += 1
            at += heads[kind] + entries[kind] * (info & 0xFFFF)

    def offset(self, path: str) -> int:
        """Return the offset in bytes of a member such as `file.f_path.dentry`, members of unnamed parts too.

        :raises TypesError: when there is no such structure or member.
        """
        name, *members = path.split(".")
        type = self._struct(name)
        bits = 0
        for member in members:
            found = self._member(type, member)
            if found is None:
                raise TypesError(f"the kernel has no '{path}'")
            offset, type = found
            bits += offset
        return bits // 8

    def size(self, name: str) -> int:
        """Return the size in bytes of a structure.

        :raises TypesError: when there is none of that name.
        """
        size: int = _TYPE.unpack_from(self._data, self._positions[self._struct(name)])[2]
        return size

    def constant(self, name: str) -> int:
        """Return the value of an enumeration's constant.

        :raises TypesError: when there is none of that name.
        """
        for position in self._enums:
            count = _TYPE.unpack_from(self._data, position)[1] & 0xFFFF
            for entry in range(count):
                label, value = struct.unpack_from("<Ii", self._data, position + 12 + 8 * entry)
                if self._text(label) == name:
                    return int(value)
        raise TypesError(f"the kernel has no constant '{name}'")

    def _struct(self, name: str) -> int:
        type = self._structs.get(name)
        if type is None:
            raise TypesError(f"the kernel has no structure '{name}'")
        return type

    def _text(self, offset: int) -> str:
        start = self._strings + offset
        return self._data[start : self._data.index(b"\0", start)].decode()

    def _member(self, type: int, name: str) -> tuple[int, int] | None:
        """Return the offset in bits and the type of a member."""
        for label, member, offset in self._members(type):
            if label == name:
                return offset, member
            if not label:
                inner = self._member(member, name)
                if inner is not None:
                    return offset + inner[0], inner[1]
        return None

    def _members(self, type: int) -> Iterator[tuple[str, int, int]]:
        while True:
            position = self._positions[type]
            _, info, other = _TYPE.unpack_from(self._data, position)
            if info >> 24 & 0x1F not in _TRANSPARENT:
                break
            type = other
        if info >> 24 & 0x1F not in (_STRUCT, _UNION):
            return
        has_sizes = info >> 31
        for entry in range(info & 0xFFFF):
            name, member, offset = _TYPE.unpack_from(self._data, position + 12 + 12 * entry)
            yield self._text(name), member, offset & 0xFFFFFF if has_sizes else offset


def read_kernel_types() -> KernelTypes:
    """Return the running kernel's types.

    :raises TypesError: when the kernel does not show any, or they cannot be read.
    """
    try:
        data = KERNEL_TYPES.read_bytes()
    except OSError as error:
        raise TypesError(f"{KERNEL_TYPES}: {error.strerror or error}") from None
    return KernelTypes(data)
