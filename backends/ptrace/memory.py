"""Reading of a stopped tracee's memory: strings, buffers, arrays of pointers."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final

from refengine.backends.ptrace.binding import MemoryWindow

PAGE: Final = 4096
PATH_MAX: Final = 4096
_FIRST_READ: Final = 256  # longer than nearly every path, and cheaper to copy than a page
_POINTERS_A_READ: Final = 64
_OPEN_MAX: Final = 128
_CLOSED: Final = -1


class Memory:
    """The memory of whichever thread is named, as the decoders read it.

    It is read through `/proc/TID/mem`, which stays open while the thread runs the same program: that is the
    cheapest way from Python. Where the file cannot be opened (a program that its user may not read, a hidden
    `/proc`), `process_vm_readv` and then single words are tried.
    """

    __slots__ = ("_files", "_window")

    def __init__(self) -> None:
        self._window = MemoryWindow(PAGE)
        self._files: dict[int, int] = {}

    def forget(self, tid: int) -> None:
        """Close the memory of a thread that has ended or runs another program now."""
        descriptor = self._files.pop(tid, _CLOSED)
        if descriptor != _CLOSED:
            os.close(descriptor)

    def close(self) -> None:
        """Close the memory of every thread."""
        for tid in list(self._files):
            self.forget(tid)

    def _open(self, tid: int) -> int:
        if len(self._files) >= _OPEN_MAX:
            self.forget(next(iter(self._files)))
        try:
            descriptor = os.open(f"/proc/{tid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            descriptor = _CLOSED
        self._files[tid] = descriptor
        return descriptor

    def _read(self, tid: int, address: int, length: int) -> bytes:
        """Return what can be read of `length` bytes from `address`, possibly nothing."""
        descriptor = self._files.get(tid)
        if descriptor is None:
            descriptor = self._open(tid)
        if descriptor == _CLOSED:
            window = self._window if length <= PAGE else MemoryWindow(length)
            return bytes(window.buffer[: window.fill(tid, address, length)])
        try:
            return os.pread(descriptor, length, address)
        except (OSError, OverflowError):  # not mapped, or no address at all
            return b""

    def bytes_at(self, tid: int, address: int, length: int) -> bytes | None:
        """Return `length` bytes from `address`, fewer where the mapping ends, None where there are none."""
        if length <= 0 or not address:
            return None
        return self._read(tid, address, length) or None

    def raw_string(self, tid: int, address: int, limit: int = PATH_MAX) -> bytes | None:
        """Return the bytes up to the first NUL, at most `limit`; None where `address` is null or unreadable."""
        if not address:
            return None
        descriptor = self._files.get(tid, _CLOSED)
        if descriptor != _CLOSED:
            # The usual case without detours. Where the next page is not mapped this reads up to there.
            try:
                data = os.pread(descriptor, _FIRST_READ, address)
            except (OSError, OverflowError):  # not mapped, or no address at all
                return None
            end = data.find(0, 0, limit)
            if end >= 0:
                return data[:end]
        # Up to the page's end, since the next page may not be mapped, which can spoil the whole read.
        length = min(PAGE - (address & (PAGE - 1)), _FIRST_READ, limit)
        data = self._read(tid, address, length)
        end = data.find(0)
        if end >= 0:
            return data[:end]
        if len(data) < length:
            return None
        if length == limit:
            return data
        rest = self.raw_string(tid, address + length, limit - length)
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
        start, block = 0, b""
        for pointer in self.pointers(tid, address) if address else ():
            # Such strings mostly lie side by side, so that one read is good for many.
            if not start <= pointer < start + len(block):
                start, block = pointer, self._read(tid, pointer, PAGE - (pointer & (PAGE - 1)))
            end = block.find(0, pointer - start)
            text = block[pointer - start : end] if end >= 0 else self.raw_string(tid, pointer, limit)
            if text is None:
                break
            strings.append(text[:limit])
            limit -= len(text) + 1
            if limit <= 0:
                break
        return tuple(strings)
