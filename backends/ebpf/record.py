"""One record of the kernel side: its head, and its blobs, which are taken apart when they are first asked for."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from refengine.backends.ebpf.layout import (
    BLOB,
    CHILD,
    COMM,
    DESCRIPTOR,
    PROGRAM,
    RECORD,
    BlobKind,
    Child,
    FileState,
    Head,
    Program,
)

_MEMORY, _TEXT, _DESCRIPTOR = int(BlobKind.MEMORY), int(BlobKind.TEXT), int(BlobKind.DESCRIPTOR)
_WORKING_DIRECTORY: Final = int(BlobKind.WORKING_DIRECTORY)
_RECORD_SIZE: Final = RECORD.size
_UNPACK_BLOB: Final = BLOB.unpack_from
FIRST_CONTENT: Final = RECORD.size + BLOB.size
_OF_THE_PROCESS: Final = frozenset({int(BlobKind.ARGUMENTS), int(BlobKind.ENVIRONMENT)})
"""Blobs of which there is one a record, wherever in the program's memory they come from."""


class Record:
    """A record, and what it holds of the program's memory, by address.

    It answers the questions that decoders ask of a memory; a thread's number is not looked at, since the
    record is of one thread. `data` are its bytes, `blobs` those that are neither memory nor text, None while they
    have not been asked for; `first_end` is where the first blob ends, 0 until it has been looked at by itself. Who
    makes a record sets the three: see `recorded`.
    """

    __slots__ = ("_descriptors", "_head", "_memory", "_texts", "blobs", "data", "first_end")

    data: bytes
    blobs: dict[tuple[int, int], bytes] | None
    first_end: int
    _head: Head

    @property
    def head(self) -> Head:
        """What all records have."""
        try:
            return self._head
        except AttributeError:  # most records are never asked, and do without an attribute that says so
            head = self._head = Head._make(RECORD.unpack_from(self.data))
            return head

    def blob(self, kind: int, address: int = 0) -> bytes | None:
        """Return the content of a blob, None where the record has none of the kind and address."""
        return self._parsed().get((kind, address))

    def text(self, kind: int, address: int = 0) -> str | None:
        """Return a blob as text up to a NUL, None where the record has none of the kind and address."""
        data = self._parsed().get((kind, address))
        return None if data is None else decoded(data.partition(b"\0")[0])

    def bytes_at(self, tid: int, address: int, length: int) -> bytes | None:
        """Return `length` bytes from `address`, fewer where fewer were copied, None where there are none."""
        self._parsed()
        data = self._memory.get(address)
        return data[:length] or None if data and length > 0 else None

    def string(self, tid: int, address: int, limit: int = 4096) -> str | None:
        """Return the text up to the first NUL, None where it was not copied."""
        data = self.data
        if self.blobs is None and len(data) >= FIRST_CONTENT:
            # Nearly always it is the first blob, and often the only one.
            kind, length, at = _UNPACK_BLOB(data, _RECORD_SIZE)
            end = FIRST_CONTENT + length
            if kind == _TEXT and at == address and 0 < length <= limit and end <= len(data):
                self.first_end = end + 7 & ~7
                # The kernel copies up to the first NUL and with it, if there is one: no other byte is one.
                stop = end if data[end - 1] else end - 1
                return data[FIRST_CONTENT:stop].decode("utf-8", "surrogateescape")
        self._parsed()
        text = self._texts.get(address)
        return None if text is None else decoded(text[:limit])

    def path(self, kind: int, number: int = 0) -> str | None:
        """Return a path that the kernel has put together, None where the record does not have it whole."""
        return self.text(kind, number) or None

    def working_directory(self) -> str | None:
        """Return the directory that the thread was in, None where the record does not tell.

        It is the empty string where the directory is too deep to be told: what was known of it need not hold.
        """
        if self.blobs is None and self.first_end >= len(self.data):
            return None
        return self.text(_WORKING_DIRECTORY)

    def unpack(self, tid: int, address: int, layout: struct.Struct) -> tuple[int, ...] | None:
        """Return the integers of a structure, None where it was not copied whole."""
        data = self.bytes_at(tid, address, layout.size)
        return None if data is None or len(data) < layout.size else layout.unpack(data)

    def descriptor(self, number: int) -> FileState | None:
        """Return what the kernel says of an open file, None where the record does not tell."""
        blobs = self._parsed()
        known = self._descriptors.get(number)
        if known is None:
            data = blobs.get((_DESCRIPTOR, number))
            if data is None:
                return None
            known = self._descriptors[number] = FileState._make(DESCRIPTOR.unpack_from(data))
        return known

    def program(self) -> Program | None:
        """Return what the record tells of a program that has been started."""
        data = self.blob(BlobKind.PROGRAM)
        return None if data is None else Program._make(PROGRAM.unpack_from(data))

    def child(self) -> Child | None:
        """Return what the record tells of a new thread or process."""
        data = self.blob(BlobKind.CHILD)
        return None if data is None else Child._make(CHILD.unpack_from(data))

    @property
    def comm(self) -> str:
        """The short name of the thread."""
        return short_name(self.data[COMM])

    def _parsed(self) -> dict[tuple[int, int], bytes]:
        blobs = self.blobs
        if blobs is not None:
            return blobs
        blobs = self.blobs = {}
        memory: dict[int, bytes] = {}
        texts: dict[int, bytes] = {}
        self._memory, self._texts = memory, texts
        self._descriptors: dict[int, FileState] = {}
        data, position, unpack = self.data, _RECORD_SIZE, _UNPACK_BLOB
        end = len(data) - BLOB.size
        while position <= end:
            kind, length, address = unpack(data, position)
            position += BLOB.size
            content = data[position : position + length]
            position += length + 7 & ~7
            if kind == _MEMORY:
                # Of two blobs of one address, the longer one has more of it.
                if len(content) > len(memory.get(address, b"")):
                    memory[address] = content
            elif kind == _TEXT:
                texts[address] = content.partition(b"\0")[0]
            else:
                blobs[kind, 0 if kind in _OF_THE_PROCESS else address] = content
        return blobs


def recorded(data: bytes) -> Record:
    """Return the record with these bytes, of which nothing has been asked yet."""
    record = Record()
    record.data, record.blobs, record.first_end = data, None, 0
    return record


@lru_cache(4096)
def short_name(data: bytes) -> str:
    """Return a thread's short name."""
    return decoded(data.partition(b"\0")[0])


def decoded(data: bytes) -> str:
    """Return bytes of the system as text that keeps every one of them."""
    return data.decode("utf-8", "surrogateescape")
