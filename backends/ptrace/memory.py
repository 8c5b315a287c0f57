"""Reading of a stopped tracee's memory: strings, buffers, arrays of pointers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from refengine.backends.ptrace.binding import MemoryWindow

PAGE: Final = 4096
PATH_MAX: Final = 4096
_POINTERS_A_READ: Final = 64


class Memory:
    """The memory of whichever thread is named, as the decoders read it."""

    __slots__ = ("_window",)

    def __init__(self) -> None:
        self._window = MemoryWindow(PAGE)

    def bytes_at(self, tid: int, address: int, length: int) -> bytes | None:
        """Return `length` bytes from `address`, fewer where the mapping ends, None where there are none."""
        if length <= PAGE:
            return self._window.fill(tid, address, length) if length > 0 and address else None
        if not address:
            return None
        return MemoryWindow(length).fill(tid, address, length)

    def raw_string(self, tid: int, address: int, limit: int = PATH_MAX) -> bytes | None:
        """Return the bytes up to the first NUL, at most `limit`; None where `address` is null or unreadable."""
        if not address:
            return None
        # Never across a page border in one read: the next page may not be mapped, and the call would then
        # give nothing where it has to give the first part.
        length = PAGE - (address & (PAGE - 1))
        data = self._window.fill(tid, address, min(length, limit))
        if data is None:
            return None
        end = data.find(0)
        if end >= 0:
            return data[:end]
        if len(data) >= limit:
            return data
        rest = self.raw_string(tid, address + length, limit - len(data))
        return None if rest is None else data + rest

    def string(self, tid: int, address: int, limit: int = PATH_MAX) -> str | None:
        """Return the text up to the first NUL, None where it cannot be read."""
        data = self.raw_string(tid, address, limit)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def unpack(self, tid: int, address: int, layout: struct.Struct) -> tuple[int, ...] | None:
        """Return the integers of a structure, None where it cannot be read whole."""
        data = self.bytes_at(tid, address, layout.size)
        if data is None or len(data) < layout.size:
            return None
        return layout.unpack(data)

    def pointers(self, tid: int, address: int) -> Iterator[int]:
        """Give the pointers of an array that ends with a null one, as far as it can be read."""
        while True:
            length = min(_POINTERS_A_READ * 8, PAGE - (address & (PAGE - 1)) or PAGE)
            data = self.bytes_at(tid, address, max(length - length % 8, 8))
            if data is None or len(data) < 8:
                return
            for (pointer,) in struct.iter_unpack("=Q", data[: len(data) - len(data) % 8]):
                if not pointer:
                    return
                yield pointer
            address += len(data) - len(data) % 8

    def string_array(self, tid: int, address: int, limit: int) -> tuple[bytes, ...]:
        """Return the strings of an array such as `argv`, at most `limit` bytes of them altogether."""
        strings: list[bytes] = []
        for pointer in self.pointers(tid, address) if address else ():
            text = self.raw_string(tid, pointer, limit)
            if text is None:
                break
            strings.append(text)
            limit -= len(text) + 1
            if limit <= 0:
                break
        return tuple(strings)
