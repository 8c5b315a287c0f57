"""The records that a group hands out, decoded from their bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from refengine.errors import BackendError

VERSION: Final = 3
_METADATA: Final = struct.Struct("=IBBHQii")
_INFORMATION: Final = struct.Struct("=BBH")
_HANDLE_LENGTH: Final = struct.Struct("=I")
_FILESYSTEM_AT, _HANDLE_AT = 4, 12
_HANDLE_HEADER: Final = 8

_FOLDER_AND_NAME: Final = 2
_OLD, _NEW = 10, 12


class Place(NamedTuple):
    """Where a file is: the number of its filesystem with the handle of its folder, and its name in there."""

    folder: bytes
    name: bytes


class Record(NamedTuple):
    """What happened to one file, several things where the kernel has merged them.

    `mask` has a bit for each thing that happened. `tid` is the thread that did it, 0 where that is not told.
    Groups of one kind give the `place`, and for a file that was moved the `target`; those of the other kind an
    open `descriptor` of the file, otherwise -1.
    """

    mask: int
    tid: int
    place: Place | None = None
    target: Place | None = None
    descriptor: int = -1


def decode(data: bytes) -> Iterator[Record]:
    """Yield the records in what a read from a group has returned.

    :raises BackendError: when they are of a version that is not known, or not what the kernel writes.
    """
    at, end = 0, len(data)
    while at < end:
        if end - at < _METADATA.size:
            raise BackendError("the kernel's record of a file event is cut short")
        length, version, _, header, mask, descriptor, tid = _METADATA.unpack_from(data, at)
        if version != VERSION:
            raise BackendError(f"the kernel writes file events in version {version}, not {VERSION}")
        if not _METADATA.size <= header <= length <= end - at:
            raise BackendError("the kernel's record of a file event has impossible lengths")
        place = target = None
        inner = at + header
        while inner + _INFORMATION.size <= at + length:
            kind, _, size = _INFORMATION.unpack_from(data, inner)
            if size < _INFORMATION.size or inner + size > at + length:
                raise BackendError("the kernel's record of a file event has impossible lengths")
            if kind in (_FOLDER_AND_NAME, _OLD):
                place = _place(data, inner, size)
            elif kind == _NEW:
                target = _place(data, inner, size)
            inner += size
        yield Record(mask, tid, place, target, descriptor)
        at += length


def _place(data: bytes, at: int, size: int) -> Place:
    if size < _HANDLE_AT + _HANDLE_HEADER:
        raise BackendError("the kernel's record of a file event has no room for a handle")
    name_at = at + _HANDLE_AT + _HANDLE_HEADER + _HANDLE_LENGTH.unpack_from(data, at + _HANDLE_AT)[0]
    if name_at > at + size:
        raise BackendError("the kernel's record of a file event has no room for a handle")
    name = data[name_at : at + size].split(b"\0", 1)[0]
    return Place(data[at + _FILESYSTEM_AT : name_at], name)
